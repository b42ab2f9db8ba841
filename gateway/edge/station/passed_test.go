package station

import (
	"strings"
	"testing"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
)

// The household may come in once a day. Whatever restarts, and whenever: A's passage
// counts, once.
func TestARestartForgetsNobodyWhoHasPassed(t *testing.T) {
	once := twoResidents(t, ", quota: {entries: 1, days: 1, per: household}")
	// By these nobody may come in now, so that A's passage is decided otherwise when it
	// is gone through again.
	strict := twoResidents(t, ", quota: {entries: 1, days: 1, per: household}, "+
		"windows: [{from: \"00:00\", until: \"00:01\"}]")
	for name, interrupt := range map[string]func(g *rig){
		"none":                       func(*rig) {},
		"at once":                    (*rig).restart,
		"a minute later":             func(g *rig) { g.wait(90); g.restart() },
		"twice":                      func(g *rig) { g.restart(); g.wait(1); g.restart() },
		"to other rules and back":    func(g *rig) { g.restartWith(twoResidents(g.t, "")); g.restartWith(once) },
		"the computer":               func(g *rig) { g.restart(); g.h.now.Boot = 0; g.wait(1); g.restart() },
		"to stricter rules and back": func(g *rig) { g.restartWith(strict); g.restartWith(once) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t)
			g.rules = once
			g.restart()
			g.observe(g.tapped(cardA))
			g.wait(1)
			g.observe(g.measured(3650))
			interrupt(g)
			g.wait(3)
			g.observe(g.tapped(cardB))
			g.observe(g.measured(3650))
			all := strings.Join(g.passages, "\n")
			if strings.Count(all, "pass ") != 1 || !strings.Contains(all, "quota-used") {
				t.Errorf("passages:\n%s", all)
			}
		})
	}
}

// restartWith restarts the agent with other rules.
func (g *rig) restartWith(r *policy.Rules) {
	g.rules = r
	g.restart()
}

func TestThePastCountsOnlyWhereARuleAsks(t *testing.T) {
	g := newRig(t)
	if g.st.NeedsPassed() {
		t.Error("no rule asks what has passed")
	}
	g.rules = twoResidents(t, ", anti_passback: hard")
	g.restart()
	if !g.st.NeedsPassed() {
		t.Error("anti-passback asks what has passed")
	}
	g.st.gate.SetSynchronised(clock.Moment{}, false)
	g.st.gate.Remember(gate.Earlier{})
	g.st.turn(g.h.now)
	g.observe(g.tapped(cardA))
	g.observe(g.measured(3650))
	if all := strings.Join(g.passages, "\n"); strings.Contains(all, "clock") {
		t.Errorf("the clock is synchronised again:\n%s", all)
	}
}

func TestWhatAPolicyAsksOfTheGate(t *testing.T) {
	quota := twoResidents(t, ", quota: {entries: 1, days: 1, per: card}").Policy
	before := twoResidents(t, ", before: [{lane: wash, within: 5m}], quota: {entries: 1, days: 1, per: card}").Policy
	reader := Device{Name: "r", Model: "rdm6300", Port: "p"}
	in, wash := reader, reader
	in.Direction, in.Lane, wash.Lane = "in", "gate", "wash"
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"a reader for both ways": {Config{Devices: []Device{reader}}, "device r is for both ways"},
		"a lane for one way":     {Config{Lanes: []Lane{{Name: "l", Direction: "in"}}, Devices: []Device{reader}}, ""},
	} {
		if err := c.cfg.CheckRules(quota); (err == nil) != (c.want == "") || err != nil &&
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	both := Config{Lanes: []Lane{{Name: "gate"}, {Name: "wash"}}, Devices: []Device{in, wash}}
	if err := both.CheckRules(before); err != nil {
		t.Errorf("the lane that comes first needs no direction: %v", err)
	}
	both.Lanes = both.Lanes[:1]
	if err := both.CheckRules(before); err == nil || !strings.Contains(err.Error(), `no lane "wash"`) {
		t.Errorf("a lane that is not there: %v", err)
	}
}
