package watch

import (
	"cmp"
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
	statuses  map[string]wire.Status
	beats     map[string]wire.Beat
	heard     map[string]time.Time
	Collector *wire.CollectorStatus
}

// NewRoll makes an empty roll.
func NewRoll() *Roll {
	return &Roll{statuses: map[string]wire.Status{}, beats: map[string]wire.Beat{}, heard: map[string]time.Time{}}
}

// Take notes one message.
func (r *Roll) Take(now time.Time, topic string, payload []byte) error {
	_, agent, leaf, ok := wire.ParseTopic(topic)
	switch {
	case ok && leaf == wire.LeafStatus && agent == wire.CollectorID:
		st, err := wire.Decode[wire.CollectorStatus](payload)
		if err != nil {
			return err
		}
		r.Collector = &st
	case ok && leaf == wire.LeafStatus:
		st, err := wire.Decode[wire.Status](payload)
		if err != nil {
			return err
		}
		r.statuses[agent] = st
	case ok && leaf == wire.LeafBeat:
		b, err := wire.Decode[wire.Beat](payload)
		if err != nil {
			return err
		}
		r.beats[agent], r.heard[agent] = b, now
	}
	return nil
}

// Lines gives the agents in order. listened is for how long the roll has
// listened: no heartbeat in less than SilentAfter proves nothing.
func (r *Roll) Lines(now time.Time, listened time.Duration) []Line {
	names := map[string]bool{}
	for a := range r.statuses {
		names[a] = true
	}
	for a := range r.beats {
		names[a] = true
	}
	var out []Line
	for _, a := range slices.SortedFunc(maps.Keys(names), cmp.Compare[string]) {
		st, b := r.statuses[a], r.beats[a]
		l := Line{Agent: a, State: st.State, Version: st.Version, Since: st.At, Devices: b.Devices, Machines: b.Machines, Last: b.Last, Oldest: b.Oldest, FullInH: b.FullInH}
		if heard, ok := r.heard[a]; ok {
			age := now.Sub(heard).Seconds()
			l.BeatAge, l.Heard = &age, heard
			waiting := b.Last - min(b.Last, b.Through)
			l.Backlog = &waiting
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
