package presence

import (
	"slices"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// Tile is an agent for the pages.
type Tile struct {
	Agent   string            `json:"agent"`
	State   fact.LinkState    `json:"state"`
	Heard   *time.Time        `json:"heard,omitempty"`     // last heartbeat
	Backlog *uint64           `json:"backlog,omitempty"`   // at the last heartbeat
	Last    uint64            `json:"last,omitempty"`      // seq of the newest record then
	Oldest  *time.Time        `json:"oldest,omitempty"`    // when the oldest unacknowledged record was taken
	FullInH *int64            `json:"full_in_h,omitempty"` // hours until its disk is full if nothing is acknowledged
	Devices []wire.BeatDevice `json:"devices,omitempty"`
	Version string            `json:"version,omitempty"`
	// Troubles are those that the agent says itself.
	Troubles []wire.Trouble `json:"troubles,omitempty"`
}

// noBacklog is how many records may wait without a word on the tile: the newest
// one always waits for a moment.
const noBacklog = 20

func tile(a Agent) Tile {
	t := Tile{Agent: a.Agent, State: a.State, Backlog: a.Backlog, Last: a.Last, Version: a.Version,
		Troubles: a.Troubles,
		Devices:  slices.Clone(a.Devices)}
	for i := range t.Devices {
		t.Devices[i].IdleS = 0 // it changes all the time, and no tile shows it
	}
	if a.Backlog != nil && *a.Backlog > noBacklog {
		if a.Oldest != nil {
			t.Oldest = &a.Oldest.Time
		}
		t.FullInH = a.FullInH
	}
	if !a.Heard.IsZero() {
		t.Heard = new(a.Heard.UTC())
	}
	return t
}

func (p *Presence) show(a Agent) error { return live.Set(p.opts.Hub, "g:"+a.Agent, tile(a)) }
