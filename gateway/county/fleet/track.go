package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// moment is a point of a track with its time.
type moment struct {
	at time.Time
	wire.TrackPoint
}

// track reads the track that a run's numbers are of.
func (r *Runs) track(ctx context.Context, q db.Querier, run *wire.Run) (out []moment, err error) {
	file := ""
	if run.Source == wire.SourceImport && len(run.ID) > len("import-") {
		file = run.ID[len("import-"):]
	}
	const rounding = 2 * time.Millisecond
	from, to := run.Start.Add(-2*time.Second), run.End.Add(2*time.Second)
	if run.Since != nil && run.Until != nil {
		from, to = run.Since.Add(-rounding), run.Until.Add(rounding)
	}
	for part, err := range db.Rows(ctx, q, scanTrack,
		"SELECT at, points FROM tracks WHERE machine = ? AND file = ? AND at BETWEEN ? AND ? ORDER BY at",
		run.Machine, file, from.Add(-time.Minute).UnixNano(), to.UnixNano()) {
		if err != nil {
			return nil, fmt.Errorf("read a track: %w", err)
		}
		for _, m := range part {
			if !m.at.Before(from) && !m.at.After(to) {
				out = append(out, m)
			}
		}
	}
	return out, nil
}

func scanTrack(r db.Row) (out []moment, err error) {
	var at int64
	var raw []byte
	var points []wire.TrackPoint
	if err := r.Scan(&at, &raw); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &points); err != nil {
		return nil, err
	}
	for _, p := range points {
		out = append(out, moment{time.Unix(0, at).UTC().Add(time.Duration(p.TMS) * time.Millisecond), p})
	}
	return out, nil
}

// work returns when a run worked, from its start, as its record says it.
func work(r *wire.Run, track []moment) (out []runs.Span) {
	if r.Until == nil {
		return workOfTrack(r, track)
	}
	for _, w := range r.Work {
		from, to := time.Duration(w[0])*time.Millisecond, time.Duration(w[1])*time.Millisecond
		out = append(out, runs.Span{From: from, To: to})
	}
	return out
}

// workOfTrack finds in its track when a run worked: the record of an earlier
// program does not say it.
func workOfTrack(r *wire.Run, track []moment) (out []runs.Span) {
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
			after := found.Start.Sub(r.Start.Time)
			out = append(out, runs.Span{From: w.From + after, To: w.To + after})
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

// path returns the way between the positions that can be true; the machine
// worked on a stretch if it worked in its middle.
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

// chart returns at most chartPoints moments: means of equal parts of the track.
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
