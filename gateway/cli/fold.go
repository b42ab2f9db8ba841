package cli

import (
	"fmt"
	"time"

	"gatehouse/gateway/cli/feed"
	"gatehouse/gateway/fact"
)

// foldFor is how long watch waits for more agents that come online before it
// prints them: after a start of the broker all agents do.
const foldFor = time.Second

// fold combines agents that come online together into one line.
type fold struct {
	items []feed.Item
	last  time.Time // when the newest came
}

// take reports whether it keeps the item, for next to return.
func (f *fold) take(now time.Time, i feed.Item) bool {
	if i.What != "status" || i.State != string(fact.Online) {
		return false
	}
	f.items, f.last = append(f.items, i), now
	return true
}

// next returns the item to print when no more agents have come for foldFor: a
// single agent's own, or one with the number of agents.
func (f *fold) next(now time.Time) (item feed.Item, ok bool) {
	n := len(f.items)
	if n == 0 || now.Sub(f.last) < foldFor {
		return feed.Item{}, false
	}
	item = f.items[n-1]
	if n > 1 {
		item.Agent = fmt.Sprintf("%d agents", n)
	}
	f.items = nil
	return item, true
}
