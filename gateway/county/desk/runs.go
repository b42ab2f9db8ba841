package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

// RunSummary is a line of the list of runs.
type RunSummary struct {
	Machine   string        `json:"machine"`
	Name      string        `json:"name"`
	Type      string        `json:"type"`
	ID        string        `json:"run"`
	State     wire.RunState `json:"state"`
	Source    string        `json:"source"`
	Operator  string        `json:"operator"`
	Start     time.Time     `json:"start"`
	End       time.Time     `json:"end"`
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
		Start: r.Start.Time, End: r.End.Time, Sorties: r.Sorties, OnS: r.FlowS, DistanceM: r.DistanceM, Litres: r.MeterL, TankL: r.TankL,
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
	markOn(track, p.Run.Source)
	p.Points, p.Chart = path(track), chart(track)
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

// moment is a point of a track with its time.
type moment struct {
	at time.Time
	wire.TrackPoint

	on bool // it worked from then to the next
}

// points reads a run's track, with the moment before it.
func (d *Desk) points(ctx context.Context, r *wire.Run) (out []moment, err error) {
	file := ""
	if r.Source == wire.SourceImport && len(r.ID) > len("import-") {
		file = r.ID[len("import-"):]
	}
	rows, err := d.r.QueryContext(ctx, "SELECT at, points FROM tracks WHERE machine = ? AND file = ? AND at BETWEEN ? AND ? ORDER BY at",
		r.Machine, file, r.Start.Add(-time.Minute).UnixNano(), r.End.UnixNano())
	if err != nil {
		return nil, fmt.Errorf("read a track: %w", err)
	}
	defer rows.Close()
	from, to := r.Start.Add(-2*time.Second), r.End.Add(2*time.Second)
	for rows.Next() {
		var at int64
		var raw []byte
		var points []wire.TrackPoint
		if err := rows.Scan(&at, &raw); err != nil {
			return nil, fmt.Errorf("read a track: %w", err)
		}
		if err := json.Unmarshal(raw, &points); err != nil {
			return nil, fmt.Errorf("read a track: %w", err)
		}
		for _, p := range points {
			if t := instant(at).Add(time.Duration(p.TMS) * time.Millisecond); !t.Before(from) && !t.After(to) {
				out = append(out, moment{at: t, TrackPoint: p})
			}
		}
	}
	return out, rows.Err()
}

// markOn tells where it worked: it flowed, or, where nothing measures that, it
// was told to. What it did in a gap is not known. A file's points may lie far
// apart.
func markOn(track []moment, source string) {
	gap := 5 * time.Second
	switch source {
	case wire.SourceReport:
		gap = 15 * time.Second
	case wire.SourceImport:
		gap = 24 * time.Hour
	}
	for i := range track {
		m := &track[i]
		m.on = m.Command != nil && *m.Command || m.Command == nil && source == wire.SourceImport
		if m.Flow != nil {
			m.on = *m.Flow > 0.01
		}
		if i+1 < len(track) && track[i+1].at.Sub(m.at) > gap {
			m.on = false
		}
	}
}

func path(track []moment) []RunPoint {
	var all []runs.Point
	for _, m := range track {
		if m.Lat != nil && m.Lon != nil {
			all = append(all, runs.Point{Lat: *m.Lat, Lon: *m.Lon, On: m.on})
		}
	}
	out := []RunPoint{}
	for _, i := range runs.Thin(all, tolerance) {
		out = append(out, RunPoint{all[i].Lat, all[i].Lon, all[i].On})
	}
	return out
}

// chart gives at most chartPoints moments: means of equal spans.
func chart(track []moment) []ChartPoint {
	out := []ChartPoint{}
	step := max(1, (len(track)+chartPoints-1)/chartPoints)
	for i := 0; i < len(track); i += step {
		part := track[i:min(len(track), i+step)]
		c := ChartPoint{At: part[0].at}
		c.Flow = mean(part, func(m moment) *float64 { return m.Flow })
		c.Tank = mean(part, func(m moment) *float64 { return m.Tank })
		for _, m := range part {
			c.On = c.On || m.on
		}
		out = append(out, c)
	}
	return out
}

func mean(part []moment, of func(moment) *float64) *float64 {
	sum, n := 0.0, 0
	for _, m := range part {
		if v := of(m); v != nil {
			sum += *v
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return new(float64(int64(sum/float64(n)*1000+0.5)) / 1000)
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
