package cli

import (
	"fmt"
	"time"

	"gatehouse/gateway/cli/feed"
	"gatehouse/gateway/fact"
)

// foldFor is how long a watch waits for more agents that come online before it
// says so: after a start of the broker all of them do.
const foldFor = time.Second

// fold makes one line of agents that come online together.
type fold struct {
	items []feed.Item
	last  time.Time // when the newest came
}

// take reports whether it keeps the item, to be told by tell.
func (f *fold) take(now time.Time, i feed.Item) bool {
	if i.What != "status" || i.State != string(fact.Online) {
		return false
	}
	f.items, f.last = append(f.items, i), now
	return true
}

// tell gives what there is to show once no more agents come: one as itself,
// more as their number.
func (f *fold) tell(now time.Time) (item feed.Item, ok bool) {
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
