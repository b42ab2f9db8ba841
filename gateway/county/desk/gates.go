package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// Gate is a tile: how one gate stands.
type Gate struct {
	Agent   string            `json:"agent"`
	State   fact.LinkState    `json:"state"`               // online, offline, silent, never
	Heard   *time.Time        `json:"heard,omitempty"`     // last heartbeat
	Backlog *uint64           `json:"backlog,omitempty"`   // at the last heartbeat
	Last    uint64            `json:"last,omitempty"`      // newest record then
	Oldest  *time.Time        `json:"oldest,omitempty"`    // when the oldest unacknowledged record was taken
	FullInH *int64            `json:"full_in_h,omitempty"` // hours until its disk is full if nothing is acknowledged
	Devices []wire.BeatDevice `json:"devices,omitempty"`   //
	Version string            `json:"version,omitempty"`   //
}

// Passage is one verdict for the pages.
type Passage struct {
	At        time.Time     `json:"at"`
	Agent     string        `json:"agent"`
	Verdict   fact.Verdict  `json:"verdict"`
	Reasons   []fact.Reason `json:"reasons"`
	Screening *fact.Temp    `json:"screening_c,omitempty"`
	Ambient   *fact.Temp    `json:"ambient_c,omitempty"`
	Direction string        `json:"direction,omitempty"`
	Class     string        `json:"class,omitempty"`
}

// Totals are the county's figures.
type Totals struct {
	Hour        int64                `json:"hour"`     // unix hours: what this_hour counts
	ThisHour    map[fact.Verdict]int `json:"verdicts"` // since the hour began
	Quarantined int                  `json:"quarantined"`
	Lost        int                  `json:"lost"` // records that holes stand for
}

// Centre is how the county's own machine does.
type Centre struct {
	Fault    string     `json:"fault,omitempty"`  // why nothing is stored, or the desk is behind
	Store    string     `json:"store"`            // what stores
	Stored   *time.Time `json:"stored,omitempty"` // last commit
	Catching bool       `json:"catching"`         // the desk is reading the store
	Version  string     `json:"version"`
}

type day struct {
	hour     int64
	verdicts map[fact.Verdict]int
}

const feedLength = 14

// fewWaiting records are no backlog.
const fewWaiting = 20

// load reads what the desk knows.
func (d *Desk) load(ctx context.Context) error {
	d.progress = map[string]uint64{}
	rows, err := d.r.QueryContext(ctx, "SELECT jid, agent, through FROM progress")
	if err != nil {
		return fmt.Errorf("read the desk: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var jid, agent string
		var through uint64
		if err := rows.Scan(&jid, &agent, &through); err != nil {
			return fmt.Errorf("read the desk: %w", err)
		}
		d.progress[jid], d.known[agent] = through, true
	}
	return errors.Join(rows.Err(), d.loadLatest(ctx), d.loadSilences(ctx), d.loadMachines(ctx), d.loadLineages(ctx), d.loadConflicts(ctx), d.loadRefused(ctx))
}

// start gives the pages what is known at the start.
func (d *Desk) start(ctx context.Context) error {
	err := errors.Join(live.Set(d.Hub, "tree", d.opts.Sites.Tree()), d.feedAgain(ctx), live.Set(d.Hub, "feed", d.feed), d.count(ctx))
	list, errs := d.alerts(ctx, open+" ORDER BY "+urgentFirst+" LIMIT ?", listed)
	for _, a := range list {
		errs = errors.Join(errs, d.tell(ctx, a.ID))
	}
	return errors.Join(err, errs, d.look(ctx, time.Now()))
}

// publish tells the pages and the memory what a transaction did.
func (d *Desk) publish(ctx context.Context, in *intake) error {
	for jid, p := range in.through {
		d.progress[jid], d.known[p.agent] = p.through, true
	}
	var errs []error
	for id := range in.alerts {
		errs = append(errs, d.tell(ctx, id))
	}
	for k, h := range in.hours {
		if k.hour > d.today.hour {
			d.today = day{hour: k.hour, verdicts: map[fact.Verdict]int{}}
		}
		if k.hour == d.today.hour {
			for v, n := range h.verdicts {
				d.today.verdicts[v] += n
			}
		}
	}
	if len(in.fresh) > 0 && !in.rebuild {
		for _, p := range in.fresh {
			d.feed = append([]Passage{p}, d.feed...)
		}
		d.feed = d.feed[:min(len(d.feed), feedLength)]
		errs = append(errs, live.Set(d.Hub, "feed", d.feed))
	}
	errs = append(errs, d.publishMachines(ctx, in))
	d.totals()
	return errors.Join(errs...)
}

// look sees who is there, and what silence means.
func (d *Desk) look(ctx context.Context, now time.Time) error {
	d.looked = now
	deaf := d.unbroken(now)
	d.mu.Lock()
	lines := d.roll.Agents(now, now.Sub(d.began))
	collector, fenced := d.roll.Collector(), d.standsDown
	heard := d.heard
	d.heard = map[string][]wire.Beat{}
	refused := d.refused
	d.refused = map[string]refusal{}
	d.mu.Unlock()
	errs := []error{d.journals(ctx, now, heard), d.refusals(ctx, now, refused)}
	seen, states, backlog := map[string]bool{}, map[fact.LinkState]int{}, uint64(0)
	stand := map[string]hearing{}
	for _, l := range lines {
		l.State = d.stateOf(now, l)
		states[l.State]++
		if l.Backlog != nil {
			backlog += *l.Backlog
		}
		seen[l.Agent], d.known[l.Agent] = true, true
		d.beats(l)
		errs = append(errs, d.tile(l))
		if _, _, _, listed := d.opts.Sites.Place(l.Agent); listed || !d.bridges[l.Agent] {
			stand[l.Agent] = presenceOf(now, l) // machines are switched off when there is no work
		}
	}
	for _, agent := range d.opts.Sites.Agents() {
		if seen[agent] {
			continue
		}
		state := fact.Never
		if d.known[agent] {
			state, stand[agent] = fact.Silent, unknown
			if now.Sub(d.since) > presence.SilentAfter {
				stand[agent] = quiet
			}
		}
		states[state]++
		errs = append(errs, live.Set(d.Hub, "g:"+agent, Gate{Agent: agent, State: state}))
	}
	errs = append(errs, d.hush(ctx, now, stand, deaf), d.lookMachines(now), d.lookCentre(collector, fenced, states, backlog))
	return errors.Join(errs...)
}

// lookCentre tells pages and probes how the county's own machine does.
func (d *Desk) lookCentre(collector *wire.CollectorStatus, fenced string, states map[fact.LinkState]int, backlog uint64) error {
	c := Centre{Store: d.opts.Store, Catching: d.catching, Version: d.opts.Version, Fault: d.fault}
	if collector != nil && collector.Fault != "" {
		c.Fault = collector.Fault
	}
	if fenced != "" {
		c.Fault = fenced
	}
	if !d.stored.IsZero() {
		t := d.stored.UTC().Truncate(time.Second)
		c.Stored = &t
	}
	d.totals()
	d.mu.Lock()
	d.public = public{centre: c, totals: d.figures(), states: states, backlog: backlog}
	d.mu.Unlock()
	return live.Set(d.Hub, "centre", c)
}

func (d *Desk) tile(l presence.Agent) error {
	g := Gate{Agent: l.Agent, State: l.State, Backlog: l.Backlog, Last: l.Last, Version: l.Version, Devices: slices.Clone(l.Devices)}
	for i := range g.Devices {
		g.Devices[i].IdleS = 0 // it changes all the time and no tile shows it
	}
	if l.Backlog != nil && *l.Backlog > fewWaiting {
		// The newest record always waits for a moment, which no page needs.
		if l.Oldest != nil {
			g.Oldest = &l.Oldest.Time
		}
		g.FullInH = l.FullInH
	}
	if !l.Heard.IsZero() {
		t := l.Heard.UTC()
		g.Heard = &t
	}
	return live.Set(d.Hub, "g:"+l.Agent, g)
}

// count sees what was not stored.
func (d *Desk) count(ctx context.Context) (err error) {
	d.quarantined, d.lost, err = d.opts.Losses.Losses(ctx)
	d.totals()
	return errors.Join(err, d.conflicts(ctx, time.Now()))
}

// totals gives the pages the county's figures.
func (d *Desk) totals() {
	if err := live.Set(d.Hub, "totals", d.figures()); err != nil {
		d.log.Error("tell the county's figures", "err", err)
	}
}

func (d *Desk) figures() Totals {
	t := Totals{Hour: d.today.hour, ThisHour: d.today.verdicts}
	if t.ThisHour == nil {
		t.ThisHour = map[fact.Verdict]int{}
	}
	if time.Now().Unix()/3600 > t.Hour {
		t.Hour, t.ThisHour = time.Now().Unix()/3600, map[fact.Verdict]int{}
	}
	t.Quarantined, t.Lost = d.quarantined, d.lost
	return t
}

func (d *Desk) setFault(text string) { d.fault = text }
