package dashboards

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/gateway/testkit/loopback"
)

const promFolder = "../../deploy/prometheus"

// promtool runs Prometheus's own checks, in the folder of its files.
func promtool(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("promtool %s: %v (make tools installs it)\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestPromtoolTakesConfigurationAndRules(t *testing.T) {
	promtool(t, promFolder, "check", "config", "--syntax-only", "prometheus.yml")
	promtool(t, promFolder, "check", "rules", "rules.yml")
	promtool(t, promFolder, "test", "rules", "rules.test.yml")
}

var alertName = regexp.MustCompile(`(?m)^      - alert: (\w+)$`)

// alerts returns the names of the alerts.
func alerts(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(promFolder, "rules.yml"))
	must(t, err)
	for _, m := range alertName.FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	if len(names) < 15 {
		t.Fatalf("only %d alerts: %v", len(names), names)
	}
	return names
}

func TestEachAlertHasBothCasesAndARowOfThePage(t *testing.T) {
	cases, err := os.ReadFile(filepath.Join(promFolder, "rules.test.yml"))
	must(t, err)
	page, err := os.ReadFile("../../deploy/MONITORING.md")
	must(t, err)
	for _, name := range alerts(t) {
		for _, c := range []string{"fires", "does not fire"} {
			if !strings.Contains(string(cases), "- name: "+name+" "+c+"\n") {
				t.Errorf("%s has no case in which it %s", name, c)
			}
		}
		if !strings.Contains(string(page), "\n| `"+name+"` |") {
			t.Errorf("MONITORING.md does not list %s", name)
		}
	}
}

// prometheus is a real one that scrapes the desk of l with the configuration of deploy,
// but for addresses and intervals.
type prometheus struct{ url string }

func startPrometheus(t *testing.T, l *live) prometheus {
	t.Helper()
	listen, err := loopback.Free(t.Context())
	must(t, err)
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(promFolder, "prometheus.yml"))
	must(t, err)
	conf := strings.NewReplacer("127.0.0.1:8443", l.desk, "127.0.0.1:9090", listen, "15s", "1s").Replace(string(text))
	must(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(conf), 0o600))
	rules, err := os.ReadFile(filepath.Join(promFolder, "rules.yml"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "rules.yml"), rules, 0o600))
	must(t, os.Symlink(l.dir, filepath.Join(dir, "secrets")))
	promtool(t, dir, "check", "config", "prometheus.yml")
	cmd := exec.Command("prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+listen, "--log.level=warn")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("prometheus: %v: run make tools", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return prometheus{"http://" + listen}
}

// get asks the API; it returns false while it does not answer.
func (p prometheus) get(path string, q url.Values, into any) bool {
	res, err := http.Get(p.url + "/api/v1/" + path + "?" + q.Encode())
	if err != nil {
		return false
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return err == nil && res.StatusCode == http.StatusOK && json.Unmarshal(text, into) == nil
}

var legendLabel = regexp.MustCompile(`\{\{(\w+)\}\}`)

// ask returns the values of an expression by its legend, at now.
func (p prometheus) ask(expr, legend string) map[string]float64 {
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if !p.get("query", url.Values{"query": {expr}}, &answer) {
		return nil
	}
	out := map[string]float64{}
	for _, r := range answer.Data.Result {
		name := legendLabel.ReplaceAllStringFunc(legend, func(s string) string {
			return r.Metric[strings.Trim(s, "{}")]
		})
		v, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil || v != v { //nolint:gocritic // NaN: nothing was counted yet
			continue
		}
		out[name] = v
	}
	return out
}

// points returns how many points an expression has over the last minute.
func (p prometheus) points(expr string) (n int) {
	var answer struct {
		Data struct{ Result []struct{ Values []any } }
	}
	now := time.Now()
	p.get("query_range", url.Values{"query": {expr}, "start": {fmt.Sprint(now.Add(-time.Minute).Unix())},
		"end": {fmt.Sprint(now.Unix())}, "step": {"1"}}, &answer)
	for _, r := range answer.Data.Result {
		n += len(r.Values)
	}
	return n
}

// inCounty is what panels of Prometheus show of the county of newLive, by dashboard and
// English title: each name with its lowest and highest value.
func inCounty() map[string]map[string][2]float64 {
	const much = 1e12
	one := func(low, high float64) map[string][2]float64 { return map[string][2]float64{"": {low, high}} }
	of := func(low, high float64, names ...string) map[string][2]float64 {
		out := map[string][2]float64{}
		for _, name := range names {
			out[name] = [2]float64{low, high}
		}
		return out
	}
	gates := map[string][2]float64{"online": {3, 3}, "offline": {1, 1}, "silent": {0, 0}, "never": {180, 180}}
	heard := []string{"gate-001", "gate-002", "gate-003"}
	return map[string]map[string][2]float64{
		"county County": one(1, 1), "county Gates online": one(3, 3), "county Gates not heard": one(1, 1),
		"county Fevers open": one(1, much), "county Alerts open": one(1, much), "county Records waiting": one(42, 200),
		"county Passages this hour": {"fever": {1, much}, "pass": {1, much}, "refuse": {0, much}, "invalid": {0, much},
			"retest": {0, much}},
		"county Gates by state": gates, "delivery Gates by state": gates,
		"county Open alerts by type": {"fever": {1, much}},
		"gate Up":                    one(1, 1), "gate Delivers": one(0, 0), "gate Last heartbeat": one(0, 20),
		"gate Devices broken": one(1, 1), "gate Clock offset": one(-125, -115), "gate Up or down": of(1, 1, "gate-003"),
		"machines Machines by state": of(0, 1, "working"), "machines Machines by state over time": of(0, 1, "working"),
		"machines Alerts about runs and machines": of(0, 9, "run-dry", "run-leak", "run-disputed", "machine-fault",
			"machine-unheard"),
		"delivery Since the last commit": one(0, 60), "delivery Records waiting": one(42, 200),
		"delivery Commits refused, 1 h": one(0, 0), "delivery In quarantine": one(0, 0),
		"delivery Records lost": one(0, 0), "delivery Messages refused": one(0, much),
		"delivery Records stored a second":    of(1e-6, 1e4, "记录 records"),
		"delivery How long commits take":      of(0, 30, "50 %", "95 %", "99 %"),
		"delivery Age of records when stored": of(0, 86400, "50 %", "95 %", "99 %"),
		"delivery Problems and warnings":      of(1, 1, "gates-held-up"),
		"delivery Most records waiting": {"gate-003": {42, 42},
			"gate-001": {0, 100}, "gate-002": {0, 100}},
		"delivery Oldest record that waits": of(3590, 3700, "gate-003"),
		"delivery Oldest heartbeats":        of(0, 25, heard...),
		"delivery Clocks most apart": {"gate-003": {115, 125},
			"gate-001": {0, 5}, "gate-002": {0, 5}},
		"delivery Disks full soonest":                     of(18000, 18000, "gate-003"),
		"delivery Memory and open files of the collector": {"内存 memory (B)": {1e6, 1e10}, "文件 files": {5, 1e5}},
	}
}

// shown returns what is wrong with what a panel shows; empty: nothing.
func (p prometheus) shown(panel panel, want map[string][2]float64) string {
	got := map[string]float64{}
	for _, q := range panel.Targets {
		expr := strings.ReplaceAll(q.Expr, "$gate", "gate-003")
		for name, v := range p.ask(expr, q.LegendFormat) {
			got[name] = v
		}
		if q.Range && p.points(expr) == 0 {
			return "it has no points over time: " + expr
		}
	}
	for name, limits := range want {
		if v, there := got[name]; !there || v < limits[0] || v > limits[1] {
			return fmt.Sprintf("%q is %v (%v), want %v of all: %v", name, v, there, limits, got)
		}
	}
	return ""
}

// Each expression of each panel shows how a real collector stands, which a real
// Prometheus has scraped with the configuration of deploy, and every alert is evaluated.
func TestPanelsShowWhatPrometheusScraped(t *testing.T) {
	p := startPrometheus(t, newLive(t))
	want := inCounty()
	want["gate Records waiting"] = map[string][2]float64{"": {42, 42}} // one figure; of the panel over time gate-003
	asked := 0
	for _, b := range boards() {
		for _, panel := range b.render(Prometheus).Panels {
			_, title, _ := strings.Cut(panel.Title, " ")
			key := b.id + " " + title
			w, known := want[key]
			if !known {
				t.Errorf("nobody says what %q shows", key)
			}
			if key == "gate Records waiting" && panel.Type == "timeseries" {
				w = map[string][2]float64{"gate-003": {42, 42}}
			}
			asked++
			var wrong string
			for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
				if wrong = p.shown(panel, w); wrong == "" {
					break
				}
			}
			if wrong != "" {
				t.Errorf("%s: %s", key, wrong)
			}
		}
	}
	if asked < len(want) {
		t.Errorf("%d panels, %d expected", asked, len(want))
	}
	p.testRules(t)
	p.testVariables(t)
}
