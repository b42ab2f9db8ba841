package presence

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// Alerts raises and clears the alarms that the county itself finds.
type Alerts interface {
	Raise(ctx context.Context, now time.Time, kind fact.AlarmType, agent, detail string) error
	Clear(ctx context.Context, now time.Time, kind fact.AlarmType, agent string) error
	// Holding returns the agents of whom an alarm of a type holds.
	Holding(ctx context.Context, kind fact.AlarmType) ([]string, error)
}

// Delivered knows what agents have delivered.
type Delivered interface {
	// Through returns the seq up to which the store had a journal.
	Through(jid string) uint64
	// Knows reports whether an agent ever delivered anything.
	Knows(agent string) bool
}

// Options are those of Open.
type Options struct {
	File      *db.File // with the table of Schema
	Hub       *live.Hub
	Gates     []string // the agents that the site file lists
	Alerts    Alerts
	Delivered Delivered
	// Bridges reports whether an agent bridges machines: unless it is listed, its
	// silence is no alert, because it is switched off when there is no work.
	Bridges func(agent string) bool
	// Refused is called when an agent's heartbeats can't be believed.
	Refused func(agent, why string)
	Log     *slog.Logger
}

// Presence knows who lives, and raises alarms about who does not and about
// journals that are lost or used twice. Receive, Linked and Attend may be called
// from any goroutine, the other methods from the one that follows the store.
type Presence struct {
	opts   Options
	listed map[string]bool // the opts.Gates
	began  time.Time

	mu    sync.Mutex // guards what follows
	roll  *Roll
	beats map[string][]wire.Beat // by agent, since the last look
	ear   ear

	silences *silences
	lineages *lineages
	shown    map[string]fact.LinkState // each agent's state on its tile
}

// mostBeats bounds the heartbeats of an agent that are kept between two looks.
const mostBeats = 16

// Open reads what was known before, and begins to listen at now. It shows each
// agent on the hub as g:<agent>.
func Open(ctx context.Context, opts Options, now time.Time) (*Presence, error) {
	roll := NewRoll(opts.Gates...)
	p := &Presence{opts: opts, listed: roll.listed, began: now, roll: roll, beats: map[string][]wire.Beat{},
		ear: ear{since: now}, shown: map[string]fact.LinkState{}}
	var errs [2]error
	p.silences, errs[0] = loadSilences(ctx, opts.Alerts, now)
	p.lineages, errs[1] = loadLineages(ctx, opts, now)
	return p, errors.Join(errs[:]...)
}

// Receive takes a status or heartbeat that was received at now.
func (p *Presence) Receive(now time.Time, topic string, payload []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, agent, leaf, ok := wire.ParseTopic(topic)
	beat := ok && leaf == wire.LeafBeat
	if beat && len(p.beats[agent]) >= mostBeats {
		return // an agent that sends one after the other must not hold up the others'
	}
	if err := p.roll.Receive(now, topic, payload); err != nil {
		p.opts.Log.Debug("a status that can't be read", "topic", topic, "err", err)
		return
	}
	if beat {
		if b, err := wire.Decode[wire.Beat](payload); err == nil && b.Check() == nil {
			p.beats[agent] = append(p.beats[agent], b)
		}
	}
}

// Linked says whether statuses and heartbeats can be received since now: while
// they can't, no agent is blamed for its silence.
func (p *Presence) Linked(now time.Time, up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ear.linked(now, up)
}

// Attend notes that the process runs. It is called every second, by a goroutine
// that does nothing else.
func (p *Presence) Attend(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ear.attend(now)
}

// HeardSince returns since when gates can be heard without a break; now while they can't.
func (p *Presence) HeardSince(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.ear.hearing()
	if !h.deaf.IsZero() {
		return now
	}
	return h.since
}

// Collector returns the collector's last status; nil: none was received.
func (p *Presence) Collector() *wire.CollectorStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.roll.Collector()
}

// Look finds out how every agent is at now, shows it, and raises and clears
// alarms. It returns the agents, and those of the site file that were not heard
// of since the start.
func (p *Presence) Look(ctx context.Context, now time.Time) ([]Agent, error) {
	p.mu.Lock()
	p.ear.look(now)
	heard := p.ear.hearing()
	agents := p.roll.Agents(now, now.Sub(p.began))
	beats := p.beats
	p.beats = map[string][]wire.Beat{}
	p.mu.Unlock()
	errs := []error{p.lineages.look(ctx, now, beats)}
	signs := map[string]sign{}
	known := map[string]bool{}
	for i, a := range agents {
		a.State = p.stateOf(now, a, heard.since)
		agents[i], known[a.Agent] = a, true
		if p.listed[a.Agent] || !p.opts.Bridges(a.Agent) {
			signs[a.Agent] = signOf(now, a)
		}
		errs = append(errs, p.show(a))
	}
	for _, gate := range p.opts.Gates {
		if !known[gate] {
			a := p.unheard(now, gate, heard.since, signs)
			agents = append(agents, a)
			errs = append(errs, p.show(a))
		}
	}
	errs = append(errs, p.raise(ctx, now, p.silences.judge(now, signs, heard)))
	return agents, errors.Join(errs...)
}

// unheard returns a gate of which nothing was heard since the start. It is
// silent if it was ever known.
func (p *Presence) unheard(now time.Time, gate string, since time.Time, signs map[string]sign) Agent {
	if !p.opts.Delivered.Knows(gate) && !p.lineages.knows(gate) {
		return Agent{Agent: gate, State: fact.Never}
	}
	signs[gate] = unknown
	if now.Sub(since) > SilentAfter {
		signs[gate] = quiet
	}
	return Agent{Agent: gate, State: fact.Silent}
}

// stateOf returns how an agent is shown: as before while nobody can know.
func (p *Presence) stateOf(now time.Time, a Agent, since time.Time) fact.LinkState {
	if a.State == fact.Silent && a.Heard.Before(since) && now.Sub(since) <= SilentAfter {
		a.State = fact.Online
		if before := p.shown[a.Agent]; before != "" {
			a.State = before
		}
	}
	p.shown[a.Agent] = a.State
	return a.State
}

// raise raises and clears what was found of silences.
func (p *Presence) raise(ctx context.Context, now time.Time, found []finding) error {
	var errs []error
	for _, f := range found {
		var err error
		if f.detail != "" {
			err = p.opts.Alerts.Raise(ctx, now, f.kind, f.agent, f.detail)
		} else {
			err = p.opts.Alerts.Clear(ctx, now, f.kind, f.agent)
		}
		if err == nil {
			p.silences.raised(f)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
