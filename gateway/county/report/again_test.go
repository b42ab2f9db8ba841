package report

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/wire"
)

// seqs returns the seqs of the reports in the store.
func (c *county) seqs() string {
	c.t.Helper()
	var out []uint64
	for _, r := range c.rows(wire.KindTrack) {
		out = append(out, r.Seq)
	}
	return fmt.Sprint(out)
}

func (c *county) holes() (out []wire.Hole) {
	c.t.Helper()
	held, err := c.store.Holes(context.Background())
	must(c.t, err)
	for _, h := range held {
		out = append(out, h.Hole)
	}
	return out
}

// replace puts an empty store, or the file of an earlier one, in the store's place.
func (c *county) replace(file []byte) {
	c.t.Helper()
	path := filepath.Join(c.dir, "store.db")
	must(c.t, c.Close())
	must(c.t, c.store.Close())
	must(c.t, os.Remove(path))
	if file != nil {
		must(c.t, os.WriteFile(path, file, 0o600))
	}
	var err error
	c.store, err = archive.OpenSQLite(path)
	must(c.t, err)
	c.open()
}

func report(n int) string { return fmt.Sprintf(`{"v":1,"tank_pct":%d}`, n) }

// Those who follow the journal have the records that the store has lost: another
// record of the same seq would be taken for one of them.
func TestWhatAStoreHasLostIsPutBack(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	for n := range 5 {
		c.say(topic, report(n))
	}
	c.replace(nil)
	for n := range 2 {
		c.say(topic, report(50+n))
	}
	if got := c.seqs(); got != "[1 2 3 4 5 6 7]" {
		t.Errorf("a new store has %s", got)
	}
	must(t, c.store.Close())
	file, err := os.ReadFile(filepath.Join(c.dir, "store.db"))
	must(t, err)
	c.store, err = archive.OpenSQLite(filepath.Join(c.dir, "store.db"))
	must(t, err)
	c.restart()
	c.say(topic, report(60))
	c.say(topic, report(61))
	c.replace(file)
	c.restart()
	c.say(topic, report(70))
	if got := c.seqs(); got != "[1 2 3 4 5 6 7 8 9 10]" {
		t.Errorf("out of a backup %s", got)
	}
	if h := c.holes(); len(h) != 0 {
		t.Errorf("holes %v", h)
	}
}

// wiped is a store that has lost everything when it is asked to commit.
type wiped struct {
	Store
	now *archive.Archive
}

func (w *wiped) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	w.Store = w.now
	return w.now.Commit(ctx, batches)
}

func TestAReportIsStoredThoughTheStoreWasWiped(t *testing.T) {
	c := newCounty(t, t.TempDir())
	for n := range 5 {
		c.say(topic, report(n))
	}
	fresh, err := archive.OpenSQLite(filepath.Join(c.dir, "fresh.db"))
	must(t, err)
	defer fresh.Close()
	c.opts.Store = &wiped{c.store, fresh}
	c.say(topic, report(50))
	must(t, c.Close())
	must(t, c.store.Close())
	c.store = fresh
	if got := c.seqs(); got != "[1 2 3 4 5 6]" {
		t.Errorf("the store has %s", got)
	}
}

// An index of the version before goes on behind its last seq.
func TestAnIndexOfTheVersionBeforeGoesOn(t *testing.T) {
	dir := t.TempDir()
	old, err := db.Open(filepath.Join(dir, "reports.db"), schema)
	must(t, err)
	_, err = old.Writer().ExecContext(t.Context(), "INSERT INTO progress VALUES (?, 5)", JID("qinghe", "fogger-9"))
	must(t, err)
	must(t, old.Close())
	c := newCounty(t, dir)
	defer c.end()
	c.say(topic, report(1))
	c.say(topic, report(2))
	c.restart()
	c.sayAgain(topic, report(2))
	c.say(topic, report(3))
	if got := c.seqs(); got != "[6 7 8]" {
		t.Errorf("the store has %s", got)
	}
}
