package agent

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
)

// hanging is a clock that can be put ahead, and that does not say whether it is synchronised
// while hold is locked: that hangs the loops of the station and of the recorder.
type hanging struct {
	clock.System

	ahead atomic.Int64
	hold  chan struct{} // one value, which a question takes for as long as it lasts
}

func (h *hanging) Now() clock.Moment { return h.System.Now().Add(time.Duration(h.ahead.Load())) }

func (h *hanging) Synchronised() bool {
	<-h.hold
	h.hold <- struct{}{}
	return true
}

func TestALoopThatHangsIsStuckAndOneThatTurnsAgainIsNot(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	h := &hanging{hold: make(chan struct{}, 1)}
	h.hold <- struct{}{}
	a, err := New(r.cfg, Options{Ports: unplugged{}, Clock: h, HostID: "h", BootID: "b", Version: "test",
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if a.Records() {
		t.Error("it records before it runs")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	wait := func(what string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: stuck are %q of %q", what, a.Stuck(h.Now()), a.Board().Stuck(h.Now()))
			}
		}
	}
	wait("it begins", func() bool { return a.Records() && len(a.Stuck(h.Now())) == 0 })
	<-h.hold
	h.ahead.Store(int64(time.Hour)) // the recorder asks every half minute
	wait("the disk is watched all the same", func() bool { return !slices.Contains(a.Board().Stuck(h.Now()), "disk") })
	if got := a.Stuck(h.Now()); !slices.Equal(got, []string{"recorder", "station"}) {
		t.Errorf("while two loops hang, stuck are %q", got)
	}
	h.hold <- struct{}{}
	wait("they turn again", func() bool { return len(a.Stuck(h.Now())) == 0 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A restart for a disk or a county that does not answer would lose what waits in memory.
func TestOnlyPartsThatRecordCountAsStuck(t *testing.T) {
	a := &Agent{board: status.NewBoard()}
	now := clock.System{}.Now()
	for _, part := range []string{"alarms", "bridge", "command", "delivery", "disk", "help", "recorder", "station"} {
		a.board.SetTurned(part, now)
	}
	if got := a.Stuck(now.Add(status.StuckAfter)); got != nil {
		t.Errorf("in time, stuck are %q", got)
	}
	if got := a.Stuck(now.Add(status.StuckAfter + 1)); !slices.Equal(got, []string{"bridge", "recorder", "station"}) {
		t.Errorf("stuck are %q", got)
	}
}
