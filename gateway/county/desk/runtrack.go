package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// moment is a point of a track with its time.
type moment struct {
	at time.Time
	wire.TrackPoint
}

// points reads the track that a run's numbers are of.
func (d *Desk) points(ctx context.Context, r *wire.Run) (out []moment, err error) {
	file := ""
	if r.Source == wire.SourceImport && len(r.ID) > len("import-") {
		file = r.ID[len("import-"):]
	}
	const rounding = 2 * time.Millisecond
	from, to := r.Start.Add(-2*time.Second), r.End.Add(2*time.Second)
	if r.Since != nil && r.Until != nil {
		from, to = r.Since.Add(-rounding), r.Until.Add(rounding)
	}
	const query = "SELECT at, points FROM tracks WHERE machine = ? AND file = ? AND at BETWEEN ? AND ? ORDER BY at"
	rows, err := d.r.QueryContext(ctx, query,
		r.Machine, file, from.Add(-time.Minute).UnixNano(), to.UnixNano())
	if err != nil {
		return nil, fmt.Errorf("read a track: %w", err)
	}
	defer rows.Close()
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

// work is when a run worked, as whoever found it says; of a run that an earlier
// program found, its track is read again.
func work(r *wire.Run, track []moment) (out []runs.Span) {
	if r.Until != nil {
		for _, w := range r.Work {
			from, to := time.Duration(w[0])*time.Millisecond, time.Duration(w[1])*time.Millisecond
			out = append(out, runs.Span{From: from, To: to})
		}
		return out
	}
	cfg := machine.Config{Machine: r.Machine, TankL: r.TankSizeL}
	fuser := runs.Fuser{Fresh: machine.Fresh(r.Source)}
	var samples []runs.Sample
	for _, m := range track {
		p := m.TrackPoint
		p.TMS = 0
		s := machine.Sample(p, m.at, time.Duration(m.at.UnixNano()))
		if r.Source == wire.SourceImport && s.Command == nil {
			s.Command = new(true)
		}
		fuser.Take(s)
		if s, ok := fuser.Sample(s.At, s.T); ok {
			samples = append(samples, s)
		}
	}
	for _, found := range runs.Segment(cfg.RunsOf(r.Source), samples) {
		for _, w := range found.Work {
			late := found.Start.Sub(r.Start.Time)
			out = append(out, runs.Span{From: w.From + late, To: w.To + late})
		}
	}
	return out
}

// worked reports whether some of a stretch of time lies in spans.
func worked(spans []runs.Span, from, to time.Duration) bool {
	for _, s := range spans {
		if s.From < to && s.To > from {
			return true
		}
	}
	return false
}

// path gives the way between the positions that can be true; a stretch is of
// work if the machine worked in its middle.
func path(track []moment, start time.Time, spans []runs.Span) []RunPoint {
	var way runs.Way
	var all []runs.Point
	var at []time.Duration
	for _, m := range track {
		if m.Lat == nil || m.Lon == nil {
			continue
		}
		t := m.at.Sub(start)
		if _, found := way.Take(*m.Lat, *m.Lon, t); found != runs.Jumped {
			all, at = append(all, runs.Point{Lat: *m.Lat, Lon: *m.Lon}), append(at, t)
		}
	}
	for i := 1; i < len(all); i++ {
		middle := (at[i-1] + at[i]) / 2
		all[i-1].On = worked(spans, middle, middle+1)
	}
	out := []RunPoint{}
	for _, i := range runs.Thin(all, tolerance) {
		out = append(out, RunPoint{all[i].Lat, all[i].Lon, all[i].On})
	}
	return out
}

// chart gives at most chartPoints moments: means of equal spans.
func chart(track []moment, start time.Time, spans []runs.Span) []ChartPoint {
	out := []ChartPoint{}
	step := max(1, (len(track)+chartPoints-1)/chartPoints)
	for i := 0; i < len(track); i += step {
		part := track[i:min(len(track), i+step)]
		c := ChartPoint{At: part[0].at}
		c.Flow = mean(part, func(m moment) *float64 { return m.Flow })
		c.Tank = mean(part, func(m moment) *float64 { return m.Tank })
		if i+step < len(track) {
			c.On = worked(spans, c.At.Sub(start), track[i+step].at.Sub(start))
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
