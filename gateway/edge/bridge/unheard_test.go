package bridge

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse/devices/unheard"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// say hands the bridge an error of a source.
func (g *rig) say(source string, err error) {
	g.take(g.h.now, sample{source: source, machine: "drone-1", err: err})
	g.turn(g.h.now)
}

func (g *rig) unheard() string { return g.board.Conditions()["machine-unheard:drone-1"].Detail }

// garbled is an error of a link after so many seconds, wrapped as links do.
func garbled(seconds int, try string) error {
	report := unheard.Report{For: time.Duration(seconds) * time.Second, Bytes: 900, Sample: "00ff"}
	return fmt.Errorf("mavlink: %w", &unheard.Error{Report: report, Try: try})
}

func TestAMachineThatNobodyUnderstandsIsACondition(t *testing.T) {
	g := newRig(t)
	g.say("radio", garbled(10, "try baud 115200"))
	first := g.unheard()
	if want := "900 bytes in 10 s, and no message among them (the newest: 00ff): try baud 115200"; first != want {
		t.Fatalf("the condition is %q", first)
	}
	if m := g.board.Snapshot().Machines[0]; m.State != fact.MachineGone || m.Fault != first {
		t.Errorf("the beat says %+v", m)
	}
	if got := g.board.Conditions()["machine-fault:drone-1"].Detail; got != "" {
		t.Errorf("it reported no fault, and the condition is %q", got)
	}
	g.say("radio", garbled(20, "try baud 115200"))
	if got := g.unheard(); got != first || len(g.journal.bodies) != 1 {
		t.Errorf("said again: %q, %d records", got, len(g.journal.bodies))
	}
	if h, ok := g.journal.bodies[0].(*wire.Health); !ok || h.State != fact.DeviceGone || h.Detail != first {
		t.Errorf("the record is %+v", g.journal.bodies[0])
	}
	g.say("radio", garbled(30, "set the key"))
	if got := g.unheard(); got == first || len(g.journal.bodies) != 2 {
		t.Errorf("another advice: %q, %d records", got, len(g.journal.bodies))
	}
	g.take(g.h.now, sample{source: "radio", machine: "drone-1", values: spraying(0)})
	g.turn(g.h.now)
	if got := g.unheard(); got != "" || g.state() != fact.DeviceOK {
		t.Errorf("understood: %q, %s", got, g.state())
	}
}

func (g *rig) state() fact.DeviceState { return g.byMachine["drone-1"].state }

func TestOneSourceThatNobodyUnderstandsBesideAnother(t *testing.T) {
	g := newRig(t)
	for range 20 {
		g.run(1, spraying)
		g.say("gps", garbled(10, "try baud 4800"))
	}
	if g.unheard() == "" || !slices.Equal(g.journal.states(), []fact.DeviceState{fact.DeviceOK}) {
		t.Errorf("the condition is %q, the states %v", g.unheard(), g.journal.states())
	}
	if m := g.board.Snapshot().Machines[0]; m.State == fact.MachineGone || m.Fault != "" {
		t.Errorf("the beat says %+v", m)
	}
	g.take(g.h.now, sample{source: "gps", machine: "drone-1", err: errors.New("bad checksum")})
	if g.turn(g.h.now); g.unheard() == "" {
		t.Error("an error ends the condition")
	}
	for range 16 {
		g.h.now = g.h.now.Add(time.Second)
		g.turn(g.h.now)
	}
	want := []fact.DeviceState{fact.DeviceOK, fact.DeviceGone}
	last, ok := g.journal.bodies[len(g.journal.bodies)-1].(*wire.Health)
	if !ok || !slices.Equal(g.journal.states(), want) || last.Detail != g.unheard() {
		t.Errorf("silent: %v, %+v", g.journal.states(), last)
	}
}
