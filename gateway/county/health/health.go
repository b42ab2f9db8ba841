// Package health keeps the troubles of the county's own side in one place. The
// collector, the reports of machines and the desk post them; the desk's screen and
// probes and the collector's status say them.
package health

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Board holds what the parts have posted. Its methods may be called from any
// goroutine and never wait.
type Board struct {
	changed chan struct{}

	mu       sync.Mutex
	embedded bool // the broker is this program's own
	holds    map[key]wire.Trouble
	links    map[string]link      // connections to the broker, by part
	tasks    map[*task]struct{}   // begun and not ended
	turned   map[string]time.Time // the last turn of each part that has turned
}

// link is how a part's connection to the broker does.
type link struct {
	since time.Time // when the connection was lost; zero: it lasts, or has never been made
	up    time.Time // when it was made; zero: there is none
	brief int       // how often it ended soon after it was made
}

// task is a step of a part.
type task struct {
	part  string
	began time.Time
}

const (
	// lasts is how long a connection must last to end the trouble of those that ended
	// sooner.
	lasts = 10 * time.Second
	again = 2 // connections that ended sooner, one after the other, are a trouble
	// stuckAfter is how long a step may take before its part counts as stuck. Clients
	// of stores give up sooner.
	stuckAfter = 45 * time.Second
)

type key struct {
	kind fact.TroubleKind
	part string
}

// NewBoard returns a board without troubles.
func NewBoard() *Board {
	return &Board{changed: make(chan struct{}, 1), holds: map[key]wire.Trouble{}, links: map[string]link{},
		tasks: map[*task]struct{}{}, turned: map[string]time.Time{}}
}

// Embedded says that the broker is this program's own.
func (b *Board) Embedded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.embedded = true
}

// Set posts a trouble of a part. While it holds it keeps the time of its begin.
func (b *Board) Set(part string, t wire.Trouble) {
	t.Text = wire.OneLine(t.Text)
	b.mu.Lock()
	defer b.mu.Unlock()
	k := key{t.Kind, part}
	old, held := b.holds[k]
	if held && old.Since != nil {
		t.Since = old.Since
	}
	b.holds[k] = t
	if !held || old.Text != t.Text || old.Problem != t.Problem {
		b.signal()
	}
}

// Clear posts that a part has no trouble of a kind.
func (b *Board) Clear(part string, kind fact.TroubleKind) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, held := b.holds[key{kind, part}]; held {
		delete(b.holds, key{kind, part})
		b.signal()
	}
}

func (b *Board) signal() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// Changed receives after a change. It is for one reader, which then calls
// Troubles.
func (b *Board) Changed() <-chan struct{} { return b.changed }

// SetTurned notes that the loop of a part has turned at now.
func (b *Board) SetTurned(part string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turned[part] = now
}

// Turned returns when the loop of a part has turned last; zero: it has not begun.
func (b *Board) Turned(part string) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.turned[part]
}

// Begin notes that a part begins a step that must end. The caller calls end when
// it has.
func (b *Board) Begin(part string, now time.Time) (end func()) {
	t := &task{part, now}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks[t] = struct{}{}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.tasks, t)
	}
}

// Troubles returns what is wrong at now, problems first, one of each kind: the one
// that holds longest.
func (b *Board) Troubles(now time.Time) []wire.Trouble {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle(now)
	b.findStuck(now)
	first := map[fact.TroubleKind]wire.Trouble{}
	for _, k := range slices.SortedFunc(maps.Keys(b.holds), func(a, b key) int { return cmp.Compare(a.part, b.part) }) {
		t := b.holds[k]
		if f, ok := first[k.kind]; !ok || f.Since != nil && t.Since != nil && t.Since.Before(f.Since.Time) {
			first[k.kind] = t
		}
	}
	return slices.SortedFunc(maps.Values(first), func(a, b wire.Trouble) int {
		if a.Problem != b.Problem {
			if a.Problem {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Kind, b.Kind)
	})
}

// Problem returns a problem that holds since now.
func Problem(kind fact.TroubleKind, now time.Time, text string) wire.Trouble {
	return wire.Trouble{Kind: kind, Problem: true, Since: new(wire.At(now)), Text: text}
}

// Up posts that a part's connection to the broker is made at now.
func (b *Board) Up(part string, now time.Time) {
	b.mu.Lock()
	l := b.links[part]
	l.up = now
	b.links[part] = l
	b.mu.Unlock()
	if l.brief < again {
		b.Clear(part, fact.TroubleNoBroker)
	}
}

// Down posts that a part has no connection to the broker at now, and why.
func (b *Board) Down(part string, now time.Time, why error) {
	b.mu.Lock()
	l := b.links[part]
	if !l.up.IsZero() && now.Sub(l.up) >= lasts {
		l = link{}
	}
	if !l.up.IsZero() {
		l.brief++
	}
	l.up = time.Time{}
	if l.since.IsZero() {
		l.since = now
	}
	b.links[part] = l
	advice, reason, text := "no-broker.county", "", "no connection to the broker: check broker.external.url, the "+
		"network and the broker"
	if b.embedded {
		advice = "no-broker.own"
		text = "no connection to this program's own broker: see its lines in the log, and the disk of its folder"
	}
	b.mu.Unlock()
	if l.brief >= again {
		advice = "no-broker.county-again"
		text = "the connection to the broker ends again and again: look at the broker's log " +
			"(permissions, limits, another collector from a copy of this one's folder)"
	}
	if why != nil {
		reason = why.Error()
		text += ": " + reason
	}
	b.Set(part, Problem(fact.TroubleNoBroker, l.since, text).Advise(advice, "why", reason))
}

// settle ends the trouble of connections that ended soon and now last; mu is held.
func (b *Board) settle(now time.Time) {
	for part, l := range b.links {
		if !l.up.IsZero() && now.Sub(l.up) >= lasts {
			b.links[part] = link{up: l.up}
			delete(b.holds, key{fact.TroubleNoBroker, part})
		}
	}
}

// findStuck posts which parts have not ended a step for long; mu is held.
func (b *Board) findStuck(now time.Time) {
	for k := range b.holds {
		if k.kind == fact.TroubleStuck {
			delete(b.holds, k)
		}
	}
	for t := range b.tasks {
		k := key{fact.TroubleStuck, t.part}
		if old, held := b.holds[k]; now.Sub(t.began) < stuckAfter || held && old.Since.Before(t.began) {
			continue
		}
		b.holds[k] = Problem(fact.TroubleStuck, t.began,
			t.part+" is stuck: look at its disk and its log; if nothing helps start it again").Advise(
			"stuck.county", "part", t.part)
	}
}
