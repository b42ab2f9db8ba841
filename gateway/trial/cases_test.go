package trial

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const packs = "../../deploy/policy/"

func TestThePacksDecideAsTheirCasesSay(t *testing.T) {
	for name, least := range map[string]int{"closed-compound": 80, "farm-biosecurity": 20} {
		s, err := Load(packs+name+".cases.yaml", "", "")
		if err != nil {
			t.Fatal(err)
		}
		outcomes := s.Run()
		if len(outcomes) < least {
			t.Errorf("%s has %d cases, want %d", name, len(outcomes), least)
		}
		for _, o := range outcomes {
			if len(o.Wrong) > 0 || o.Line == 0 {
				t.Errorf("%s, line %d: %s: %q", name, o.Line, o.Name, o.Wrong)
			}
		}
	}
}

// Each rule of a pack is asked for by a case: without it, or with another number, a
// case fails.
func TestTheCasesNoticeWhenARuleChanges(t *testing.T) {
	for pack, changes := range map[string][][2]string{
		"closed-compound": {
			{`from: "06:00", until: "20:00"`, `from: "06:01", until: "20:00"`},
			{`from: "06:00", until: "20:00"`, `from: "06:00", until: "20:01"`},
			{"exits: 1, days: 2", "exits: 2, days: 2"}, {"exits: 1, days: 2", "exits: 1, days: 3"},
			{"exits: 1, days: 2", "exits: 1, days: 1"}, {"per: household", "per: card"},
			{"anti_passback: hard", "anti_passback: soft"}, {"amnesty: 12h", "amnesty: 11h"},
			{"exits: 4, days: 1", "exits: 3, days: 1"}, {"exits: 4, days: 1", "exits: 5, days: 1"},
			{"purposes: [medical, work, funeral]", "purposes: [medical, work, ' ']"},
			{"entries: 6", "entries: 7"}, {"entries: 6", "entries: 5"}, {`"13:30"`, `"12:00"`},
			{"days: [mon, tue, wed, thu, fri]", "days: [mon, tue, wed, thu, fri, sat]"},
			{"in: allow", "in: deny"}, {"visits: [medical, care]", "visits: [medical]"},
			{"openings: declared", "openings: none"}, {"pass: identify", "pass: deny"},
			{"unsynchronised: last-known-day", "unsynchronised: own-clock"},
			{"fever_c: 37.3", "fever_c: 37.2"}, {"invalid_below_c: 35.0", "invalid_below_c: 33.0"},
			{"spreads: 3", "spreads: 4"}, {"spreads: 3", "spreads: 2"}, {"baseline: {readings: 50, spreads: 3",
				"check: {} # {"},
		},
		"farm-biosecurity": {
			{"within: 30m", "within: 29m"}, {"within: 30m", "within: 31m"}, {"days: 3", "days: 2"},
			{"{lane: wash, within: 2h, at: [dryer, vehicles]", "{lane: wash, within: 2h, at: [vehicles]"},
			{"purposes: [treatment, sampling]", "purposes: [sampling, ' ']"},
		},
	} {
		text, err := os.ReadFile(packs + pack + ".policy.yaml")
		if err != nil {
			t.Fatal(err)
		}
		s, err := Load(packs+pack+".cases.yaml", "", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			changed := strings.Replace(string(text), c[0], c[1], 1)
			file := filepath.Join(t.TempDir(), "policy.yaml")
			if err := os.WriteFile(file, []byte(changed), 0o600); err != nil || changed == string(text) {
				t.Fatal(c, err)
			}
			if s.rules, err = Rules(file, packs+pack+".roster.csv"); err != nil {
				continue // a roster that no longer fits is noticed, too
			}
			wrong := 0
			for _, o := range s.Run() {
				wrong += len(o.Wrong)
			}
			if wrong == 0 {
				t.Errorf("%s: no case fails with %s", pack, c[1])
			}
		}
	}
}

func TestWhatIsWrongInAFileOfCasesIsSaidWithItsLine(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("p.yaml", "version: '1'\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n"+
		"classes: {resident: {fever: go-home, directions: [in, out]}}\n")
	write("r.csv", "card,class,status,household,from,until\n6200000001,resident,active,,,\n")
	const good = "policy: p.yaml\nroster: r.csv\npeople: {a: \"6200000001\"}\nlanes: [{name: gate}]\ncases:\n" +
		"  - name: one\n    given: [{at: \"2020-02-14 07:00\", who: a, goes: in}]\n" +
		"    when: {at: \"2020-02-14 08:00\", who: a, goes: out}\n    then: {verdict: pass}\n"
	s, err := Load(write("c.yaml", good), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if o := s.Run(); len(o) != 1 || len(o[0].Wrong) != 0 || o[0].Got != "pass (normal), go, by classes.resident" {
		t.Errorf("%+v", o)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"nobody known":    {"who: a, goes: in", "who: b, goes: in", `line 6: one: step 1: who "b" is not listed`},
		"a time":          {"14 08:00", "14 25:00", "line 6: one: step 2: at"},
		"a way":           {"goes: out", "goes: up", `goes "up": write in or out`},
		"a lane":          {"goes: out", "lane: x", `lane "x" is not listed under lanes`},
		"a temperature":   {"goes: out", "temperature: warm", `temperature "warm"`},
		"a clock":         {"goes: out", "clock: fast", `clock "fast"`},
		"a restart":       {"goes: out", "restart: all", `restart "all"`},
		"a verdict":       {"verdict: pass", "verdict: maybe", `then.verdict "maybe"`},
		"no name":         {"name: one", "name: ''", "name: is missing"},
		"then in when":    {"goes: out}", "then: {verdict: pass}}", "write then beside when"},
		"an unknown key":  {"goes: out", "gose: out", "gose"},
		"no policy":       {"p.yaml", "x.yaml", "x.yaml"},
		"a wrong verdict": {"verdict: pass", "verdict: refuse", "want refuse; got pass (normal), go"},
		"a rule":          {"{verdict: pass}", "{verdict: pass, rule: default}", "want by default; got pass"},
		"given fails":     {"who: a, goes: in}", "who: a, temperature: 38.0}", "step 1 (a): want pass; got fever"},
		"next":            {"{verdict: pass}", "{verdict: pass, next: 2020-02-15 00:00}", "again from 2020-02-15"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		s, err := Load(write("c.yaml", text), "", "")
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = strings.Join(s.Run()[0].Wrong, "\n")
		}
		if text == good || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %q", name, got, c.want)
		}
	}
}
