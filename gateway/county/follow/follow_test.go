package follow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
)

// Whatever is offered, dropped, offered twice or fails, and whenever the
// process is restarted: each record is taken in once, in its order.
func TestEachRecordIsTakenInOnceAndInOrder(t *testing.T) {
	steps := []string{"offer", "offer", "drop", "repeat", "fail", "restart", "catch up"}
	jids := rapid.SampledFrom([]string{"a", "b"})
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		r := &rig{t: rt, path: filepath.Join(dir, fmt.Sprint(n)), held: newHeld()}
		r.open(t.Context())
		defer func() { _ = r.file.Close() }()
		var past []store.Batch
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			switch rapid.SampledFrom(steps).Draw(rt, "step") {
			case "offer":
				b := r.held.commit(jids.Draw(rt, "jid"), 0, rapid.IntRange(0, 3).Draw(rt, "records"))
				past = append(past, b)
				r.take(b)
			case "drop":
				past = append(past, r.held.commit("a", 0, 2))
			case "repeat":
				if len(past) > 0 {
					r.take(rapid.SampledFrom(past).Draw(rt, "batch"))
				}
			case "fail":
				r.list.fail = errors.New("the disk is full")
				_, err := r.cursor.Take(t.Context(), t0, []Event{{Committed: past}})
				if failed := r.list.fail == nil; failed != (err != nil) {
					rt.Fatal("failed:", failed, "error:", err)
				}
				r.list.fail = nil // there was nothing to take in
			case "restart":
				_ = r.file.Close()
				r.open(t.Context())
			case "catch up":
				r.catchUp()
			}
		}
		r.catchUp()
		for _, jid := range []string{"a", "b"} {
			var want []string
			for i := range r.held.rows[jid] {
				want = append(want, fmt.Sprintf("0.%d", i+1))
			}
			if got := r.taken(jid); got != strings.Join(want, " ") {
				rt.Fatalf("journal %s: %s", jid, got)
			}
		}
	})
}

func TestWhatWasNotOfferedIsMissedAndReadFromTheStore(t *testing.T) {
	r := newRig(t)
	r.take(r.held.commit("a", 0, 1))
	r.held.commit("a", 0, 2)
	if !r.take(r.held.commit("a", 0, 1)) {
		t.Error("it does not know that something is missing")
	}
	if got := r.taken("a"); got != "0.1" {
		t.Errorf("before: %s", got)
	}
	r.catchUp()
	if got := r.taken("a"); got != "0.1 0.2 0.3 0.4" {
		t.Errorf("after: %s", got)
	}
	if got := len(r.list.memory); got != 4 {
		t.Errorf("%d are in memory", got)
	}
}

// A store that has lost what it had, and is given it again, is no reason to
// count anything twice.
func TestRecordsThatComeAgainToAStoreThatLostThemAreNotTakenInTwice(t *testing.T) {
	r := newRig(t)
	r.take(r.held.commit("a", 0, 5))
	delete(r.held.rows, "a")
	r.take(r.held.commit("a", 0, 3))
	r.catchUp()
	r.take(r.held.commit("a", 0, 4))
	if got := r.taken("a"); got != "0.1 0.2 0.3 0.4 0.5 0.6 0.7" {
		t.Errorf("taken in: %s", got)
	}
}

// A journal whose jid is not minted anew begins again with other records: the
// earlier ones stay, and the new ones are not mistaken for them.
func TestAJournalThatBeginsAgainIsTakenInFromItsBeginning(t *testing.T) {
	for name, offered := range map[string]bool{"offered": true, "found at a start": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.take(r.held.commit("again", 0, 5))
			delete(r.held.rows, "again")
			b := r.held.commit("again", 1, 2)
			if offered {
				r.take(r.held.commit("b", 0, 1), b, b)
			}
			r.catchUp()
			r.take(r.held.commit("again", 1, 1))
			if got := r.taken("again"); got != "1.1 1.2 1.3" {
				t.Errorf("of the new life: %s", got)
			}
			if got := len(r.list.memory); got != 8 && !offered || got != 9 && offered {
				t.Errorf("%d records were taken in: %v", got, r.list.memory)
			}
		})
	}
}

func TestAFileWithoutTimesGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	f, err := db.Open(path, "CREATE TABLE progress (jid TEXT PRIMARY KEY, through INTEGER NOT NULL) WITHOUT ROWID;"+
		"INSERT INTO progress VALUES ('again', 2);"+schemaTaken)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = db.Open(path, "", SchemaAgent); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, l := newHeld(), &lister{}
	c, err := NewCursor(t.Context(), Options{File: f, Records: h, Followers: []Follower{l},
		BeginsAgain: func(string, string) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Take(t.Context(), t0, []Event{{Committed: []store.Batch{h.commit("again", 1, 3)}}}); err != nil {
		t.Fatal(err)
	}
	if len(l.memory) != 1 || l.memory[0] != "again:1.3" || !c.Knows("agent-again") || c.Through("again") != 3 {
		t.Errorf("taken in: %v, agents %v, through %d", l.memory, c.Agents(), c.Through("again"))
	}
}

// The collector never waits: what the queue has no room for is read from the
// store, and an alarm that arrives meanwhile does not wait for all journals.
func TestAFullQueueIsMadeUpForFromTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		l := NewLoop(r.cursor, r.held, time.Now, slog.New(slog.DiscardHandler))
		for range 2 * waiting {
			l.Committed([]store.Batch{r.held.commit("a", 0, 1)})
		}
		r.list.fail = errors.New("the disk is full")
		looks := 0
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			l.Run(ctx, 500*time.Millisecond, func(context.Context, time.Time) error { looks++; return nil })
		})
		time.Sleep(2 * time.Second) // it fails once, pauses, and catches up
		l.Arrived(r.held.commit("b", 0, 1))
		l.Committed([]store.Batch{r.held.commit("b", 0, 1)}) // the one before it was not offered
		time.Sleep(time.Second)
		cancel()
		running.Wait()
		if len(r.list.memory) != 2*waiting+2 || r.list.ahead != 1 || looks < 2 || l.State().Fault != "" {
			t.Errorf("%d taken in, %d ahead, %d looks, fault %q",
				len(r.list.memory), r.list.ahead, looks, l.State().Fault)
		}
	})
}

// A look that fails is told although what the store commits is taken in.
func TestTheFaultOfALookStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		l := NewLoop(r.cursor, r.held, time.Now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		fails := errors.New("database is locked")
		running.Go(func() { l.Run(ctx, 500*time.Millisecond, func(context.Context, time.Time) error { return fails }) })
		time.Sleep(time.Second)
		for range 20 {
			l.Committed([]store.Batch{r.held.commit("a", 0, 1)})
			time.Sleep(100 * time.Millisecond)
			if got := l.State().Fault; got != fails.Error() {
				t.Fatalf("fault %q", got)
			}
		}
		cancel()
		running.Wait()
	})
}

// Positions of an earlier version have no time; they learn it from what comes.
func TestAnUnknownTimeOfTheNewestRecordIsReplaced(t *testing.T) {
	if got := later(math.MaxInt64, 5); got != 5 {
		t.Errorf("after nothing known comes %d", got)
	}
	if got := later(7, 5); got != 7 {
		t.Errorf("the later of 7 and 5 is %d", got)
	}
}
