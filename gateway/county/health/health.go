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

	mu    sync.Mutex
	holds map[key]wire.Trouble
}

type key struct {
	kind fact.TroubleKind
	part string
}

// NewBoard returns a board without troubles.
func NewBoard() *Board {
	return &Board{changed: make(chan struct{}, 1), holds: map[key]wire.Trouble{}}
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

// Troubles returns what is wrong, problems first, one of each kind: the one that
// holds longest.
func (b *Board) Troubles() []wire.Trouble {
	b.mu.Lock()
	defer b.mu.Unlock()
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

// Up posts that a part's connection to the broker is made.
func (b *Board) Up(part string) { b.Clear(part, fact.TroubleNoBroker) }

// Down posts that a part has no connection to the broker, and why.
func (b *Board) Down(part string, now time.Time, why error) {
	text := "no connection to the broker since " + now.Format(time.RFC3339)
	if old, held := b.since(part); held {
		text = "no connection to the broker since " + old.Format(time.RFC3339)
	}
	text += ": check broker.external.url, the network and the broker"
	if why != nil {
		text += ": " + why.Error()
	}
	b.Set(part, Problem(fact.TroubleNoBroker, now, text))
}

func (b *Board) since(part string) (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, held := b.holds[key{fact.TroubleNoBroker, part}]
	if !held {
		return time.Time{}, false
	}
	return t.Since.Local(), true
}
