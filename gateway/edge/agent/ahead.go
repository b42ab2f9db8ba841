package agent

import (
	"slices"
	"sync"

	"gatehouse/gateway/wire"
)

// maxAhead bounds the alarms that wait to overtake the backlog; what is more
// goes in its turn.
const maxAhead = 256

// overtaker is an alarm record that is sent ahead of the backlog.
type overtaker struct {
	wire.Entry
	fever bool
}

// bounded gives up the oldest of too many overtakers, and fevers last.
func bounded(list []overtaker) []overtaker {
	for len(list) > maxAhead {
		i := slices.IndexFunc(list, func(o overtaker) bool { return !o.fever })
		list = slices.Delete(list, max(i, 0), max(i, 0)+1)
	}
	return list
}

// overtakers are on their way from the record loop, which must not wait, to
// the ship loop.
type overtakers struct {
	mu   sync.Mutex
	list []overtaker
	wake chan struct{} // there are some
}

func newOvertakers() *overtakers { return &overtakers{wake: make(chan struct{}, 1)} }

func (o *overtakers) add(more ...overtaker) {
	if len(more) == 0 {
		return
	}
	o.mu.Lock()
	o.list = bounded(append(o.list, more...))
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *overtakers) take() []overtaker {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.list
	o.list = nil
	return list
}

// back returns what was taken too early.
func (o *overtakers) back(list []overtaker) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = bounded(append(list, o.list...))
}
