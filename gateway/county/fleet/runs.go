package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

// RunSummary is a line of the list of runs.
type RunSummary struct {
	Machine   string        `json:"machine"`
	Name      string        `json:"name"`
	Type      string        `json:"type"`
	ID        string        `json:"run"`
	State     fact.RunState `json:"state"`
	Source    string        `json:"source"`
	Operator  string        `json:"operator"`
	Start     time.Time     `json:"start"`
	End       time.Time     `json:"end"`
	Working   bool          `json:"working"` // open, and a sortie is under way
	Sorties   int           `json:"sorties"`
	OnS       float64       `json:"on_s"` // seconds
	DistanceM float64       `json:"distance_m"`
	Litres    *float64      `json:"litres"` // by the flow meter; null: it has none
	TankL     *float64      `json:"tank_l"`
	Grade     string        `json:"grade"`
	Reasons   []string      `json:"reasons"`
}

func summary(r *wire.Run) RunSummary {
	s := RunSummary{Machine: r.Machine, Name: r.Name, Type: r.Type, ID: r.ID, State: r.State,
		Source: r.Source, Operator: r.Operator, Start: r.Start.Time, End: r.End.Time,
		Working: r.Working, Sorties: r.Sorties, OnS: r.FlowS, DistanceM: r.DistanceM,
		Litres: r.MeterL, TankL: r.TankL, Grade: r.Grade, Reasons: r.Reasons}
	if s.Litres == nil {
		s.Litres = r.FlowL
	}
	switch {
	case r.OnS != nil:
		s.OnS = *r.OnS
	case s.Litres == nil: // a record of an earlier version
		s.OnS = r.CommandS
	}
	return s
}

// RunPage is one run with its evidence.
type RunPage struct {
	Run       RunDetails   `json:"run"`
	Tolerance float64      `json:"tolerance_m"` // the drawn path lies nowhere further off
	Points    []RunPoint   `json:"points"`
	Chart     []ChartPoint `json:"chart"`
	Compounds []Outline    `json:"places"`
}

// RunDetails is a run with all its numbers.
type RunDetails struct {
	wire.Run

	OnS    float64  `json:"on_s"`
	Litres *float64 `json:"litres"`
}

// RunPoint is a position of the path. On: the machine worked on its way from
// here to the next.
type RunPoint struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
	On  bool    `json:"on"`
}

// ChartPoint is a moment of the chart. On: the machine worked until the next.
type ChartPoint struct {
	At   time.Time `json:"at"`
	Flow *float64  `json:"flow_lpm"`
	Tank *float64  `json:"tank_pct"`
	On   bool      `json:"on"`
}

// Outline is a compound near the path.
type Outline struct {
	Name    string       `json:"name"`
	Polygon []site.Point `json:"polygon"`
}

const (
	tolerance   = 1.0 // metres
	chartPoints = 400
	near        = 0.0015 // degrees around a path: some 150 m
)

// ErrNoRun is the error of Runs.One when there is no such run.
var ErrNoRun = errors.New("there is no such run")

// Runs reads runs from the desk's file. Its methods may be called from any
// goroutine, also while another process writes to the file.
type Runs struct {
	file      *db.File
	compounds []site.Compound
}

// NewRuns returns the runs of a file. compounds are those that a run's page
// shows; it may be nil.
func NewRuns(file *db.File, compounds []site.Compound) *Runs { return &Runs{file, compounds} }

func scanRun(r db.Row) (*wire.Run, error) {
	raw, err := db.Value[[]byte](r)
	if err != nil {
		return nil, err
	}
	run := &wire.Run{}
	return run, json.Unmarshal(raw, run)
}

// Last returns the last runs of a machine, or of all (""), the newest first.
func (r *Runs) Last(ctx context.Context, machine string, limit int) ([]RunSummary, error) {
	out := []RunSummary{}
	where, args := "TRUE", []any{limit}
	if machine != "" { // a statement of its own, so that the index of machines is used
		where, args = "machine = ?", []any{machine, limit}
	}
	//nolint:gosec // where is a constant
	for run, err := range db.Rows(ctx, r.file.Reader(), scanRun, `SELECT body FROM runs
		WHERE `+where+` AND state <> 'withdrawn' ORDER BY start DESC LIMIT ?`, args...) {
		if err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		out = append(out, summary(run))
	}
	return out, nil
}

// FirstOpen returns the seq of the first record of a journal that an open run has;
// found is false when there is none.
func (r *Runs) FirstOpen(ctx context.Context, jid string) (seq uint64, found bool, err error) {
	seq, found, err = db.One(ctx, r.file.Reader(), db.Value[uint64],
		"SELECT seq FROM runs WHERE state = 'open' AND jid = ? ORDER BY seq LIMIT 1", jid)
	if err != nil {
		return 0, false, fmt.Errorf("look for open runs: %w", err)
	}
	return seq, found, nil
}

// One returns one run's page. The error wraps ErrNoRun when there is none.
func (r *Runs) One(ctx context.Context, machine, id string) (p RunPage, err error) {
	run, found, err := db.One(ctx, r.file.Reader(), scanRun,
		"SELECT body FROM runs WHERE machine = ? AND run = ? AND state <> 'withdrawn'", machine, id)
	switch {
	case err != nil:
		return p, fmt.Errorf("read a run: %w", err)
	case !found:
		return p, ErrNoRun
	}
	s := summary(run)
	p.Run, p.Tolerance = RunDetails{Run: *run, OnS: s.OnS, Litres: s.Litres}, tolerance
	track, err := r.track(ctx, r.file.Reader(), run)
	if err != nil {
		return p, err
	}
	spans := work(run, track)
	if run.Grade == string(runs.Dry) {
		spans = nil // it was told to, and nothing was sprayed
	}
	p.Points, p.Chart = path(track, run.Start.Time, spans), chart(track, run.Start.Time, spans)
	p.Compounds = r.beside(p.Points)
	return p, nil
}

// beside returns the compounds that a path touches or passes.
func (r *Runs) beside(path []RunPoint) []Outline {
	out := []Outline{}
	if len(path) == 0 {
		return out
	}
	south, north, west, east := path[0].Lat, path[0].Lat, path[0].Lon, path[0].Lon
	for _, p := range path {
		south, north, west, east = min(south, p.Lat), max(north, p.Lat), min(west, p.Lon), max(east, p.Lon)
	}
	for _, c := range r.compounds {
		for _, pt := range c.Polygon {
			if pt[1] > south-near && pt[1] < north+near && pt[0] > west-near && pt[0] < east+near {
				out = append(out, Outline{c.Name, c.Polygon})
				break
			}
		}
	}
	return out
}
