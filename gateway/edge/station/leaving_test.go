package station

import (
	"strings"
	"testing"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

// newSealed is a rig at which A and B are of a sealed household, and may come home.
func newSealed(t *testing.T) *rig {
	t.Helper()
	g := newRig(t)
	p, err := policy.Parse([]byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n" +
		"classes:\n  resident: {fever: go-home, directions: [in, out]}\nsealed: {in: allow}\n"))
	if err != nil {
		t.Fatal(err)
	}
	g.rules, err = policy.ParseRoster(p, strings.NewReader("card,class,status,household,from,until\n"+
		cardA+",resident,sealed,7,,\n"+cardB+",resident,sealed,7,,\n"), identity.SiteKey{})
	if err != nil {
		t.Fatal(err)
	}
	g.restart()
	return g
}

// leaving lets somebody tap to leave, and returns the seq of the passage.
func (g *rig) leaving(card string) uint64 {
	g.t.Helper()
	x := g.tapped(card)
	x.Direction = fact.DirectionOut
	g.observe(x)
	p := g.st.recent[len(g.st.recent)-1]
	if p.passage.Verdict != fact.VerdictRefuse {
		g.t.Fatalf("%+v", p.passage)
	}
	return p.seq
}

// answered lets the guard answer a passage.
func (g *rig) answered(action string, passage uint64) {
	g.st.note(g.h.now, note{audit: wire.Audit{Action: action, Passage: passage}, kept: make(chan error, 1)})
}

func TestOneAlarmForASealedPersonWhoTapsAgain(t *testing.T) {
	g := newSealed(t)
	first := g.leaving(cardA)
	want := leavingID(first) + " raised"
	again := first
	for range 4 {
		g.wait(9)
		again = g.leaving(cardA)
	}
	if got := g.alarms(0); got != want || again == first {
		t.Errorf("alarms %q, want %q", got, want)
	}
	g.restart()
	g.wait(9)
	again = g.leaving(cardA)
	if got := g.alarms(0); got != want {
		t.Errorf("after a restart: alarms %q, want %q", got, want)
	}
	g.answered("sent-back", again)
	all := g.bodies()
	if a, is := all[len(all)-1].(*wire.Audit); !is || a.Alarm != leavingID(first) || a.Passage != again {
		t.Errorf("the answer is %+v", all[len(all)-1])
	}
	want += ", " + leavingID(g.leaving(cardB)) + " raised"
	g.wait(leavesAgain.Seconds())
	want += ", " + leavingID(g.leaving(cardA)) + " raised"
	if got := g.alarms(0); got != want {
		t.Errorf("another person, and later: alarms %q, want %q", got, want)
	}
}

func TestWhoComesHomeRaisesNoAlarm(t *testing.T) {
	g := newSealed(t)
	g.observe(g.tapped(cardA))
	g.wait(1)
	g.observe(g.measured(3660))
	if got := g.alarms(0); got != "" {
		t.Errorf("alarms %q", got)
	}
}

// The power goes between the record of the verdict and that of its alarm.
func TestALeaverWhoseAlarmWasNotKeptIsTold(t *testing.T) {
	g := newSealed(t)
	x := g.tapped(cardA)
	x.Direction = fact.DirectionOut
	seq := g.st.keep(g.h.now, x)
	events := g.st.gate.Observe(g.h.now, seq, *x)
	passage := g.rec.Append(g.h.now, &events[0].Passage)
	g.wait(70)
	g.restart()
	g.restart()
	if got, want := g.alarms(0), leavingID(passage)+" raised"; got != want {
		t.Errorf("alarms %q, want %q", got, want)
	}
}

func TestAHandOverNamesTheCallsThatHaveNotEnded(t *testing.T) {
	g := manned(t)
	if err := g.signIn("east-1", "8053"); err != nil {
		t.Fatal(err)
	}
	g.board.SetHelp(status.Help{Calls: []status.Call{{ID: "help-called:doctor-42", Role: fact.RoleDoctor}}})
	g.board.Set(status.Condition{Type: fact.AlarmDeviceFault, Device: "reader", Detail: "x"})
	if err := g.asked(func() error { return g.st.HandOver(t.Context(), nil) }); err != nil {
		t.Fatal(err)
	}
	all := g.bodies()
	a, is := all[len(all)-1].(*wire.Audit)
	if !is || a.Action != post.HandOver ||
		strings.Join(a.Handover.Open, " ") != "help-called:doctor-42 device-fault:reader" {
		t.Errorf("%+v", all[len(all)-1])
	}
}
