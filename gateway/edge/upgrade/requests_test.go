package upgrade

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/wire"
)

const dpkgList = `Package: gatehouse-kiosk
Status: install ok installed
Version: 9.9

Package: adduser
Status: install ok installed
Version: 3.134

Package: gatehouse
Status: install ok installed
Description: agent
 Version: 7
Version: 1.3.0-1
`

// gateComputer is the place of an agent that was installed as a package, and its requests.
func gateComputer(t *testing.T) (Place, *Requests) {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	key, err := openpgp.NewKey("gatehouse qinghe", t0)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"status": dpkgList, "packages.asc": string(public),
		"upgrade.yaml": "url: https://desk.county.example/packages\n", "wants": ""} {
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := Place{Dir: at("state"), AgentDir: at("agent"), Config: at("upgrade.yaml"), Packages: at("status"),
		Wants: at("wants"), Program: "/usr/bin/gatehouse", Running: "/usr/bin/gatehouse"}
	if err := os.Mkdir(p.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return p, NewRequests(p)
}

// change prepares a computer for a case.
type change func(t *testing.T, p Place)

func writes(file func(Place) string, text string) change {
	return func(t *testing.T, p Place) {
		t.Helper()
		if err := os.WriteFile(file(p), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func removes(file func(Place) string) change {
	return func(t *testing.T, p Place) {
		t.Helper()
		if err := os.Remove(file(p)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatAnAgentAsksFor(t *testing.T) {
	none := func(*testing.T, Place) {}
	list := func(p Place) string { return p.Packages }
	config := func(p Place) string { return p.Config }
	former := func(t *testing.T, p Place) {
		t.Helper()
		if err := Ask(p.AgentDir, Request{ID: "former", Version: "1.3.9"}); err != nil {
			t.Fatal(err)
		}
	}
	for what, c := range map[string]struct {
		version string
		set     change
		want    fact.CommandWhy
	}{
		"a later version":  {"1.4.0", none, ""},
		"the next packing": {"1.3.0-2", none, ""},
		"the same":         {"1.3.0-1", none, fact.CommandSame},
		"an earlier one":   {"1.3.0~rc1", none, fact.CommandEarlier},
		"no version":       {"../1.4.0", none, fact.CommandVersion},
		"no package": {"1.4.0", writes(list, "Package: gatehouse\nStatus: deinstall ok config-files\nVersion: 1\n"),
			fact.CommandNoPackage},
		"no dpkg":          {"1.4.0", removes(list), fact.CommandNoPackage},
		"no key":           {"1.4.0", removes(config), fact.CommandNoKey},
		"a wrong key":      {"1.4.0", writes(config, "url: x\n"), fact.CommandNoKey},
		"nobody waits":     {"1.4.0", removes(func(p Place) string { return p.Wants }), fact.CommandNoService},
		"one is on":        {"1.4.0", state(Installing), fact.CommandUpgrading},
		"the last ended":   {"1.4.0", state(Back), ""},
		"one is asked for": {"1.4.0", former, fact.CommandUpgrading},
		"a state that nobody can read": {"1.4.0", writes(func(p Place) string {
			return filepath.Join(p.Dir, stateFile)
		}, "{"), fact.CommandUpgrading},
		"no room": {"1.4.0", writes(func(p Place) string { return p.AgentDir }, ""), fact.CommandDisk},
	} {
		t.Run(what, func(t *testing.T) {
			p, r := gateComputer(t)
			c.set(t, p)
			why, detail := r.Ask(t0, "command-00000001", c.version)
			if why != c.want {
				t.Fatalf("%q (%s), want %q", why, detail, c.want)
			}
			q, ok, err := Take(p.AgentDir)
			if c.want == "" && (!ok || err != nil || q != (Request{"command-00000001", c.version})) {
				t.Errorf("asked for %+v, %v, %v", q, ok, err)
			}
			if c.want != "" && q.ID == "command-00000001" {
				t.Errorf("refused, and asked for %+v", q)
			}
		})
	}
}

func TestWhoCanAskForNothing(t *testing.T) {
	p, _ := gateComputer(t)
	p.Running = "/home/it/gatehouse"
	if why, _ := NewRequests(p).Ask(t0, "command-00000001", "1.4.0"); why != fact.CommandNoPackage {
		t.Errorf("a program beside the package: %q", why)
	}
	if NewRequests(Place{}) != nil {
		t.Error("requests at no place")
	}
}

// state returns what leaves an upgrade in a phase.
func state(phase Phase) change {
	return func(t *testing.T, p Place) {
		t.Helper()
		s := Begin("command-00000000", "1.3.0-1", "1.4.0", nil, t0)
		s.Phase, s.Why = phase, "why\nso"
		if err := write(p.Dir, s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHowAComputerStandsToUpgrades(t *testing.T) {
	p, r := gateComputer(t)
	if u := r.Report(t0); u != (wire.Upgrade{Package: "1.3.0-1"}) {
		t.Errorf("before any: %+v", u)
	}
	if why, _ := r.Ask(t0, "command-00000001", "1.4.0"); why != "" {
		t.Fatal(why)
	}
	if u := r.Report(t0); u.State != fact.UpgradeAsked || u.ID != "command-00000001" || u.To != "1.4.0" || u.At == nil {
		t.Errorf("asked for: %+v", u)
	}
	if err := Refuse(p.Dir, p.AgentDir, fmt.Errorf("no key"), t0); err != nil {
		t.Fatal(err)
	}
	if u := r.Report(t0); u.State != fact.UpgradeUnchanged || u.ID != "command-00000001" || u.Why != "no key" {
		t.Errorf("refused: %+v", u)
	}
	for _, phase := range []Phase{Fetching, Installing, Checking, GoingBack, Done, Unchanged, Back, Stuck} {
		state(phase)(t, p)
		u := r.Report(t0)
		if u.State != fact.UpgradeState(phase) || !u.State.Valid() || u.Why != "why so" ||
			u.State.Ended() != phase.Ended() {
			t.Errorf("%s: %+v", phase, u)
		}
	}
	if err := os.Remove(p.Wants); err != nil {
		t.Fatal(err)
	}
	if u := r.Report(t0.Add(time.Second)); u.Lacks != "" {
		t.Errorf("it looks at each heartbeat: %+v", u)
	}
	if u := r.Report(t0.Add(lookEvery)); u.Lacks != fact.CommandNoService {
		t.Errorf("after a minute: %+v", u)
	}
}

// What was cut off is not covered up, and without a request there is nothing to refuse.
func TestARefusalCoversNothingUp(t *testing.T) {
	p, _ := gateComputer(t)
	if err := Refuse(p.Dir, p.AgentDir, os.ErrInvalid, t0); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := Read(p.Dir); ok || err != nil {
		t.Errorf("a state of nothing: %v", err)
	}
	state(Installing)(t, p)
	if err := Ask(p.AgentDir, Request{ID: "command-00000001", Version: "1.4.0"}); err != nil {
		t.Fatal(err)
	}
	if err := Refuse(p.Dir, p.AgentDir, os.ErrInvalid, t0); err != nil {
		t.Fatal(err)
	}
	if s, _, err := Read(p.Dir); err != nil || s.Phase != Installing || s.ID != "command-00000000" {
		t.Errorf("%+v, %v", s, err)
	}
}
