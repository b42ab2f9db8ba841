package bridge

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// hand is a clock that only the test moves.
type hand struct{ now clock.Moment }

func (h *hand) Now() clock.Moment  { return h.now }
func (h *hand) Synchronised() bool { return true }

// memory is a journal without a disk.
type memory struct{ bodies []wire.Body }

func (m *memory) Append(_ clock.Moment, body wire.Body) uint64 {
	m.bodies = append(m.bodies, body)
	return uint64(len(m.bodies))
}

// states returns the device states in the journal, in order.
func (m *memory) states() (out []fact.DeviceState) {
	for _, body := range m.bodies {
		if h, ok := body.(*wire.Health); ok {
			out = append(out, h.State)
		}
	}
	return out
}

// runStates returns the states of the runs in the journal, in order.
func (m *memory) runStates() (out []fact.RunState) {
	for _, body := range m.bodies {
		if r, ok := body.(*wire.Run); ok {
			out = append(out, r.State)
		}
	}
	return out
}

// rig is a bridge to one drone, whose link the test plays.
type rig struct {
	*Bridge
	t       *testing.T
	h       *hand
	journal *memory
	board   *status.Board
}

func newRig(t *testing.T) *rig {
	t.Helper()
	start := clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC), Boot: time.Hour}
	g := &rig{t: t, h: &hand{start}, journal: &memory{}}
	g.start()
	return g
}

// start makes a bridge, also after an earlier one, and hands it what that one
// recorded.
func (g *rig) start() {
	g.t.Helper()
	g.board = status.NewBoard()
	drone := machine.Config{Machine: "drone-1", Name: "1号", Type: "drone",
		Idle: 5 * time.Second, Pause: 20 * time.Second}
	b, err := New(Config{Machines: []machine.Config{drone}}, Options{Journal: g.journal, Board: g.board, Clock: g.h,
		BootID: "b", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		g.t.Fatal(err)
	}
	for _, body := range slices.Clone(g.journal.bodies) {
		b.Remember(body)
	}
	b.Begin(g.h.now)
	g.Bridge = b
}

// run lets seconds pass; the drone reports each of them, unless values is nil.
func (g *rig) run(seconds int, values func(second int) runs.Sample) {
	for i := range seconds {
		g.h.now = g.h.now.Add(time.Second)
		if values != nil {
			g.take(g.h.now, sample{machine: "drone-1", values: values(i)})
		}
		g.turn(g.h.now)
	}
}

func spraying(int) runs.Sample {
	return runs.Sample{Values: fact.Values{Armed: new(true), Command: new(true), Flow: new(2.0)}}
}

func TestAMachineIsGoneWhenNothingComes(t *testing.T) {
	g := newRig(t)
	g.run(30, nil)
	if got := g.journal.states(); len(got) != 0 {
		t.Fatalf("nothing has come yet, and it is %v", got)
	}
	g.run(2, spraying)
	g.run(15, nil)
	if got := g.journal.states(); !slices.Equal(got, []fact.DeviceState{fact.DeviceOK}) {
		t.Fatalf("within 15 s: %v", got)
	}
	g.run(1, nil)
	g.run(1, spraying)
	want := []fact.DeviceState{fact.DeviceOK, fact.DeviceGone, fact.DeviceOK}
	if got := g.journal.states(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestARunIsRecordedAndTakenUpAfterARestart(t *testing.T) {
	g := newRig(t)
	g.run(30, spraying)
	before := len(g.journal.runStates())
	if before == 0 {
		t.Fatal("no run is open")
	}
	g.start()
	g.run(5, spraying)
	g.run(60, nil)
	got := g.journal.runStates()
	if len(got) <= before || got[len(got)-1] != fact.RunClosed || slices.Contains(got[:len(got)-1], fact.RunClosed) {
		t.Errorf("the run's states: %v", got)
	}
	ids := map[string]bool{}
	for _, body := range g.journal.bodies {
		if r, ok := body.(*wire.Run); ok {
			ids[r.ID] = true
		}
	}
	if len(ids) != 1 {
		t.Errorf("runs %v, want one", ids)
	}
}

func TestAFaultOfAMachineIsAConditionOnceItReports(t *testing.T) {
	g := newRig(t)
	earlier := status.Condition{Type: fact.AlarmMachineFault, Device: "drone-1", Detail: "motor"}
	g.board.Restore(earlier, true)
	g.run(10, nil)
	if got := g.board.Conditions()["machine-fault:drone-1"]; got != earlier {
		t.Errorf("nothing has come, and the condition is %+v", got)
	}
	g.run(2, func(int) runs.Sample {
		s := spraying(0)
		s.Fault = "pump"
		return s
	})
	if got := g.board.Conditions()["machine-fault:drone-1"].Detail; got != "pump" {
		t.Errorf("the detail is %q", got)
	}
	if m := g.board.Snapshot().Machines; len(m) != 1 || m[0].Machine != "drone-1" {
		t.Errorf("the board has %+v", m)
	}
}

func TestBadFramesAreCounted(t *testing.T) {
	g := newRig(t)
	for range 3 {
		g.take(g.h.now, sample{machine: "drone-1", err: errors.New("bad checksum")})
	}
	g.take(g.h.now, sample{machine: "stranger", err: errors.New("not ours")})
	g.run(1, spraying)
	if h, ok := g.journal.bodies[0].(*wire.Health); !ok || h.BadFrames != 3 {
		t.Errorf("%+v", g.journal.bodies[0])
	}
}

func TestASourceThatEndsIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		ctx, cancel := context.WithCancel(t.Context())
		starts := 0
		g.sources = []source{{"broken", func(context.Context, func(string, runs.Sample, error)) error {
			starts++
			return errors.New("no such port")
		}}}
		done, restored := make(chan struct{}), make(chan struct{})
		close(restored)
		go func() { defer close(done); g.Run(ctx, restored) }()
		time.Sleep(12 * time.Second)
		cancel()
		<-done
		if starts != 3 { // after 0, 5 and 10 s
			t.Errorf("started %d times", starts)
		}
	})
}
