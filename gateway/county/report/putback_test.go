package report

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// lines returns the records in the store, as their bytes.
func (c *county) lines() (out []string) {
	c.t.Helper()
	for row, err := range c.store.Rows(context.Background(), store.Query{}) {
		must(c.t, err)
		out = append(out, string(row.Raw))
	}
	return out
}

// The store of a machine that does not report any more is compared, too, and gets
// the same bytes, runs and all.
func TestAWipedStoreGetsBackWhatTheIndexHas(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	for _, r := range work(begin, 100, 40) {
		c.say(topic, r)
	}
	c.now = c.now.Add(time.Hour)
	c.Tick(t.Context(), c.now)
	before := c.lines()
	if len(before) < 37 {
		t.Fatalf("%d records", len(before))
	}
	c.replace(nil)
	c.Tick(t.Context(), c.now)
	if got := c.lines(); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("it has %d records, before %d", len(got), len(before))
	}
	if h := c.holes(); len(h) != 0 {
		t.Errorf("holes %v", h)
	}
}

// What the index has forgotten is a hole.
func TestWhatTheIndexHasForgottenIsAHole(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	for n := range 5 {
		c.say(topic, report(n))
	}
	_, err := c.index.file.Exec(t.Context(), "DELETE FROM reports WHERE seq IN (1, 3, 5)")
	must(t, err)
	c.replace(nil)
	c.Tick(t.Context(), c.now)
	c.say(topic, report(50))
	if got := c.seqs(); got != "[2 4 6]" {
		t.Errorf("the store has %s", got)
	}
	var got []uint64
	for _, h := range c.holes() {
		if h.Reason != store.ReasonLost || h.From != h.To {
			t.Errorf("hole %+v", h)
		}
		got = append(got, h.From)
	}
	if fmt.Sprint(got) != "[1 3 5]" {
		t.Errorf("holes %v", got)
	}
}

// stops is a store that fails after some commits.
type stops struct {
	Store
	after int
}

var errStopped = errors.New("killed")

func (s *stops) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	if s.after--; s.after < 0 {
		return nil, errStopped
	}
	return s.Store.Commit(ctx, batches)
}

// Whenever the collector is killed while it puts records back, the next one goes on.
func TestPuttingBackGoesOnAfterAKill(t *testing.T) {
	const records = 3*backAtOnce + 10
	c := newCounty(t, t.TempDir())
	defer c.end()
	for n := range records {
		at := begin.Add(time.Duration(n) * time.Second).Format(time.RFC3339)
		c.say(topic, fmt.Sprintf(`{"v":1,"at":%q,"tank_pct":1}`, at))
		c.now = c.now.Add(time.Second)
	}
	before := c.lines()
	c.replace(nil)
	for i := range 5 {
		m, err := c.reporter(t.Context(), "fogger-9")
		must(t, err)
		whole := c.opts.Store
		c.opts.Store = &stops{whole, 1}
		err = c.putBack(t.Context(), m, c.now)
		if want := i < 3; errors.Is(err, errStopped) != want {
			t.Errorf("kill %d: %v", i, err)
		}
		c.opts.Store = whole
		c.restart()
	}
	if got := c.lines(); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("it has %d records, before %d", len(got), len(before))
	}
}

// An index that was lost, or comes from a backup, has what the store has: repeats
// are recognised, and an open run goes on.
func TestAnIndexThatWasLostIsMadeAgain(t *testing.T) {
	for name, keep := range map[string]bool{"lost": false, "from a backup": true} {
		c := newCounty(t, t.TempDir())
		path := filepath.Join(c.dir, "reports.db")
		all := work(begin, 100, 60)
		var backup []byte
		for i, r := range all[:30] {
			c.say(topic, r)
			if i == 10 {
				must(t, c.Close())
				var err error
				backup, err = os.ReadFile(path)
				must(t, err)
				c.open()
			}
		}
		must(t, c.Close())
		must(t, os.Remove(path))
		if keep {
			must(t, os.WriteFile(path, backup, 0o600))
		}
		c.open()
		if known := c.Taker.known(); len(known) != 1 {
			t.Errorf("%s: %v are known", name, known)
		}
		for _, r := range all[:30] {
			c.sayAgain(topic, r)
		}
		if got := c.rows(wire.KindTrack); len(got) != 30 {
			t.Errorf("%s: %d reports, want 30", name, len(got))
		}
		for _, r := range all[30:] {
			c.say(topic, r)
		}
		c.now = c.now.Add(time.Hour)
		c.Tick(t.Context(), c.now)
		if got := c.runsOf("fogger-9"); len(got) != 1 {
			t.Errorf("%s: runs %q", name, got)
		}
		c.end()
	}
}

// full is a store that refuses records, and has no room for them in quarantine.
type full struct {
	*archive.Archive
	bad string
}

func (f *full) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	for _, b := range batches {
		for _, e := range b.Entries {
			if t, err := e.Record.DecodeBody(); err == nil && t.(*wire.Track).Raw == f.bad {
				return []store.Receipt{{JID: b.JID, Through: b.From - 1, Refused: true}}, nil
			}
		}
	}
	return f.Archive.Commit(ctx, batches)
}

// A record that the store refuses and that has no room in quarantine is dropped and
// counted, and the others are stored.
func TestARefusedRecordIsCountedAndTheOthersAreStored(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	c.opts.Store = &full{c.store, report(2)}
	var messages []waiting
	acknowledged := 0
	for n := range 5 {
		messages = append(messages, waiting{mqtt.Message{Topic: topic, Payload: []byte(report(n))}, func(stored bool) {
			if stored {
				acknowledged++
			}
		}})
	}
	c.take(t.Context(), "fogger-9", messages)
	if got := c.seqs(); got != "[1 2 3 4]" || c.dropped.Load() != 1 || acknowledged != 5 {
		t.Errorf("the store has %s, %d are dropped, %d acknowledged", got, c.dropped.Load(), acknowledged)
	}
}
