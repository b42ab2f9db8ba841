package recorder

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// hand is a clock that only the test moves.
type hand struct{ now clock.Moment }

func (h *hand) Now() clock.Moment  { return h.now }
func (h *hand) Synchronised() bool { return true }

// rig is a recorder with a journal on disk.
type rig struct {
	*Recorder
	t     *testing.T
	h     *hand
	free  int64        // bytes on its disk
	ahead []wire.Entry // what overtakes the backlog
	fever []bool       // whether each of these is a fever
}

func newRig(t *testing.T) *rig {
	t.Helper()
	start := clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC), Boot: time.Hour}
	g := &rig{t: t, h: &hand{start}, free: 1 << 29}
	j, report, err := journal.Open(journal.Options{Dir: t.TempDir(), HostID: "h", Log: slog.New(slog.DiscardHandler),
		DiskSpace: func(string) (int64, int64, error) { return g.free, 1 << 30, nil }}, g.h.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	g.restart(j, report)
	return g
}

// restart makes another recorder for the same journal.
func (g *rig) restart(j *journal.Journal, report journal.Report) {
	g.ahead, g.fever = nil, nil
	overtake := func(e wire.Entry, fever bool) { g.ahead, g.fever = append(g.ahead, e), append(g.fever, fever) }
	g.Recorder = New(Options{Journal: j, Board: status.NewBoard(), Overtake: overtake, Clock: g.h, BootID: "b",
		Log: slog.New(slog.DiscardHandler)}, report)
}

// rememberAll hands the recorder the alarms in the journal.
func (g *rig) rememberAll() {
	g.t.Helper()
	err := g.journal.Walk(g.journal.First(), func(raw []byte) {
		rec, err := wire.DecodeRecord(raw)
		if err != nil {
			g.t.Error(err)
		}
		body, err := rec.DecodeBody()
		if err != nil {
			g.t.Error(err)
		}
		if al, ok := body.(*wire.Alarm); ok {
			g.Remember(rec, raw, al)
		}
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

// recorded returns the alarms in the journal, in order.
func (g *rig) recorded() (out []string) {
	g.t.Helper()
	if err := g.journal.Sync(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	c, err := g.journal.Read(1, 1000, 1<<20)
	if err != nil && !errors.Is(err, journal.ErrClosed) {
		g.t.Fatal(err)
	}
	for _, e := range c.Entries {
		if body, err := e.Record.DecodeBody(); err == nil && e.Record.Kind == wire.KindAlarm {
			a := body.(*wire.Alarm)
			out = append(out, a.ID+" "+string(a.State))
		}
	}
	return out
}

// A restart used to deliver alarms that the county did not know of with the
// backlog.
func TestAlarmsWithoutAcknowledgementOvertakeAgainAfterARestart(t *testing.T) {
	g := newRig(t)
	for i := range 4 {
		g.Append(g.h.now, &wire.Clock{Reason: "start", BootID: "b"})
		al := &wire.Alarm{ID: fmt.Sprint("x", i), Type: fact.AlarmDeviceGone, Device: "reader", State: fact.AlarmRaised}
		if i == 2 {
			al = &wire.Alarm{ID: "f", Type: fact.AlarmFever, State: fact.AlarmRaised, Passage: 5}
		}
		if _, err := g.TryAppend(g.h.now, al); err != nil {
			t.Fatal(err)
		}
	}
	before := g.ahead // seqs 2, 4, 6, 8
	if err := g.journal.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.journal.Acknowledge(g.h.now, journal.State{Through: 4, Store: "s", Term: 1}); err != nil {
		t.Fatal(err)
	}
	g.restart(g.journal, journal.Report{})
	g.rememberAll()
	if len(g.ahead) != 2 || !slices.Equal(g.fever, []bool{true, false}) {
		t.Fatalf("%+v %v", g.ahead, g.fever)
	}
	for i, e := range g.ahead {
		if want := before[2+i]; e.Record.Seq != want.Record.Seq || string(e.Raw) != string(want.Raw) {
			t.Errorf("seq %d goes ahead as %s", e.Record.Seq, e.Raw)
		}
	}
}

// The disk holds up one part for two seconds, and another part writes first.
func TestAPartThatWaitedToWriteStartsNoEra(t *testing.T) {
	g := newRig(t)
	g.Append(g.h.now.Add(2*time.Second), &wire.Clock{Reason: "start", BootID: "b"})
	g.Append(g.h.now, &wire.Clock{Reason: "start", BootID: "b"})
	if err := g.journal.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := g.journal.Read(1, 10, 1<<20)
	if err != nil || len(c.Entries) != 2 {
		t.Fatal(c, err)
	}
	first, second := c.Entries[0].Record, c.Entries[1].Record
	if second.Era != first.Era || !second.At.After(first.At.Time) {
		t.Errorf("%s in era %d, then %s in era %d", first.At, first.Era, second.At, second.Era)
	}
}

func TestAStepOfTheWallClockIsRecorded(t *testing.T) {
	g := newRig(t)
	steps := func() (n int) {
		if err := g.journal.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		c, err := g.journal.Read(1, 1000, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Entries {
			body, err := e.Record.DecodeBody()
			if err != nil {
				t.Fatal(err)
			}
			if c, ok := body.(*wire.Clock); ok && c.Reason == "step" && c.StepMS == 3000 {
				n++
			}
		}
		return n
	}
	g.Begin(g.h.now, func(string) bool { return true })
	g.h.now = g.h.now.Add(time.Second)
	g.Turn(g.h.now)
	if n := steps(); n != 0 {
		t.Fatalf("%d steps of a clock that runs", n)
	}
	for range 2 { // the second turn sees no step
		g.h.now = g.h.now.Add(time.Second)
		g.h.now.Wall = g.h.now.Wall.Add(3 * time.Second)
		g.Turn(g.h.now)
		g.h.now = g.h.now.Add(time.Second)
		g.Turn(g.h.now)
	}
	if n := steps(); n != 2 {
		t.Errorf("%d steps of 3 s are recorded, want 2", n)
	}
}
