// Package watch shows what the county's gates say as it passes the broker:
// live lines (Feed) and who is alive (Roll). It listens only.
package watch

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/term"
	"gatehouse/gateway/wire"
)

// Item is one thing to show, as JSON for tools and as a line for people.
type Item struct {
	At        wire.Time    `json:"at"`
	Agent     string       `json:"agent"`
	What      string       `json:"what"` // passage, alarm, run, status, collector
	Seq       uint64       `json:"seq,omitempty"`
	Verdict   wire.Verdict `json:"verdict,omitempty"`
	Screening *wire.Temp   `json:"screening_c,omitempty"`
	Direction string       `json:"direction,omitempty"`
	Class     string       `json:"class,omitempty"`
	Type      string       `json:"type,omitempty"`  // of an alarm
	State     string       `json:"state,omitempty"` // of an alarm, an agent, the collector
	Detail    string       `json:"detail,omitempty"`
}

// Feed turns messages into items, each fact once however often it is sent and
// in whatever order batches come.
type Feed struct {
	journals  map[string]map[string]*shown // by agent and jid
	statuses  map[string]wire.Status       // by agent
	collector wire.CollectorStatus
}

// What a feed remembers is bounded: beyond it forgets and may show a fact again.
const (
	mostJournals = 4 // of one agent; it has one, and after a renewal another
	mostFeeding  = mostAgents
)

// shown is what was shown of one journal: its newest records.
type shown struct {
	max  uint64
	seqs map[uint64]bool
}

// remember is how many records of a journal are told from their repeats: far
// more than an agent has in flight.
const remember = 4096

// NewFeed makes an empty feed.
func NewFeed() *Feed {
	return &Feed{journals: map[string]map[string]*shown{}, statuses: map[string]wire.Status{}}
}

// first notes a record and tells whether it was not shown before.
func (s *shown) first(seq uint64) bool {
	if s.seqs[seq] || seq+remember < s.max {
		return false
	}
	s.seqs[seq], s.max = true, max(s.max, seq)
	if len(s.seqs) > 2*remember {
		for old := range s.seqs {
			if old+remember < s.max {
				delete(s.seqs, old)
			}
		}
	}
	return true
}

// Take gives what a message shows that was not shown yet. Statuses that were
// retained are no news; a collector that can't commit is.
func (f *Feed) Take(topic string, payload []byte, retained bool) ([]Item, error) {
	_, agent, leaf, ok := wire.ParseTopic(topic)
	switch {
	case ok && leaf == wire.LeafRecords:
		return f.records(payload)
	case ok && leaf == wire.LeafStatus && agent == wire.CollectorID:
		st, err := wire.Decode[wire.CollectorStatus](payload)
		if err != nil || outlived(f.collector, st) {
			return nil, err
		}
		f.collector = st
		if retained && st.Fault == "" {
			return nil, nil
		}
		item := Item{At: st.At, Agent: agent, What: "collector", State: st.State, Detail: st.Fault}
		if st.Fault != "" {
			item.State = "fault"
		}
		return []Item{item}, nil
	case ok && leaf == wire.LeafStatus:
		st, err := wire.Decode[wire.Status](payload)
		if err != nil || late(f.statuses[agent], st) {
			return nil, err
		}
		makeRoom(f.statuses, agent, mostFeeding)
		f.statuses[agent] = st
		if retained {
			return nil, nil
		}
		return []Item{{At: st.At, Agent: agent, What: "status", State: st.State}}, nil
	}
	return nil, nil
}

// records gives the passages and alarms of a batch that were not shown yet.
func (f *Feed) records(payload []byte) ([]Item, error) {
	b, err := wire.DecodeBatch(payload)
	if err != nil {
		return nil, err
	}
	makeRoom(f.journals, b.Agent, mostFeeding)
	own := f.journals[b.Agent]
	if own == nil {
		own = map[string]*shown{}
		f.journals[b.Agent] = own
	}
	makeRoom(own, b.JID, mostJournals)
	s := own[b.JID]
	if s == nil {
		s = &shown{seqs: map[uint64]bool{}}
		own[b.JID] = s
	}
	var out []Item
	for _, e := range b.Entries {
		if item, ok := describe(b.Agent, e.Record); ok && s.first(e.Record.Seq) {
			out = append(out, item)
		}
	}
	return out, nil
}

// makeRoom lets a map of at most most entries take another key: a full one
// forgets all that it has.
func makeRoom[V any](m map[string]V, key string, most int) {
	if _, known := m[key]; !known && len(m) >= most {
		clear(m)
	}
}

func describe(agent string, r wire.Record) (Item, bool) {
	body, err := r.DecodeBody()
	if err != nil {
		return Item{}, false
	}
	item := Item{At: r.At, Agent: agent, What: string(r.Kind), Seq: r.Seq}
	switch b := body.(type) {
	case *wire.Passage:
		item.Verdict, item.Direction, item.Class = b.Verdict, string(b.Direction), b.Class
		item.Detail = strings.Join(b.Reasons, " ")
		if b.Temperature != nil {
			item.Screening = &b.Temperature.Screening
		}
	case *wire.Alarm:
		item.Type, item.State, item.Screening, item.Detail = b.Type, string(b.State), b.Screening, b.Detail
		if item.Detail == "" {
			item.Detail = b.Device
		}
	case *wire.Run:
		if b.State != wire.RunClosed { // an open one is written every 10 s
			return Item{}, false
		}
		item.Type, item.State, item.Class, item.Detail = b.Grade, string(b.State), b.Machine, runDetail(b)
	default:
		return Item{}, false
	}
	return item, true
}

// runDetail says of a run what fits in a line.
func runDetail(r *wire.Run) string {
	text := r.Name
	if litres := r.MeterL; litres != nil {
		text += fmt.Sprintf(" %.1f L", *litres)
	}
	return text + fmt.Sprintf(" %.0f m", r.DistanceM)
}

// words are the verdicts, Chinese first.
var words = map[wire.Verdict]string{
	wire.VerdictPass:    "通行 pass",
	wire.VerdictFever:   "发热 FEVER",
	wire.VerdictInvalid: "无效 invalid",
	wire.VerdictRetest:  "复测 retest",
	wire.VerdictRefuse:  "拒绝 refuse",
}

var styles = map[wire.Verdict]term.Style{
	wire.VerdictPass:    term.Good,
	wire.VerdictFever:   term.Danger,
	wire.VerdictInvalid: term.Warn,
	wire.VerdictRetest:  term.Warn,
	wire.VerdictRefuse:  term.Warn,
}

// lateAfter is when a line says how old its fact is: it comes from a backlog.
const lateAfter = 15 * time.Second

// Line gives an item as one line, with its style.
func (i Item) Line(now time.Time) (string, term.Style) {
	what, style := words[i.Verdict], styles[i.Verdict]
	switch i.What {
	case "alarm":
		what, style = "告警 "+i.Type, term.Danger
		if i.State == string(wire.AlarmCleared) {
			what, style = "恢复 "+i.Type, term.Good
		}
	case "run":
		what, style = "作业 "+i.Type, term.Good
		if i.Type == "dry" || i.Type == "leak" || i.Type == "disputed" {
			style = term.Warn
		}
	case "status", "collector":
		what, style = i.State, term.Warn
		if i.State == wire.StateOnline {
			style = term.Good
		}
	}
	at := i.At.Time
	if i.What == "status" && i.State == wire.StateOffline {
		at = now // a last will is as old as the connection that left it
	}
	screening := ""
	if i.Screening != nil {
		screening = i.Screening.String() + " °C"
	}
	line := fmt.Sprintf("%s  %s  %s  %s  %s %s", at.Local().Format("15:04:05"), term.Pad(term.Clean(i.Agent), 10),
		term.Pad(term.Clean(what), 18), term.Pad(screening, 9),
		term.Pad(strings.TrimSpace(i.Direction+" "+term.Clean(i.Class)), 13), term.Clean(i.Detail))
	if age := now.Sub(i.At.Time); age > lateAfter && i.What != "status" && i.What != "collector" {
		line += fmt.Sprintf("  (%s late)", age.Round(time.Second))
	}
	return strings.TrimRight(line, " "), style
}
