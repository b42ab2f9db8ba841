package desk

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// Totals are the county's figures.
type Totals struct {
	Hour        int64                `json:"hour"`     // unix hours: what this_hour counts
	ThisHour    map[fact.Verdict]int `json:"verdicts"` // since the hour began
	Quarantined int                  `json:"quarantined"`
	Lost        int                  `json:"lost"` // records that holes stand for
}

// Centre is how the county's own machine does.
type Centre struct {
	Fault    string     `json:"fault,omitempty"`  // its worst problem
	Store    string     `json:"store"`            // what stores
	Keeps    string     `json:"keeps,omitempty"`  // for how long it keeps records; empty: for ever
	Backup   *time.Time `json:"backup,omitempty"` // of the last good one; nil: none is known
	Stored   *time.Time `json:"stored,omitempty"` // last commit
	Catching bool       `json:"catching"`         // the desk is reading the store
	Version  string     `json:"version"`
	// Troubles are its problems and warnings, problems first.
	Troubles []wire.Trouble `json:"troubles"`
}

// centre is what the desk knows of the county's own side.
type centre struct {
	mu   sync.Mutex // guards last
	last seen       // for the probes

	identities atomic.Pointer[registry.Registry] // nil: not yet, or none

	// The Run goroutine's own:
	counted, kept, pruned time.Time // when it was last done
	catching              bool      // at the last look
	began                 time.Time // when the desk began to listen
	stopped               time.Time // since when no gate at all delivers; see findings
}

// seen is what was found at the last look.
type seen struct {
	at       time.Time // of the look; zero: there was none
	centre   Centre
	agents   []presence.Agent
	machines map[fact.MachineState]int
	hour     map[fact.Verdict]int // since the hour began
	fleet    []fleet.Machine
}

// totals shows the county's figures after each transaction.
type totals struct{ d *Desk }

// Kinds implements follow.Follower.
func (totals) Kinds() []wire.Kind { return nil }

// Apply implements follow.Follower.
func (t totals) Apply(context.Context, *sql.Tx, time.Time, []follow.Entry) (follow.Committed, error) {
	return func(context.Context) error { return t.d.showTotals(t.d.opts.Now()) }, nil
}

// Reset implements follow.Follower.
func (t totals) Reset(context.Context, *sql.Tx, string, string) (follow.Committed, error) {
	return nil, nil
}

func (d *Desk) showTotals(now time.Time) error {
	var t Totals
	t.Hour, t.ThisHour = d.Passages.ThisHour(now)
	t.Quarantined, t.Lost = d.followers.refused.Lost()
	return live.Set(d.Hub, "totals", t)
}

// showCentre shows the pages, and keeps for the probes, how the county's own
// machine does.
func (d *Desk) showCentre(now time.Time, agents []presence.Agent) error {
	state := d.followers.loop.State()
	d.judge(now, agents)
	troubles := d.opts.Health.Troubles(now)
	c := Centre{Store: d.opts.Store, Keeps: d.opts.Keeps(), Catching: state.Catching, Version: d.opts.Version,
		Fault: worst(troubles), Troubles: troubles}
	if !state.Stored.IsZero() {
		c.Stored = new(state.Stored.UTC().Truncate(time.Second))
	}
	if at := d.opts.Backup(); !at.IsZero() {
		c.Backup = new(at.UTC().Truncate(time.Second))
	}
	s := seen{at: now, centre: c, agents: agents, machines: d.followers.fleet.States(),
		fleet: d.followers.fleet.All()}
	_, hour := d.Passages.ThisHour(now)
	s.hour = maps.Clone(hour)
	d.centre.mu.Lock()
	d.centre.last = s
	d.centre.mu.Unlock()
	return errors.Join(d.showTotals(now), live.Set(d.Hub, "centre", c))
}

func (d *Desk) lastSeen() seen {
	d.centre.mu.Lock()
	defer d.centre.mu.Unlock()
	return d.centre.last
}
