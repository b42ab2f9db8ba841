// Package feed turns what the county's agents publish into lines for a terminal:
// each passage, alarm and run once, however often it is sent.
package feed

import (
	"maps"

	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Item is one thing to show, as JSON for tools and as a line for people.
type Item struct {
	At        wire.Time    `json:"at"`
	Agent     string       `json:"agent"`
	What      string       `json:"what"` // passage, alarm, run, status, collector
	Seq       uint64       `json:"seq,omitempty"`
	Verdict   fact.Verdict `json:"verdict,omitempty"`
	Screening *fact.Temp   `json:"screening_c,omitempty"`
	Subject
	Type   string `json:"type,omitempty"`   // of an alarm
	State  string `json:"state,omitempty"`  // of an alarm, an agent, the collector
	Detail string `json:"detail,omitempty"` // of a passage: the codes of its reasons

	passage *wire.Passage // nil: it is something else
}

// Subject is what an item is about: of whom a passage is, or the machine of a run.
type Subject struct {
	Direction string `json:"direction,omitempty"`
	Class     string `json:"class,omitempty"` // of a run: the machine
}

// Feed turns messages into items. Only one goroutine may use it.
type Feed struct {
	journals  map[string]map[string]*shown // by agent and jid
	statuses  map[string]wire.Status       // by agent
	collector wire.CollectorStatus
}

// What a feed remembers is bounded; beyond that it may show a fact again.
const (
	mostJournals = 4 // of one agent; it has one, and after a renewal another
	mostAgents   = presence.MostAgents
	// mostAhead bounds the alarms of a journal that came ahead of their batch: far
	// more than an agent has unacknowledged.
	mostAhead = 4096
)

// shown is how much of one journal was shown. Its batches come in order, some of
// them again; alarms come ahead of their batch as well.
type shown struct {
	through uint64          // the newest record that came in order
	ahead   map[uint64]bool // alarms beyond it
}

// New returns an empty feed.
func New() *Feed {
	return &Feed{journals: map[string]map[string]*shown{}, statuses: map[string]wire.Status{}}
}

// add notes a batch, and returns the records of it that were not shown before.
func (s *shown) add(b wire.Batch) (fresh []wire.Record) {
	for _, e := range b.Entries {
		seq := e.Record.Seq
		if seq <= s.through || s.ahead[seq] {
			continue
		}
		fresh = append(fresh, e.Record)
		if b.Ahead {
			makeRoom(s.ahead, seq, mostAhead)
			s.ahead[seq] = true
		}
	}
	if !b.Ahead {
		s.through = max(s.through, b.To)
		maps.DeleteFunc(s.ahead, func(seq uint64, _ bool) bool { return seq <= s.through })
	}
	return fresh
}

// Take returns the items of a message that were not shown yet. A retained
// status is not shown, except that of a collector which can't commit.
func (f *Feed) Take(topic string, payload []byte, retained bool) ([]Item, error) {
	_, agent, leaf, ok := wire.ParseTopic(topic)
	switch {
	case ok && leaf == wire.LeafRecords:
		return f.records(payload)
	case ok && leaf == wire.LeafStatus && agent == wire.CollectorID:
		return f.collectorStatus(payload, retained)
	case ok && leaf == wire.LeafStatus:
		return f.agentStatus(agent, payload, retained)
	}
	return nil, nil
}

func (f *Feed) collectorStatus(payload []byte, retained bool) ([]Item, error) {
	st, err := wire.Decode[wire.CollectorStatus](payload)
	if err != nil || presence.StaleCollector(f.collector, st) {
		return nil, err
	}
	f.collector = st
	if retained && st.Fault == "" {
		return nil, nil
	}
	item := Item{At: st.At, Agent: wire.CollectorID, What: "collector", State: string(st.State), Detail: st.Fault}
	if st.Fault != "" {
		item.State = "fault"
	}
	return []Item{item}, nil
}

func (f *Feed) agentStatus(agent string, payload []byte, retained bool) ([]Item, error) {
	st, err := wire.Decode[wire.Status](payload)
	if err != nil || presence.Stale(f.statuses[agent], st) {
		return nil, err
	}
	makeRoom(f.statuses, agent, mostAgents)
	f.statuses[agent] = st
	if retained {
		return nil, nil
	}
	return []Item{{At: st.At, Agent: agent, What: "status", State: string(st.State)}}, nil
}

// records returns the passages, alarms and runs of a batch that were not shown
// yet.
func (f *Feed) records(payload []byte) ([]Item, error) {
	b, err := wire.DecodeBatch(payload)
	if err != nil {
		return nil, err
	}
	makeRoom(f.journals, b.Agent, mostAgents)
	own := f.journals[b.Agent]
	if own == nil {
		own = map[string]*shown{}
		f.journals[b.Agent] = own
	}
	makeRoom(own, b.JID, mostJournals)
	s := own[b.JID]
	if s == nil {
		s = &shown{ahead: map[uint64]bool{}}
		own[b.JID] = s
	}
	var out []Item
	for _, r := range s.add(b) {
		if item, ok := describe(b.Agent, r); ok {
			out = append(out, item)
		}
	}
	return out, nil
}

// makeRoom empties m if it has most entries and none of them is key's.
func makeRoom[K comparable, V any](m map[K]V, key K, most int) {
	if _, known := m[key]; !known && len(m) >= most {
		clear(m)
	}
}
