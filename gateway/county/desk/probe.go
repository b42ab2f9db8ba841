package desk

import (
	"context"
	"fmt"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/probe"
)

// public is what the probes are told.
type public struct {
	centre  Centre
	totals  Totals
	states  map[fact.LinkState]int // of the gates
	backlog uint64
}

func (d *Desk) state() public {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.public
}

// Ready implements probe.Prober: the centre is ready when it stores what comes
// and shows it.
func (d *Desk) Ready() probe.Ready {
	r := probe.Ready{Problems: []string{}, Warnings: []string{}}
	s := d.state()
	if s.centre.Fault != "" {
		r.Problems = append(r.Problems, s.centre.Fault)
	}
	if s.centre.Catching {
		r.Warnings = append(r.Warnings, "the desk is catching up with the store")
	}
	if n := s.states[fact.Silent] + s.states[fact.Offline]; n > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d gates are silent", n))
	}
	if s.totals.Quarantined > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d messages are in quarantine", s.totals.Quarantined))
	}
	return r
}

// Metrics implements probe.Prober.
func (d *Desk) Metrics() []probe.Metric {
	s := d.state()
	one := func(v float64) map[string]float64 { return map[string]float64{"": v} }
	gates := map[string]float64{}
	for k, n := range s.states {
		gates[string(k)] = float64(n)
	}
	stored := 0.0
	if s.centre.Stored != nil {
		stored = float64(s.centre.Stored.Unix())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var waiting float64
	if err := d.r.QueryRowContext(ctx, "SELECT count(*) FROM alerts WHERE "+open).Scan(&waiting); err != nil {
		d.log.Warn("count alerts for a probe", "err", err)
	}
	return []probe.Metric{
		{Name: "gatehouse_gates", Help: "Gates by state.", Label: "state", Value: gates},
		{Name: "gatehouse_backlog_records", Help: "Records that gates had not delivered at their last heartbeats.", Value: one(float64(s.backlog))},
		{Name: "gatehouse_alerts_open", Help: "Alerts that hold, or that nobody has acknowledged.", Value: one(waiting)},
		{Name: "gatehouse_quarantined_messages", Help: "What could not be stored.", Value: one(float64(s.totals.Quarantined))},
		{Name: "gatehouse_refused_messages", Help: "Messages of agents that were not taken: see the alerts.",
			Value: one(float64(d.refusedMessages()))},
		{Name: "gatehouse_lost_records", Help: "Records that holes stand for.", Value: one(float64(s.totals.Lost))},
		{Name: "gatehouse_last_commit_timestamp_seconds", Help: "When the store last took something.", Value: one(stored)},
		{Name: "gatehouse_desk_pages", Help: "Pages that show the desk.", Value: one(float64(d.Hub.Pages()))},
	}
}
