package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// stuck is a store that does not answer for one machine.
type stuck struct {
	*archive.Archive
	machine string
}

func (s stuck) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	if len(batches) > 0 && batches[0].Agent == s.machine {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.Archive.Commit(ctx, batches)
}

func TestAMachineThatTakesLongDelaysOnlyItself(t *testing.T) {
	held, err := archive.OpenSQLite(filepath.Join(t.TempDir(), "store.db"))
	must(t, err)
	defer held.Close()
	taker, err := Open(t.Context(), Options{County: "qinghe", Path: filepath.Join(t.TempDir(), "reports.db"),
		Store: stuck{held, "fogger-1"}, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- taker.Run(ctx) }()
	var others sync.WaitGroup
	var kept, lost atomic.Int64
	for n := range 300 {
		for id := range 5 {
			m := mqtt.Message{Topic: wire.Topic("qinghe", fmt.Sprintf("fogger-%d", id+1), wire.LeafReport),
				Payload: []byte(report(n % 100))}
			if id == 0 {
				taker.Put(m, func(bool) { lost.Add(1) })
				continue
			}
			others.Add(1)
			taker.Put(m, func(stored bool) {
				if stored {
					kept.Add(1)
				}
				others.Done()
			})
		}
	}
	done := make(chan struct{})
	go func() { others.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("the other machines wait for the one that is stuck")
	}
	if kept.Load() != 1200 || lost.Load() != 0 {
		t.Errorf("%d of 1200 are stored; of the stuck machine %d were ended", kept.Load(), lost.Load())
	}
	cancel()
	must(t, <-ended)
	must(t, taker.Close())
}

func TestTheMessagesOfAMachineKeepTheirOrder(t *testing.T) {
	q := newLanes()
	put := func(id string, n int) { q.put(id, waiting{Message: mqtt.Message{Payload: fmt.Append(nil, n)}}) }
	for n := range most + 1 {
		put("a", n)
	}
	put("b", 0)
	q.tick("a")
	l, first, tick := q.next()
	if l.machine != "a" || len(first) != most || tick {
		t.Fatalf("machine %s, %d messages, tick %t", l.machine, len(first), tick)
	}
	put("a", most+1)
	other, second, _ := q.next()
	if other.machine != "b" || len(second) != 1 {
		t.Fatalf("machine %s before the one that waits", other.machine)
	}
	q.done(other)
	q.done(l)
	l, rest, tick := q.next()
	if l.machine != "a" || len(rest) != 2 || string(rest[1].Payload) != fmt.Sprint(most+1) || !tick {
		t.Fatalf("machine %s, %d messages, tick %t", l.machine, len(rest), tick)
	}
	q.done(l)
	if len(q.known) != 0 {
		t.Errorf("%d lanes are left", len(q.known))
	}
	q.end()
	if l, _, _ := q.next(); l != nil {
		t.Error("the lanes did not end")
	}
}

// R19: the last word of a machine that is off makes no run, however often the
// collector connects.
func TestARetainedMessageIsNoSample(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	for _, at := range []string{"", `"at":"2020-02-14T05:59:58Z",`} {
		said := `{"v":1,` + at + `"command":true,"flow_lpm":5}`
		m := mqtt.Message{Topic: topic, Payload: []byte(said), Retained: true}
		for range 3 {
			if c.now = c.now.Add(12 * time.Second); !c.Take(t.Context(), m) {
				t.Fatal("not acknowledged: it would come again")
			}
		}
	}
	if n := len(c.rows(wire.KindTrack)) + len(c.rows(wire.KindRun)); n != 0 {
		t.Errorf("%d records", n)
	}
}

// Somebody who invents ids takes no memory for ever, and ends nobody's open run.
func TestInventedMachinesAreForgotten(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	c.say(topic, `{"v":1,"command":true,"flow_lpm":5,"volume_l":1}`)
	for n := range 5 {
		c.say(wire.Topic("qinghe", fmt.Sprintf("invented-%d", n), wire.LeafReport), report(n))
	}
	for range 8 {
		c.forget()
	}
	if known := fmt.Sprint(c.Taker.known()); known != "[fogger-9]" {
		t.Errorf("in memory are %s", known)
	}
}

// broken is a store that takes nothing of some machines, ever.
type broken struct{ *archive.Archive }

func (s broken) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	if len(batches) > 0 && strings.HasPrefix(batches[0].Agent, "broken-") {
		return nil, errors.New("it can never be stored")
	}
	return s.Archive.Commit(ctx, batches)
}

// More machines than there are takers, of which nothing can be stored.
func TestMachinesOfWhichNothingCanBeStoredDelayOnlyThemselves(t *testing.T) {
	held, err := archive.OpenSQLite(filepath.Join(t.TempDir(), "store.db"))
	must(t, err)
	defer held.Close()
	taker, err := Open(t.Context(), Options{County: "qinghe", Path: filepath.Join(t.TempDir(), "reports.db"),
		Store: broken{held}, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = taker.Run(ctx) }()
	put := func(machine string, end func(bool)) {
		taker.Put(mqtt.Message{Topic: wire.Topic("qinghe", machine, wire.LeafReport),
			Payload: []byte(`{"v":1,"command":true}`)}, end)
	}
	for n := range 2 * takers {
		put(fmt.Sprint("broken-", n), func(bool) {})
	}
	stored := make(chan bool, 1)
	put("fogger-1", func(s bool) { stored <- s })
	select {
	case s := <-stored:
		if !s {
			t.Error("it is not stored")
		}
	case <-time.After(20 * time.Second):
		t.Error("it waits for the others")
	}
	cancel()
	<-ended
	must(t, taker.Close())
}
