package agent

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// condition is one thing that holds or has ceased to.
type condition struct {
	typ            fact.AlarmType
	device, detail string
}

func (c condition) id() string { return c.typ.ID(c.device) }

// board collects the conditions that hold, from any goroutine; the record loop
// turns each change into one alarm record.
type board struct {
	mu     sync.Mutex
	holds  map[string]condition
	known  map[string]bool // what was said of since the start, by id
	raised map[string]told
	wake   chan struct{}
}

// told is a condition as its alarm was last recorded.
type told struct {
	condition
	seq uint64    // of the record that raised it
	at  time.Time // of the last one
}

// How soon a condition that holds is told again. Its detail may count something
// down, on a disk that has little room: numbers alone can wait. Once a day keeps
// the alarm among the records that a journal keeps, for a restart.
const (
	otherWords   = time.Minute
	otherNumbers = 10 * time.Minute
	sameWords    = 24 * time.Hour
)

func newBoard() *board {
	return &board{holds: map[string]condition{}, known: map[string]bool{}, raised: map[string]told{},
		wake: make(chan struct{}, 1)}
}

// set says that a condition holds, or with an empty detail that it does not.
func (b *board) set(typ fact.AlarmType, device, detail string) {
	c := condition{typ, device, detail}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known[c.id()] = true
	if b.holds[c.id()].detail == detail {
		return
	}
	if detail != "" {
		b.holds[c.id()] = c
	} else {
		delete(b.holds, c.id())
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// detail says what a condition is about, or "" when it does not hold.
func (b *board) detail(typ fact.AlarmType) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.holds[string(typ)].detail
}

// changes gives the alarms that make what was raised equal to what holds at
// now, by the wall clock. Each that was recorded is then said; one that could
// not be comes again.
func (b *board) changes(now time.Time) []*wire.Alarm {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*wire.Alarm
	for _, id := range slices.Sorted(maps.Keys(b.raised)) {
		if c := b.raised[id]; b.holds[id].typ == "" {
			out = append(out, &wire.Alarm{ID: id, Type: c.typ, State: fact.AlarmCleared, Device: c.device})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.holds)) {
		c := b.holds[id]
		t, is := b.raised[id]
		if is && now.Sub(t.at).Abs() < again(t.detail, c.detail) {
			continue
		}
		out = append(out, &wire.Alarm{ID: id, Type: c.typ, State: fact.AlarmRaised, Device: c.device, Detail: c.detail,
			Updates: t.seq})
	}
	return out
}

// again is how long after it was told as was a condition is told as is.
func again(was, is string) time.Duration {
	number := func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}
	switch {
	case was == is:
		return sameWords
	case strings.Map(number, was) == strings.Map(number, is):
		return otherNumbers
	}
	return otherWords
}

// said notes that an alarm of changes is in the journal, as seq.
func (b *board) said(al *wire.Alarm, seq uint64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if al.State == fact.AlarmCleared {
		delete(b.raised, al.ID)
		return
	}
	b.raised[al.ID] = told{condition{al.Type, al.Device, al.Detail}, cmp.Or(al.Updates, seq), now}
}

// restore takes over an alarm record of an earlier run, in their order: what
// was raised holds until something is known to have ended it.
func (b *board) restore(al *wire.Alarm, seq uint64, at time.Time) {
	if al.Type == fact.AlarmFever {
		return
	}
	b.said(al, seq, at)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.known[al.ID]:
	case al.State == fact.AlarmRaised && al.Type.Known() && !al.Type.Alarm().Happened:
		b.holds[al.ID] = condition{al.Type, al.Device, al.Detail}
	default:
		delete(b.holds, al.ID)
	}
}

// forget ends what holds of devices that is reports no more.
func (b *board) forget(is func(device string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.holds, func(_ string, c condition) bool { return c.device != "" && !is(c.device) })
}
