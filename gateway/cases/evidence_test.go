package cases

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// A case of the family evidence is samples.csv: what a machine says, a message a row.
// The columns are t (seconds) and fields of a track's point; an empty cell was not
// said, and nan was said and is no number. config.yaml may give the machine's keys
// (tank_l, idle, pause), report: true for a machine that reports by itself, and holds,
// how long such a machine's command holds. expected.yaml lists the runs; what it does
// not name may be anything. Distances may be 5 % off, times 2 s, litres 2 %.
type evidenceConfig struct {
	TankL       float64       `yaml:"tank_l"`
	Idle, Pause time.Duration //
	Report      bool          `yaml:"report"`
	Holds       time.Duration `yaml:"holds"`
}

type evidenceRun struct {
	Grade    string   `yaml:"grade"`
	Reasons  []string `yaml:"reasons"` // all of them
	Start    *float64 `yaml:"start"`   // seconds, as t
	End      *float64 `yaml:"end"`
	Command  *float64 `yaml:"command_s"`
	On       *float64 `yaml:"on_s"`
	Gap      *float64 `yaml:"gap_s"`
	Distance *float64 `yaml:"distance_m"`
	Litres   *float64 `yaml:"litres"` // -1: not known
	Moved    *bool    `yaml:"moved"`
	Sorties  *int     `yaml:"sorties"`
}

func TestEvidence(t *testing.T) {
	each(t, "evidence", func(t *testing.T, dir string) {
		want := expected[struct {
			Field string        `yaml:"field"`
			Runs  []evidenceRun `yaml:"runs"`
		}](t, dir)
		var cfg evidenceConfig
		raw, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
		if err == nil {
			err = yaml.UnmarshalWithOptions(raw, &cfg, yaml.Strict())
		} else if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		if err != nil {
			t.Fatal(err)
		}
		got := cfg.play(t, said(t, dir))
		if len(got) != len(want.Runs) {
			t.Fatalf("%d runs, want %d: %+v", len(got), len(want.Runs), got)
		}
		for i, r := range got {
			want.Runs[i].compare(t, r)
		}
	})
}

var evidenceBegin = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// said reads samples.csv.
func said(t *testing.T, dir string) (out []runs.Sample) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "samples.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		var s runs.Sample
		for i, cell := range row {
			name := rows[0][i]
			if cell == "" {
				continue
			}
			if flag, ok := fact.FlagNamed(name); ok {
				*flag.Of(&s.Values) = new(cell == "1")
				continue
			}
			v, err := strconv.ParseFloat(cell, 64)
			n, ok := fact.NumberNamed(name)
			switch {
			case err != nil:
				t.Fatal(err)
			case name == "t":
				s.T = time.Duration(v * float64(time.Second))
			case name == "lat":
				s.Lat = &v
			case name == "lon":
				s.Lon = &v
			case ok:
				*n.Of(&s.Values) = &v
			default:
				t.Fatalf("column %s is unknown", name)
			}
		}
		out = append(out, s)
	}
	return out
}

// play returns the runs of what was said. A machine that reports by itself is observed
// at each message, another one every second.
func (c evidenceConfig) play(t *testing.T, samples []runs.Sample) (out []*wire.Run) {
	t.Helper()
	cfg := machine.Config{Machine: "m", Name: "m", Type: "drone", TankL: c.TankL, Idle: c.Idle, Pause: c.Pause}
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	if c.Report {
		return c.reported(cfg, samples)
	}
	watch := machine.NewWatch(cfg, wire.SourceMAVLink, "boot")
	begin := clock.Moment{Wall: evidenceBegin, Boot: time.Hour}
	add := func(bodies []wire.Body) {
		for _, b := range bodies {
			if r, ok := b.(*wire.Run); ok && r.State == fact.RunClosed {
				out = append(out, r)
			}
		}
	}
	turned := time.Duration(0)
	turn := func(to time.Duration) {
		for ; turned <= to; turned += time.Second {
			add(watch.Turn(begin.Add(turned)))
		}
	}
	for _, s := range samples {
		turn(s.T - 1)
		watch.Take(begin.Add(s.T), s)
	}
	turn(turned + time.Hour)
	return out
}

func (c evidenceConfig) reported(cfg machine.Config, samples []runs.Sample) (out []*wire.Run) {
	rules := cfg.RunsOf(wire.SourceReport)
	rules.Holds = c.Holds
	fuser, tracker := runs.Fuser{Fresh: machine.Fresh(wire.SourceReport), Holds: c.Holds}, runs.New(rules)
	add := func(events []runs.Event) {
		for _, e := range events {
			if e.Closed {
				out = append(out, cfg.Body(wire.SourceReport, e.Run, fact.RunClosed))
			}
		}
	}
	for _, s := range samples {
		s.At, s.T = evidenceBegin.Add(s.T), time.Hour+s.T
		s.Clean()
		s.Lost = nil // what is stored of a report does not say it
		fuser.Take(s)
		if s, ok := fuser.Sample(s.At, s.T); ok {
			add(tracker.Observe(s))
		}
	}
	add(tracker.Tick(48 * time.Hour))
	return out
}

// compare compares a run with what it should be.
func (w evidenceRun) compare(t *testing.T, r *wire.Run) {
	t.Helper()
	if r.Grade != w.Grade {
		t.Errorf("graded %s %v, want %s", r.Grade, r.Reasons, w.Grade)
	}
	if w.Reasons != nil && !slices.Equal(r.Reasons, w.Reasons) {
		t.Errorf("reasons %v, want %v", r.Reasons, w.Reasons)
	}
	near := func(what string, got float64, want *float64, off float64) {
		if want != nil && !(math.Abs(got-*want) <= off) {
			t.Errorf("%s is %.2f, want %.2f", what, got, *want)
		}
	}
	near("start", r.Start.Sub(evidenceBegin).Seconds(), w.Start, 2)
	near("end", r.End.Sub(evidenceBegin).Seconds(), w.End, 2)
	near("command_s", r.CommandS, w.Command, 2)
	near("on_s", *r.OnS, w.On, 2)
	near("gap_s", r.GapS, w.Gap, 2)
	if w.Distance != nil {
		near("distance_m", r.DistanceM, w.Distance, 0.05**w.Distance+0.5)
	}
	litres := -1.0
	if r.MeterL != nil {
		litres = *r.MeterL
	} else if r.FlowL != nil {
		litres = *r.FlowL
	}
	if w.Litres != nil {
		near("litres", litres, w.Litres, 0.02*math.Abs(*w.Litres)+0.001)
	}
	if w.Moved != nil && (r.Moved == nil || *r.Moved != *w.Moved) {
		t.Errorf("moved %v, want %v", r.Moved, *w.Moved)
	}
	if w.Sorties != nil && r.Sorties != *w.Sorties {
		t.Errorf("%d sorties, want %d", r.Sorties, *w.Sorties)
	}
}
