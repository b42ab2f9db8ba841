package report

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// files are the store's file and the index's, of one day or of two. nil: it is not there.
type files struct{ store, index []byte }

// stop ends the county and returns its files.
func (c *county) stop() (f files) {
	c.t.Helper()
	c.end()
	var err error
	f.store, err = os.ReadFile(filepath.Join(c.dir, "store.db"))
	must(c.t, err)
	f.index, err = os.ReadFile(filepath.Join(c.dir, "reports.db"))
	must(c.t, err)
	return f
}

// start puts files there and begins.
func (c *county) start(f files) {
	c.t.Helper()
	for name, b := range map[string][]byte{"store.db": f.store, "reports.db": f.index} {
		path := filepath.Join(c.dir, name)
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(path + suffix); !errors.Is(err, os.ErrNotExist) {
				must(c.t, err)
			}
		}
		if b != nil {
			must(c.t, os.WriteFile(path, b, 0o600))
		}
	}
	var err error
	c.store, err = archive.OpenSQLite(filepath.Join(c.dir, "store.db"))
	must(c.t, err)
	c.open()
}

// whole compares store and index: both have the same reports, each once, and with the
// holes the journal has no gap.
func (c *county) whole() (tracks []string) {
	c.t.Helper()
	have := map[string]int{}
	covered := uint64(0)
	for _, r := range c.rows(wire.KindTrack) {
		body, err := r.DecodeBody()
		must(c.t, err)
		raw := body.(*wire.Track).Raw
		have[raw]++
		covered++
		tracks = append(tracks, raw)
	}
	for raw, n := range have {
		if n > 1 {
			c.t.Errorf("%s is stored %d times", raw, n)
		}
	}
	for _, h := range c.holes() {
		covered += h.Count
	}
	pos, err := c.store.Position(context.Background(), JID("qinghe", "fogger-9"))
	must(c.t, err)
	if covered != pos.Through {
		c.t.Errorf("%d records and holes, the journal is at %d", covered, pos.Through)
	}
	known, err := c.index.tracks(context.Background(), "fogger-9", begin.AddDate(-1, 0, 0), begin.AddDate(9, 0, 0))
	must(c.t, err)
	if len(known) != len(tracks) {
		c.t.Errorf("the index has %d reports, the store %d", len(known), len(tracks))
	}
	return tracks
}

// Store and index are put back from backups of any two days, or one of them is gone:
// what at least one of them has is in both afterwards, once, and so is what comes then.
func TestStoreAndIndexOfDifferentDaysBecomeWhole(t *testing.T) {
	const days = 3
	c := newCounty(t, t.TempDir())
	backups := []files{{}} // of day 0: nothing
	for day := range days {
		for n := range 3 {
			c.say(topic, report(10*day+n))
			c.now = c.now.Add(8 * time.Hour)
		}
		backups = append(backups, c.stop())
		c.start(backups[day+1])
	}
	c.end()
	for s := range backups {
		for i := range backups {
			c.start(files{backups[s].store, backups[i].index})
			c.Tick(t.Context(), c.now)
			for n := range 3 {
				c.say(topic, report(90+n))
			}
			got := c.whole()
			if want := 3*max(s, i) + 3; len(got) != want {
				t.Errorf("store of day %d, index of day %d: %d reports, want %d", s, i, len(got), want)
			}
			c.end()
		}
	}
}

// Something happens to a file while the county runs: nothing is acknowledged, and after
// the next start what the broker sends again is stored once.
func TestNothingIsAcknowledgedWhenAFileIsGoneMeanwhile(t *testing.T) {
	for _, name := range []string{"store.db", "reports.db"} {
		for what, do := range map[string]func(path string) error{
			"removed": os.Remove,
			"emptied": func(path string) error { return os.Truncate(path, 0) },
			"replaced": func(path string) error {
				return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
			},
			"its WAL emptied": func(path string) error { return os.Truncate(path+"-wal", 0) },
		} {
			c := newCounty(t, t.TempDir())
			for n := range 3 {
				c.say(topic, report(n))
			}
			backup := c.stop()
			c.start(backup)
			c.say(topic, report(3))
			must(t, do(filepath.Join(c.dir, name)))
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			if c.Take(ctx, mqtt.Message{Topic: topic, Payload: []byte(report(4))}) {
				t.Errorf("%s %s: acknowledged", name, what)
			}
			cancel()
			must(t, c.Close())
			if err := c.store.Close(); err != nil && !strings.Contains(what, "emptied") {
				t.Errorf("%s %s: %v", name, what, err)
			}
			other := map[string]string{"store.db": "reports.db", "reports.db": "store.db"}[name]
			kept, err := os.ReadFile(filepath.Join(c.dir, other))
			must(t, err)
			if name == "store.db" {
				backup.index = kept
			} else {
				backup.store = kept
			}
			c.start(backup)
			c.sayAgain(topic, report(4))
			if got := c.whole(); len(got) != 5 {
				t.Errorf("%s %s: %v", name, what, fmt.Sprint(got))
			}
			c.end()
		}
	}
}
