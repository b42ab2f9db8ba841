// Package presence knows which agents of the county live: from their statuses,
// which the broker retains and which may be out of date, and from their
// heartbeats.
package presence

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// SilentAfter is the age of a heartbeat at which an agent counts as silent,
// whatever its retained status says: a heartbeat and a half.
const SilentAfter = 15 * time.Second

// Agent is what is known of one agent.
type Agent struct {
	Agent string         `json:"agent"`
	State fact.LinkState `json:"state"` // online, offline, silent
	// BeatAge is how old the last heartbeat is; null: none was received.
	BeatAge *float64 `json:"beat_age_s"`
	// Backlog is how many records were not acknowledged at the last heartbeat;
	// null: none was received.
	Backlog *uint64 `json:"backlog"`
	Last    uint64  `json:"last"` // seq of the newest record
	// Oldest is when the oldest unacknowledged record was taken; null: none waits.
	Oldest *wire.Time `json:"oldest_at"`
	// FullInH is in how many hours its disk is full if nothing is acknowledged;
	// null: not known.
	FullInH  *int64             `json:"full_in_h"`
	Devices  []wire.BeatDevice  `json:"devices"`
	Machines []wire.BeatMachine `json:"machines,omitempty"`
	Version  string             `json:"version"`
	Troubles []wire.Trouble     `json:"troubles,omitempty"` // as it says itself
	// Rules are those of the county by which it decides; null: it says nothing of any.
	Rules *wire.RulesInForce `json:"rules,omitempty"`
	// Upgrade is how its computer stands to upgrades; null: it says nothing of any.
	Upgrade *wire.Upgrade `json:"upgrade,omitempty"`
	Skew    time.Duration `json:"-"`            // its clock less this one, at the last heartbeat
	Since   wire.Time     `json:"status_since"` // when the status was published
	Heard   time.Time     `json:"-"`            // when the last heartbeat was received; zero: none was
}

// Online reports whether the agent lives.
func (a Agent) Online() bool { return a.State == fact.Online }

// Stopped returns why nothing of the agent is delivered, as it says itself, or "".
func (a Agent) Stopped() fact.TroubleKind {
	for _, t := range a.Troubles {
		if t.Kind.StopsDelivery() {
			return t.Kind
		}
	}
	return ""
}

// Roll collects statuses and heartbeats. It is for one goroutine.
type Roll struct {
	agents    map[string]*messages
	listed    map[string]bool // agents that always have room
	collector *wire.CollectorStatus
}

// messages are the last ones of an agent.
type messages struct {
	status   wire.Status
	offline  time.Time // when the status was received, if it says offline
	beat     wire.Beat
	received time.Time // when the beat was; zero: none was
}

// MostAgents bounds the agents of a roll besides those it was made for: whoever
// may publish under any name can invent some.
const MostAgents = 2048

// NewRoll returns an empty roll, which has room for the given agents however
// many others there are.
func NewRoll(agents ...string) *Roll {
	r := &Roll{agents: map[string]*messages{}, listed: map[string]bool{}}
	for _, a := range agents {
		r.listed[a] = true
	}
	return r
}

// Collector returns the collector's last status; nil: none was received.
func (r *Roll) Collector() *wire.CollectorStatus { return r.collector }

// Receive takes a status or heartbeat that was received at now. Messages of
// other topics change nothing.
func (r *Roll) Receive(now time.Time, topic string, payload []byte) error {
	_, agent, leaf, ok := wire.ParseTopic(topic)
	switch {
	case !ok:
		return nil
	case leaf == wire.LeafStatus && agent == wire.CollectorID:
		return r.receiveCollector(payload)
	case leaf == wire.LeafStatus:
		return r.receiveStatus(now, agent, payload)
	case leaf == wire.LeafBeat:
		return r.receiveBeat(now, agent, payload)
	}
	return nil
}

func (r *Roll) receiveCollector(payload []byte) error {
	st, err := wire.Decode[wire.CollectorStatus](payload)
	if err != nil {
		return err
	}
	if r.collector == nil || !StaleCollector(*r.collector, st) {
		r.collector = &st
	}
	return nil
}

func (r *Roll) receiveStatus(now time.Time, agent string, payload []byte) error {
	st, err := wire.Decode[wire.Status](payload)
	if err != nil {
		return err
	}
	m, err := r.of(agent)
	if err != nil || Stale(m.status, st) {
		return err
	}
	m.status = st
	if st.State == fact.Offline {
		m.offline = now
	}
	return nil
}

func (r *Roll) receiveBeat(now time.Time, agent string, payload []byte) error {
	b, err := wire.Decode[wire.Beat](payload)
	if err != nil {
		return err
	}
	m, err := r.of(agent)
	if err != nil {
		return err
	}
	m.beat, m.received = b, now
	return nil
}

func (r *Roll) of(agent string) (*messages, error) {
	m := r.agents[agent]
	if m == nil {
		if len(r.agents) >= MostAgents+len(r.listed) && !r.listed[agent] {
			return nil, fmt.Errorf("more than %d agents that the site file does not list: %s is not shown",
				MostAgents, agent)
		}
		m = &messages{}
		r.agents[agent] = m
	}
	return m, nil
}

// sameConnect is how far apart the last will and the status of one connection
// may have been written.
const sameConnect = time.Second

// Stale reports whether next is the last will of a connection that ended before
// the one of held was made: the broker published it late. Both carry when their
// connection was made.
func Stale(held, next wire.Status) bool {
	return next.State == fact.Offline && held.State == fact.Online &&
		next.At.Add(sameConnect).Before(held.At.Time)
}

// StaleCollector reports whether next is the last will of a start of the
// collector before the one of held.
func StaleCollector(held, next wire.CollectorStatus) bool {
	return next.State == fact.Offline && held.State == fact.Online &&
		next.Start != held.Start && next.At.Before(held.At.Time)
}

// Agents returns the agents in the order of their names. listened is for how
// long messages have been received: an agent without a heartbeat is silent only
// if that is longer than SilentAfter.
func (r *Roll) Agents(now time.Time, listened time.Duration) []Agent {
	var out []Agent
	for _, name := range slices.Sorted(maps.Keys(r.agents)) {
		out = append(out, r.agents[name].agent(name, now, listened))
	}
	return out
}

func (m *messages) agent(name string, now time.Time, listened time.Duration) Agent {
	st, b := m.status, m.beat
	a := Agent{
		Agent: name, State: st.State, Version: st.Version, Since: st.At,
		Devices: b.Devices, Machines: b.Machines, Last: b.Last, Oldest: b.Oldest, FullInH: b.FullInH,
		Troubles: wire.Bounded(b.Troubles), Rules: cmp.Or(b.Rules, st.Rules),
		Upgrade: b.Upgrade.Bounded(),
	}
	silent := listened > SilentAfter
	if !m.received.IsZero() {
		age := now.Sub(m.received)
		silent = age > SilentAfter
		a.BeatAge, a.Heard = new(age.Seconds()), m.received
		a.Skew = b.At.Sub(m.received)
		a.Backlog = new(b.Last - min(b.Last, b.Through))
	}
	if a.State == fact.Offline && m.received.After(m.offline) {
		a.State = fact.Online // it sends heartbeats: the last will was an earlier connection's
	}
	if a.State != fact.Offline && silent {
		a.State = fact.Silent
	}
	return a
}
