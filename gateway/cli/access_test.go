package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/county/held"
	"gatehouse/gateway/sealed"
)

// reported is a county of which a report can be asked for.
type reported struct {
	dir, config string
	ids         []string
	asked       int64 // requests so far
}

// newReported makes a county with records of a card in two epochs, and a roster and a
// guards' list in which the card stands.
func newReported(t *testing.T) *reported {
	t.Helper()
	dir, ids, _ := newEpochs(t)
	base := filepath.Dir(dir)
	for name, text := range map[string]string{
		"collect.yaml": "county: qinghe\ndir: county\nsites: sites.yaml\n" +
			"retention: {passages: 30d}\nenrol: {urls: [\"https://127.0.0.1:8080\"], files: enrol}\n" +
			"desk: {listen: \"127.0.0.1:8080\"}\n",
		"sites.yaml": "county: qinghe\nname: Q\ncrs: WGS-84\ncommunities:\n" +
			"  - id: c1\n    name: C\n    grids:\n      - id: g1\n        name: G\n" +
			"        compounds:\n          - id: k1\n            name: K\n            gates: [gate-001]\n",
		"roster.csv": "card,class,status,household,from,until,uses\n" +
			"0000000001,resident,active,,,,\n" + traced + ",visitor,active,H7,2020-02-14,2020-02-20,3\n",
		"guards.csv":                "guard,card,pin\neast-1," + strings.ToLower(traced) + ",\n",
		"enrol/default/roster.csv":  "card,class,status,household,from,until\n" + traced + ",resident,lost,,,\n",
		"enrol/default/policy.yaml": "version: 1\n",
	} {
		path := filepath.Join(base, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := &reported{dir: dir, config: filepath.Join(base, "collect.yaml"), ids: ids}
	for _, name := range []string{"roster.csv", "guards.csv"} {
		out, code := run(t, "rules", "import", "--config", r.config, filepath.Join(base, name))
		if code != 0 {
			t.Fatalf("import %s: %d %s", name, code, out)
		}
	}
	return r
}

// ask asks for a report and lets the auditor agree. It returns what was written.
func (r *reported) ask(t *testing.T, card string, more ...string) (out string, code int) {
	t.Helper()
	r.asked++
	wait := agreeSoon(t, r.dir, r.asked)
	defer wait()
	file := filepath.Join(t.TempDir(), "report")
	args := append([]string{"access-report", "--config", r.config, "--as", "admin1", "--identity", r.ids[0],
		"--identity", r.ids[1], "--file", file}, more...)
	said, code := typed(t, "correct horse\n"+card+"\n", args...)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%d %s: %v", code, said, err)
	}
	return string(b), code
}

func TestAReportSaysWhatIsHeldOnACard(t *testing.T) {
	r := newReported(t)
	zh, code := r.ask(t, strings.ToLower(traced))
	if code != 0 || strings.Contains(strings.ToUpper(zh), traced) {
		t.Fatalf("%d\n%s", code, zh)
	}
	for _, want := range []string{"通行记录（2）", "传感器原值 33.30 °C，校正 3.20，判定用 36.50 °C", "名单（default）第 1 版，草稿，第 3 行",
		"class=visitor", "uses=3", "guard=east-1", "入网时下发的文件", "status=lost", "30 天", "没有设期限", "已打开",
		"不能再对应到任何卡的记录（密钥没有打开或已经没有，1）", "门岗上还没有送到县里的记录"} {
		if !strings.Contains(zh, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(zh)
	}
	en, _ := r.ask(t, traced, "--lang", "en")
	if !strings.Contains(en, "Passages (2)") || strings.Contains(en, "held.") {
		t.Error(en)
	}
	text, _ := r.ask(t, traced, "-o", "json")
	var report held.Report
	if err := json.Unmarshal([]byte(text), &report); err != nil || len(report.Gates.Passages) != 2 ||
		len(report.Lists) != 3 || report.Gates.Passages[0].Passage.Temperature.Object != 3330 {
		t.Errorf("%v\n%s", err, text)
	}
	text, _ = r.ask(t, traced, "-o", "csv")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || strings.Count(text, "\npassage,") != 2 || len(rows) < 15 {
		t.Errorf("%v\n%s", err, text)
	}
	exported, _ := run(t, "audit", "export", "--dir", r.dir)
	if strings.Contains(exported, traced) || strings.Count(exported, "access-report,card,") != 4 {
		t.Errorf("the audit says:\n%s", exported)
	}
}

func TestAReportOfACardThatNobodyKnowsSaysSo(t *testing.T) {
	r := newReported(t)
	for lang, want := range map[string]string{"zh": "没有查到与此卡有关的任何资料", "en": "holds nothing on this card"} {
		out, code := r.ask(t, "00000000FF", "--lang", lang)
		if code != 0 || !strings.Contains(out, want) || strings.Contains(out, "00000000FF") {
			t.Errorf("%s: %d %s", lang, code, out)
		}
	}
}

func TestAReportSaysWhichEpochsItCouldNotOpen(t *testing.T) {
	r := newReported(t)
	key, _, err := sealed.NewKey() // of somebody to whom no epoch was encrypted
	if err == nil {
		err = os.WriteFile(r.ids[1], []byte(key+"\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, code := r.ask(t, traced)
	if code != 0 || !strings.Contains(out, "所给两人打不开") || !strings.Contains(out, "通行记录（0）") ||
		!strings.Contains(out, "第 3 行") || strings.Contains(out, "没有查到与此卡有关的任何资料") {
		t.Errorf("%d %s", code, out)
	}
}

func TestAReportIsRefused(t *testing.T) {
	r := newReported(t)
	with := []string{"access-report", "--config", r.config, "--as", "admin1", "--identity", r.ids[0]}
	for name, c := range map[string]struct {
		typed, want string
		args        []string
	}{
		"a wrong password": {"guess guess\n", "is wrong", []string{"--identity", r.ids[1]}},
		"one identity":     {"correct horse\n" + traced + "\n", "--identity twice", nil},
		"no card number":   {"correct horse\nabc\n", "10 hex digits", []string{"--identity", r.ids[1]}},
		"another language": {"", "use zh or en", []string{"--lang", "fr"}},
		"another format":   {"", "use table, json or csv", []string{"-o", "xml"}},
		"an auditor asks": {"correct horse\n" + traced + "\n", "role",
			[]string{"--identity", r.ids[1], "--as", "auditor1"}},
	} {
		out, code := typed(t, c.typed, append(with, c.args...)...)
		if code == 0 || !strings.Contains(out, c.want) || strings.Contains(out, traced) {
			t.Errorf("%s: %d %s", name, code, out)
		}
	}
}
