package cases

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"gatehouse/gateway/county/report"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// A case of the family report has play.yaml: what machines do and send, and when it
// arrives. Times count from a moment that nobody knows. expected.yaml has the runs
// that are found at the end, by their begin.

// played is play.yaml.
type played struct {
	Machines []report.Machine `yaml:"machines"` // as in the collector's configuration
	Jobs     []job            `yaml:"jobs"`
	Messages []message        `yaml:"messages"` // besides
	Restarts []time.Duration  `yaml:"restarts"` // of the collector
	End      time.Duration    `yaml:"end"`
}

// job is a task of a machine: it rests, works, and rests, and reports all the time.
type job struct {
	Machine string        `yaml:"machine"`
	From    time.Duration `yaml:"from"`
	Rest    time.Duration `yaml:"rest"` // before and after the work
	Work    time.Duration `yaml:"work"`
	Every   time.Duration `yaml:"every"` // between reports
	LPM     float64       `yaml:"lpm"`   // of flow
	Counter float64       `yaml:"counter"`
	// Clock is what the machine's clock shows more than is right, as a duration, or a
	// list of moments of the job and what it shows more from then on. none: no time.
	Clock  string   `yaml:"clock"`
	Steps  []step   `yaml:"steps"`
	Layout string   `yaml:"layout"` // of the time; empty: RFC 3339 with milliseconds
	Stands bool     `yaml:"stands"` // the clock does
	Arrive delivery `yaml:"arrive"`
}

// step is what a clock shows more than is right, from a moment on.
type step struct {
	After time.Duration `yaml:"after"`
	More  time.Duration `yaml:"more"`
	Boot  bool          `yaml:"boot"` // it shows 1970 and the time since then
}

// delivery is when the reports of a job arrive.
type delivery struct {
	Late    time.Duration   `yaml:"late"`    // each after it was made
	At      time.Duration   `yaml:"at"`      // the first; the others follow at Rate
	Rate    float64         `yaml:"rate"`    // reports a second; 0: live
	Held    []time.Duration `yaml:"held"`    // from, to: what is made meanwhile arrives at the end
	Twice   int             `yaml:"twice"`   // every such report arrives again, 30 s later
	Shuffle int             `yaml:"shuffle"` // so many reports change places
}

// message is one that arrives as it is written.
type message struct {
	At        time.Duration `yaml:"at"`
	Topic     string        `yaml:"topic"`
	Payload   string        `yaml:"payload"`
	Retained  bool          `yaml:"retained"`
	Duplicate bool          `yaml:"duplicate"`
}

// reported is expected.yaml.
type reported struct {
	Field string        `yaml:"field"`
	Runs  []reportedRun `yaml:"runs"`
	// Stored is how many reports are stored; 0: not asked.
	Stored int `yaml:"stored"`
	// ClockWrong: reports are marked so; absent: not asked.
	ClockWrong *bool `yaml:"clock_wrong"`
}

type reportedRun struct {
	Machine    string        `yaml:"machine"`
	Start, End time.Duration // within 2 s
	Litres     float64       // within 2 %
	On         float64       // seconds, within 2; 0: not asked
	Grade      string        // empty: not asked
	State      string        // empty: closed
}

var epoch = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// made returns the messages of a job.
func (j job) made() (out []message) {
	for n := 0; ; n++ {
		since := time.Duration(n) * j.Every
		if since > 2*j.Rest+j.Work {
			return j.Arrive.order(j, out)
		}
		worked := min(max(since-j.Rest, 0), j.Work)
		flow := 0.0
		on := since >= j.Rest && since < j.Rest+j.Work
		if on {
			flow = j.LPM
		}
		at := ""
		if j.Clock != "none" {
			at = fmt.Sprintf(`"at":%q,`, j.shows(since))
		}
		payload := fmt.Sprintf(`{"v":1,%s"command":%t,"flow_lpm":%g,"volume_l":%.3f}`,
			at, on, flow, j.Counter+j.LPM*worked.Minutes())
		out = append(out, message{At: j.From + since, Topic: wire.Topic("qinghe", j.Machine, wire.LeafReport),
			Payload: payload})
	}
}

// shows returns what the machine's clock shows.
func (j job) shows(since time.Duration) string {
	if j.Stands {
		since = 0
	}
	at := epoch.Add(j.From + since)
	if more, err := time.ParseDuration(j.Clock); err == nil {
		at = at.Add(more)
	}
	for _, s := range slices.Backward(j.Steps) {
		if since < s.After {
			continue
		}
		at = at.Add(s.More)
		if s.Boot {
			at = time.Unix(9, 0).UTC().Add(since - s.After)
		}
		break
	}
	return at.Format(cmp.Or(j.Layout, "2006-01-02T15:04:05.000Z07:00"))
}

// order sets when the messages of a job arrive.
func (d delivery) order(j job, out []message) []message {
	for n := range d.Shuffle {
		a, b := n*7919%len(out), n*104729%len(out)
		out[a].Payload, out[b].Payload = out[b].Payload, out[a].Payload
	}
	for i := range out {
		m := &out[i]
		switch {
		case d.Rate > 0:
			m.At = d.At + time.Duration(float64(i)/d.Rate*float64(time.Second))
		case len(d.Held) == 2 && m.At-j.From >= d.Held[0] && m.At-j.From < d.Held[1]:
			m.At = j.From + d.Held[1]
		default:
			m.At += d.Late
		}
	}
	if d.Twice > 0 {
		for i := d.Twice; i < len(out); i += d.Twice + 1 {
			again := out[i-1]
			again.At += 30 * time.Second
			out = append(out, again)
		}
	}
	return out
}

// taking is a taker of reports with a clock that is set.
type taking struct {
	t     *testing.T
	dir   string
	store *archive.Archive
	taker *report.Taker
	known []report.Machine
	now   time.Duration
}

func (c *taking) open() {
	c.t.Helper()
	var err error
	c.taker, err = report.Open(c.t.Context(), report.Options{County: "qinghe", Machines: c.known, Store: c.store,
		Path: filepath.Join(c.dir, "reports.db"), Zone: time.FixedZone("CST", 8*3600),
		Now: func() time.Time { return epoch.Add(c.now) }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
}

// pass lets time pass.
func (c *taking) pass(to time.Duration) {
	for step := time.Second; c.now+step <= to; {
		if to-c.now > time.Hour {
			step = 10 * time.Second // nothing comes for long
		} else {
			step = time.Second
		}
		c.now += min(step, to-c.now)
		c.taker.Tick(c.t.Context(), epoch.Add(c.now))
	}
	c.now = to
}

// play plays a case and returns the runs and reports that are stored.
func (c *taking) play(p played) (found map[string]*wire.Run, reports []*wire.Track) {
	all := slices.Clone(p.Messages)
	for _, j := range p.Jobs {
		all = append(all, j.made()...)
	}
	for _, at := range p.Restarts {
		all = append(all, message{At: at})
	}
	slices.SortStableFunc(all, func(a, b message) int { return cmp.Compare(a.At, b.At) })
	for _, m := range all {
		c.pass(m.At)
		if m.Topic == "" {
			if err := c.taker.Close(); err != nil {
				c.t.Fatal(err)
			}
			c.open()
			continue
		}
		came := mqtt.Message{Topic: m.Topic, Payload: []byte(m.Payload), Retained: m.Retained, Duplicate: m.Duplicate,
			Arrived: epoch.Add(c.now)}
		if !c.taker.Take(c.t.Context(), came) {
			c.t.Fatalf("not acknowledged: %s", m.Payload)
		}
	}
	c.pass(p.End)
	found = map[string]*wire.Run{}
	for row, err := range c.store.Rows(context.Background(), store.Query{}) {
		if err != nil {
			c.t.Fatal(err)
		}
		r, err := wire.DecodeRecord(row.Raw)
		if err != nil {
			c.t.Fatal(err)
		}
		body, err := r.DecodeBody()
		if err != nil {
			c.t.Fatal(err)
		}
		switch b := body.(type) {
		case *wire.Track:
			reports = append(reports, b)
		case *wire.Run:
			found[b.Machine+" "+b.ID] = b
			if b.State == fact.RunWithdrawn {
				delete(found, b.Machine+" "+b.ID)
			}
		}
	}
	return found, reports
}

func TestReports(t *testing.T) {
	each(t, "report", func(t *testing.T, dir string) {
		t.Parallel()
		raw, err := os.ReadFile(filepath.Join(dir, "play.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var p played
		if err := yaml.UnmarshalWithOptions(raw, &p, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
		want := expected[reported](t, dir)
		c := &taking{t: t, dir: t.TempDir(), known: p.Machines}
		if c.store, err = archive.OpenSQLite(filepath.Join(c.dir, "store.db")); err != nil {
			t.Fatal(err)
		}
		c.open()
		found, reports := c.play(p)
		want.compare(t, found, reports)
		if err := c.taker.Close(); err != nil {
			t.Error(err)
		}
		if err := c.store.Close(); err != nil {
			t.Error(err)
		}
	})
}
