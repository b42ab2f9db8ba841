package agent

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// roster returns one of 60,000 cards, with a line in their middle.
func roster(line string) []byte {
	var b strings.Builder
	b.WriteString("card,class,status,household,from,until\n")
	for i := range 60_000 {
		if i == 30_000 && line != "" {
			b.WriteString(line + "\n")
			continue
		}
		fmt.Fprintf(&b, "62%08X,resident,active,%d,,\n", i, i/4)
	}
	return []byte(b.String())
}

func (r *rig) write(path string, text []byte) {
	r.t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// startRules runs an agent, and returns how many people it knows and the alarm's detail.
func (r *rig) startRules() (people int, detail string) {
	r.t.Helper()
	f, err := readFiles(r.cfg, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	r.run(func(_ context.Context, a *Agent) { detail = a.Board().Detail(fact.AlarmRulesRefused) },
		func(a *Agent) bool { return a.Board().Snapshot().Turned != 0 })
	return f.rules.People(), detail
}

// A roster of 60,000 with one bad line is refused with the line's number; the old one
// stays in force, however often the agent restarts, and the trouble is shown until the
// file is mended.
func TestAWrongRosterLeavesTheOldOneInForce(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	if people, detail := r.startRules(); people != 1 || detail != "" {
		t.Fatalf("at first: %d people, %q", people, detail)
	}
	right, err := os.ReadFile(r.cfg.Roster)
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(r.cfg.Policy)
	if err != nil {
		t.Fatal(err)
	}
	r.write(r.cfg.Roster, roster("62FFFFFFFF,tenant,active,,,"))
	for range 2 {
		people, detail := r.startRules()
		if people != 1 || !strings.Contains(detail, `line 30002: class "tenant" is not in the policy`) ||
			!strings.Contains(detail, "policy 1 of before stays in force") {
			t.Fatalf("with a bad line: %d people, %q", people, detail)
		}
	}
	r.write(r.cfg.Policy, []byte("version: x\n"))
	r.write(r.cfg.Roster, right)
	if people, detail := r.startRules(); people != 1 || !strings.Contains(detail, "classes: none are given") {
		t.Errorf("with a bad policy: %d people, %q", people, detail)
	}
	if got := r.alarms(); !strings.Contains(got, "rules-refused raised") ||
		strings.Contains(got, "rules-refused cleared") {
		t.Errorf("alarms: %s", got)
	}
	r.write(r.cfg.Policy, good)
	r.write(r.cfg.Roster, roster(""))
	if people, detail := r.startRules(); people != 60_000 || detail != "" {
		t.Errorf("mended: %d people, %q", people, detail)
	}
	if got := r.alarms(); !strings.HasSuffix(got, "rules-refused cleared") {
		t.Errorf("alarms: %s", got)
	}
}

func TestAnAgentThatNeverHadRulesDoesNotStart(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	r.write(r.cfg.Roster, roster("62FFFFFFFF,tenant,active,,,"))
	if _, err := readFiles(r.cfg, time.Now()); err == nil || !strings.Contains(err.Error(), "line 30002") {
		t.Errorf("%v", err)
	}
	r.write(r.cfg.Roster, roster(""))
	r.write(r.cfg.Policy, []byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n"+
		"classes:\n  resident: {fever: go-home, directions: [in, out], quota: {exits: 1, days: 9, per: card}}\n"))
	r.cfg.Station.Devices[0].Direction = "out"
	if _, err := readFiles(r.cfg, time.Now()); err == nil || !strings.Contains(err.Error(), "write keep_days: 9") {
		t.Errorf("%v", err)
	}
	r.cfg.KeepDays = 9
	if _, err := readFiles(r.cfg, time.Now()); err != nil {
		t.Error(err)
	}
}

// An agent whose rules let nobody pass says so, until it starts with others.
func TestAnAgentSaysThatNobodyCanPass(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	roster, err := os.ReadFile(r.cfg.Roster)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := bytes.Cut(roster, []byte("\n"))
	for _, c := range []struct {
		roster []byte
		kiosk  string
		want   string // in the detail
		alarms string
	}{
		{append(head, '\n'), "127.0.0.1:8090", "lists nobody", "nobody-passes raised"},
		{roster, "", "no guard's screen", ""},
		{roster, "127.0.0.1:8090", "", "nobody-passes cleared"},
	} {
		if err := os.WriteFile(r.cfg.Roster, c.roster, 0o600); err != nil {
			t.Fatal(err)
		}
		r.cfg.Kiosk.Listen = c.kiosk
		locked, err := Check(r.cfg, time.Now())
		if err != nil || !strings.Contains(locked, c.want) || (locked == "") != (c.want == "") {
			t.Errorf("%q, %v, want %q", locked, err, c.want)
		}
		detail := "?"
		r.run(func(_ context.Context, a *Agent) { detail = a.Board().Detail(fact.AlarmNobodyPasses) }, turned)
		if detail != locked {
			t.Errorf("the board has %q, want %q", detail, locked)
		}
		if got := r.alarms(); !strings.Contains(got, c.alarms) {
			t.Errorf("alarms: %s, want %s", got, c.alarms)
		}
	}
	if err := os.WriteFile(r.cfg.Roster, append(roster, "x\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(r.cfg, time.Now()); err == nil || !strings.Contains(err.Error(), "line ") {
		t.Errorf("a roster with a bad line: %v", err)
	}
}
