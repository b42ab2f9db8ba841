package watch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/term"
	"gatehouse/gateway/wire"
)

// SilentAfter is the age of a heartbeat at which an agent counts as silent,
// whatever its retained status says: a heartbeat and a half.
const SilentAfter = 15 * time.Second

// Line of the roll: one agent.
type Line struct {
	Agent    string             `json:"agent"`
	State    string             `json:"state"`      // online, offline, silent
	BeatAge  *float64           `json:"beat_age_s"` // null: none was heard
	Backlog  *uint64            `json:"backlog"`    // records not acknowledged at the last heartbeat; null: none was heard
	Last     uint64             `json:"last"`       // newest record
	Oldest   *wire.Time         `json:"oldest_at"`  // when the oldest unacknowledged record was taken; null: none waits
	FullInH  *int64             `json:"full_in_h"`  // hours until its disk is full if nothing is acknowledged; null: not known
	Devices  []wire.BeatDevice  `json:"devices"`    //
	Machines []wire.BeatMachine `json:"machines,omitempty"`
	Version  string             `json:"version"`      //
	Since    wire.Time          `json:"status_since"` // when the status was published
	Heard    time.Time          `json:"-"`            // when the last heartbeat came; zero: none
}

// Roll collects who is there. Its methods are for one goroutine.
type Roll struct {
	agents    map[string]*present
	listed    map[string]bool // always have room
	Collector *wire.CollectorStatus
}

// present is what one agent has said.
type present struct {
	status wire.Status
	gone   time.Time // when the status came, if it says offline
	beat   wire.Beat
	heard  time.Time // when the beat came; zero: none
}

// mostAgents bounds the agents that the roll takes besides those that it was
// made for: whoever may publish under any name can invent some.
const mostAgents = 2048

// NewRoll makes an empty roll, with room for the given agents whatever others
// speak.
func NewRoll(agents ...string) *Roll {
	r := &Roll{agents: map[string]*present{}, listed: map[string]bool{}}
	for _, a := range agents {
		r.listed[a] = true
	}
	return r
}

// Take notes one message, which came at now.
func (r *Roll) Take(now time.Time, topic string, payload []byte) error {
	_, agent, leaf, ok := wire.ParseTopic(topic)
	switch {
	case ok && leaf == wire.LeafStatus && agent == wire.CollectorID:
		st, err := wire.Decode[wire.CollectorStatus](payload)
		if err != nil {
			return err
		}
		if r.Collector == nil || !outlived(*r.Collector, st) {
			r.Collector = &st
		}
	case ok && leaf == wire.LeafStatus:
		st, err := wire.Decode[wire.Status](payload)
		if err != nil {
			return err
		}
		p, err := r.of(agent)
		if err != nil || late(p.status, st) {
			return err
		}
		p.status = st
		if st.State == wire.StateOffline {
			p.gone = now
		}
	case ok && leaf == wire.LeafBeat:
		b, err := wire.Decode[wire.Beat](payload)
		if err != nil {
			return err
		}
		p, err := r.of(agent)
		if err != nil {
			return err
		}
		p.beat, p.heard = b, now
	}
	return nil
}

func (r *Roll) of(agent string) (*present, error) {
	p := r.agents[agent]
	if p == nil {
		if len(r.agents) >= mostAgents+len(r.listed) && !r.listed[agent] {
			return nil, fmt.Errorf("more than %d agents that nobody has listed: %s is not shown", mostAgents, agent)
		}
		p = &present{}
		r.agents[agent] = p
	}
	return p, nil
}

// sameConnect is how far apart the last will and the status of one connection
// may have been written.
const sameConnect = time.Second

// late reports whether st is the last will of a connection before the one that
// held tells of: it came late and says nothing. Both carry when their
// connections were made.
func late(held, st wire.Status) bool {
	return st.State == wire.StateOffline && held.State == wire.StateOnline && st.At.Add(sameConnect).Before(held.At.Time)
}

// outlived reports whether st is the last will of a start of the collector
// before the one that held tells of.
func outlived(held, st wire.CollectorStatus) bool {
	return st.State == wire.StateOffline && held.State == wire.StateOnline &&
		st.Start != held.Start && st.At.Before(held.At.Time)
}

// Lines gives the agents in order. listened is for how long the roll has
// listened: no heartbeat in less than SilentAfter proves nothing.
func (r *Roll) Lines(now time.Time, listened time.Duration) []Line {
	var out []Line
	for _, a := range slices.Sorted(maps.Keys(r.agents)) {
		p := r.agents[a]
		st, b := p.status, p.beat
		l := Line{Agent: a, State: st.State, Version: st.Version, Since: st.At, Devices: b.Devices, Machines: b.Machines, Last: b.Last, Oldest: b.Oldest, FullInH: b.FullInH}
		if !p.heard.IsZero() {
			age := now.Sub(p.heard).Seconds()
			l.BeatAge, l.Heard = &age, p.heard
			waiting := b.Last - min(b.Last, b.Through)
			l.Backlog = &waiting
		}
		if l.State == wire.StateOffline && p.heard.After(p.gone) {
			l.State = wire.StateOnline // its heart beats: the will was an earlier connection's
		}
		if l.State != wire.StateOffline && (l.BeatAge == nil && listened > SilentAfter || l.BeatAge != nil && *l.BeatAge > SilentAfter.Seconds()) {
			l.State = "silent"
		}
		out = append(out, l)
	}
	return out
}

// Row gives a line's cells for people.
func (l Line) Row() []string {
	age, backlog := "–", "?"
	if l.BeatAge != nil {
		age = fmt.Sprintf("%.0f s", *l.BeatAge)
	}
	switch {
	case l.Backlog != nil && l.State == wire.StateOnline:
		backlog = fmt.Sprint(*l.Backlog)
	case l.Backlog != nil:
		backlog = fmt.Sprintf("≥ %d", *l.Backlog) // it goes on without us
	}
	var devs []string
	for _, d := range l.Devices {
		devs = append(devs, d.Name+" "+d.State)
	}
	since, full := "–", "–"
	if l.Oldest != nil {
		since = l.Oldest.Local().Format("01-02 15:04:05")
	}
	if l.FullInH != nil {
		full = fmt.Sprintf("%d h", *l.FullInH)
		if *l.FullInH > 999 {
			full = "> 999 h"
		}
	}
	return []string{l.Agent, l.State, age, backlog, since, full, term.Clean(strings.Join(devs, ", "))}
}

// RowHeader names the cells of Row.
var RowHeader = []string{"AGENT", "STATE", "LAST WORD", "BACKLOG", "OLDEST SINCE", "DISK FULL IN", "DEVICES"}
