package desk

import (
	"context"
	"errors"

	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
)

// Standing is how gates and machines stand, for other systems: no record of a person is in
// it.
type Standing struct {
	Agents   []presence.Agent
	Machines []fleet.Machine
	Alerts   map[string]int                  // open ones, by agent
	Hours    map[string]map[fact.Verdict]int // passages since the hour began, by agent
}

// Standing returns how gates and machines stand, as the desk has found at its last look. It
// may be called from any goroutine.
func (d *Desk) Standing(ctx context.Context) (Standing, error) {
	s := d.lastSeen()
	alerts, err := d.Alerts.OpenOf(ctx)
	hours, err2 := d.Passages.OfGates(ctx, d.opts.Now())
	return Standing{Agents: s.agents, Machines: s.fleet, Alerts: alerts, Hours: hours}, errors.Join(err, err2)
}

// Seen returns the agents as the last look has found them. It may be called from any goroutine.
func (d *Desk) Seen() []presence.Agent { return d.lastSeen().agents }
