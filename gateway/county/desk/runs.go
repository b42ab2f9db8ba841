package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

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
	OnS       float64       `json:"on_s"`
	DistanceM float64       `json:"distance_m"`
	Litres    *float64      `json:"litres"` // by the flow meter; null: it has none
	TankL     *float64      `json:"tank_l"`
	Grade     string        `json:"grade"`
	Reasons   []string      `json:"reasons"`
}

func summary(r *wire.Run) RunSummary {
	s := RunSummary{Machine: r.Machine, Name: r.Name, Type: r.Type, ID: r.ID, State: r.State, Source: r.Source, Operator: r.Operator,
		Start: r.Start.Time, End: r.End.Time, Working: r.Working, Sorties: r.Sorties, OnS: r.FlowS, DistanceM: r.DistanceM, Litres: r.MeterL, TankL: r.TankL,
		Grade: r.Grade, Reasons: r.Reasons}
	if s.Litres == nil {
		s.Litres = r.FlowL
	}
	if s.Litres == nil {
		s.OnS = r.CommandS
	}
	return s
}

// Runs gives the last runs of a machine, or of all, the newest first.
func (d *Desk) Runs(ctx context.Context, machine string, limit int) ([]RunSummary, error) {
	rows, err := d.r.QueryContext(ctx, "SELECT body FROM runs WHERE (? = '' OR machine = ?) AND state <> 'withdrawn' ORDER BY start DESC LIMIT ?", machine, machine, limit)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	defer rows.Close()
	out := []RunSummary{}
	for rows.Next() {
		var raw []byte
		var r wire.Run
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		out = append(out, summary(&r))
	}
	return out, rows.Err()
}

// RunPage is one run with its evidence.
type RunPage struct {
	Run       RunDetails   `json:"run"`
	Tolerance float64      `json:"tolerance_m"` // the drawn path lies nowhere further off
	Points    []RunPoint   `json:"points"`
	Chart     []ChartPoint `json:"chart"`
	Places    []Place      `json:"places"`
}

// RunDetails is a run with all its numbers.
type RunDetails struct {
	wire.Run

	OnS    float64  `json:"on_s"`
	Litres *float64 `json:"litres"`
}

// RunPoint is a place of the path.
type RunPoint struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
	On  bool    `json:"on"`
}

// ChartPoint is a moment of the chart.
type ChartPoint struct {
	At   time.Time `json:"at"`
	Flow *float64  `json:"flow_lpm"`
	Tank *float64  `json:"tank_pct"`
	On   bool      `json:"on"`
}

// Place is a compound near the path.
type Place struct {
	Name    string       `json:"name"`
	Polygon []site.Point `json:"polygon"`
}

const (
	tolerance   = 1.0 // metres
	chartPoints = 400
	near        = 0.0015 // degrees around a path: some 150 m
)

// ErrNoRun says that there is no such run.
var ErrNoRun = errors.New("there is no such run")

// OneRun gives one run's page.
func (d *Desk) OneRun(ctx context.Context, machine, id string) (p RunPage, err error) {
	all, err := collectRows(ctx, d, "SELECT body FROM runs WHERE machine = ? AND run = ? AND state <> 'withdrawn'", machine, id)
	if err != nil {
		return p, err
	}
	if len(all) == 0 {
		return p, ErrNoRun
	}
	if err := json.Unmarshal(all[0], &p.Run.Run); err != nil {
		return p, fmt.Errorf("read a run: %w", err)
	}
	s := summary(&p.Run.Run)
	p.Run.OnS, p.Run.Litres, p.Tolerance = s.OnS, s.Litres, tolerance
	track, err := d.points(ctx, &p.Run.Run)
	if err != nil {
		return p, err
	}
	spans := work(&p.Run.Run, track)
	p.Points, p.Chart = path(track, p.Run.Start.Time, spans), chart(track, p.Run.Start.Time, spans)
	p.Places = d.places(p.Points)
	return p, nil
}

func collectRows(ctx context.Context, d *Desk, query string, args ...any) (out [][]byte, err error) {
	rows, err := d.r.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		out = append(out, raw)
	}
	return out, rows.Err()
}

// places gives the compounds that a path touches or passes.
func (d *Desk) places(path []RunPoint) []Place {
	out := []Place{}
	if len(path) == 0 {
		return out
	}
	south, north, west, east := path[0].Lat, path[0].Lat, path[0].Lon, path[0].Lon
	for _, p := range path {
		south, north, west, east = min(south, p.Lat), max(north, p.Lat), min(west, p.Lon), max(east, p.Lon)
	}
	for _, c := range d.opts.Sites.Compounds() {
		for _, pt := range c.Polygon {
			if pt[1] > south-near && pt[1] < north+near && pt[0] > west-near && pt[0] < east+near {
				out = append(out, Place{c.Name, c.Polygon})
				break
			}
		}
	}
	return out
}
