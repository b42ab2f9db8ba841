package cases

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Family formats: messages of machines that publish by themselves, taken as the
// collector takes them from its broker.
//
// config.yaml has the collector's time_zone (default Asia/Shanghai) and machines.
// expected.yaml has field (the number of the case in the field, if it has one), the
// messages, each with what must become of it, and grades: those of the runs that
// the messages make, in their order. Each message comes a second after the one
// before, or after `after`, and `times` times. It is stored with exactly these
// values (and, where given, at), or counted, or quarantine has these words.

type formatsConfig struct {
	TimeZone string           `yaml:"time_zone"`
	Machines []report.Machine `yaml:"machines"`
}

type formatsCase struct {
	Field    string          `yaml:"field"`
	Messages []formatMessage `yaml:"messages"`
	Grades   []string        `yaml:"grades"`
}

type formatMessage struct {
	Topic      string             `yaml:"topic"`
	Payload    string             `yaml:"payload"`
	After      time.Duration      `yaml:"after"`
	Times      int                `yaml:"times"`
	At         string             `yaml:"at"` // of the stored record, RFC 3339
	Stored     map[string]float64 `yaml:"stored"`
	Flags      map[string]bool    `yaml:"flags"`
	Fault      string             `yaml:"fault"`
	Counted    bool               `yaml:"counted"`
	Quarantine string             `yaml:"quarantine"`
}

func TestFormats(t *testing.T) {
	each(t, "formats", func(t *testing.T, dir string) {
		want := expected[formatsCase](t, dir)
		c := newCollector(t, dir)
		for i, m := range want.Messages {
			for range max(1, m.Times) {
				c.now = c.now.Add(max(m.After, time.Second))
				if fault := c.take(t, m); fault != "" {
					t.Errorf("message %d, %s %q: %s", i+1, m.Topic, m.Payload, fault)
				}
			}
		}
		c.now = c.now.Add(time.Hour)
		c.taker.Tick(t.Context(), c.now)
		if got := c.grades(t); want.Grades != nil && !slices.Equal(got, want.Grades) {
			t.Errorf("runs are graded %q, want %q", got, want.Grades)
		}
	})
}

// collector is the part of a collector that takes reports, with a clock that is
// set.
type collector struct {
	taker *report.Taker
	store *archive.Archive
	now   time.Time
}

func newCollector(t *testing.T, dir string) *collector {
	t.Helper()
	cfg, err := config.Load[formatsConfig](filepath.Join(dir, "config.yaml"))
	must(t, err)
	for _, m := range cfg.Machines {
		must(t, m.Check())
	}
	zone, err := config.Zone(cfg.TimeZone)
	must(t, err)
	c := &collector{now: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)}
	c.store, err = archive.OpenSQLite(filepath.Join(t.TempDir(), "store.db"))
	must(t, err)
	log := slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})
	c.taker, err = report.Open(t.Context(), report.Options{County: "qinghe",
		Path: filepath.Join(t.TempDir(), "reports.db"), Machines: cfg.Machines, Store: c.store, Zone: zone,
		Now: func() time.Time { return c.now }, Log: slog.New(log)})
	must(t, err)
	t.Cleanup(func() {
		must(t, c.taker.Close())
		must(t, c.store.Close())
	})
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// take takes a message and returns what is not as it must be.
func (c *collector) take(t *testing.T, m formatMessage) string {
	t.Helper()
	tracks, poison := len(records[*wire.Track](t, c.store)), len(c.quarantine(t))
	if !c.taker.Take(context.Background(), mqtt.Message{Topic: m.Topic, Payload: []byte(m.Payload)}) {
		return "the broker must send it again"
	}
	stored, held := records[*wire.Track](t, c.store)[tracks:], c.quarantine(t)[poison:]
	switch {
	case m.Quarantine != "" && (len(held) != 1 || !strings.Contains(held[0], m.Quarantine)):
		return fmt.Sprintf("quarantine has %q, want %q", held, m.Quarantine)
	case m.Quarantine == "" && len(held) > 0:
		return fmt.Sprintf("quarantine has %q", held)
	case (m.Quarantine != "" || m.Counted) && len(stored) > 0:
		return fmt.Sprintf("it is stored as %s", text(stored[0].Points[0].Values))
	case m.Quarantine != "" || m.Counted:
		return ""
	case len(stored) != 1:
		return fmt.Sprintf("%d records are stored", len(stored))
	}
	track := stored[0]
	if at := track.At.Format(time.RFC3339Nano); m.At != "" && at != m.At {
		return fmt.Sprintf("it is of %s, want %s", at, m.At)
	}
	want := fact.Values{Fault: m.Fault}
	for name, v := range m.Stored {
		n, ok := fact.NumberNamed(name)
		if !ok {
			return name + " is no number"
		}
		*n.Of(&want) = &v
	}
	for name, v := range m.Flags {
		f, ok := fact.FlagNamed(name)
		if !ok {
			return name + " is no flag"
		}
		*f.Of(&want) = &v
	}
	if got, want := text(track.Points[0].Values), text(want); got != want {
		return fmt.Sprintf("it is stored as %s, want %s", got, want)
	}
	return ""
}

// text writes values down, rounded as tracks round them.
func text(v fact.Values) string {
	var out []string
	for _, n := range fact.Numbers() {
		if x := *n.Of(&v); x != nil {
			out = append(out, fmt.Sprintf("%s %g", n.Name, math.Round(*x*n.Steps)/n.Steps))
		}
	}
	for _, f := range fact.Flags() {
		if x := *f.Of(&v); x != nil {
			out = append(out, fmt.Sprintf("%s %t", f.Name, *x))
		}
	}
	return fmt.Sprintf("[%s fault %q]", strings.Join(out, ", "), v.Fault)
}

// records returns the bodies of one kind in the store, in their order.
func records[B wire.Body](t *testing.T, s *archive.Archive) (out []B) {
	t.Helper()
	for row, err := range s.Rows(t.Context(), store.Query{}) {
		must(t, err)
		r, err := wire.DecodeRecord(row.Raw)
		must(t, err)
		body, err := r.DecodeBody()
		must(t, err)
		if b, ok := body.(B); ok {
			out = append(out, b)
		}
	}
	return out
}

// quarantine returns the reasons in quarantine, oldest first.
func (c *collector) quarantine(t *testing.T) (out []string) {
	t.Helper()
	held, err := c.store.Quarantined(t.Context(), 1000)
	must(t, err)
	for _, p := range slices.Backward(held) {
		out = append(out, p.Reason)
	}
	return out
}

// grades returns the grades of the runs, in the order of their begin.
func (c *collector) grades(t *testing.T) (out []string) {
	t.Helper()
	last := map[string]*wire.Run{}
	for _, r := range records[*wire.Run](t, c.store) {
		last[r.Machine+" "+r.ID] = r
	}
	runs := slices.SortedFunc(maps.Values(last), func(a, b *wire.Run) int { return a.Start.Compare(b.Start.Time) })
	for _, r := range runs {
		if r.State != fact.RunWithdrawn {
			out = append(out, r.Grade)
		}
	}
	return out
}
