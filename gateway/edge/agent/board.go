package agent

import (
	"maps"
	"slices"
	"sync"

	"gatehouse/gateway/wire"
)

// What an agent itself may be in trouble with, besides its devices: the types
// of its alarms.
const (
	TroubleForeignCollector = "collector-foreign"
	TroubleStoreChanged     = "store-changed"
	TroubleJournal          = "journal-write-failed"
	TroubleJournalSync      = "journal-sync-failed"
	TroubleDamaged          = "journal-damaged"
	TroubleDiskLow          = "journal-disk-low"
	TroubleDeviceGone       = "device-gone"
	TroubleDeviceFault      = "device-fault"
	TroubleFever            = "fever"
	TroubleMachineFault     = "machine-fault"
)

// condition is one thing that holds or has ceased to.
type condition struct {
	kind, device, detail string
}

func (c condition) id() string {
	if c.device == "" {
		return c.kind
	}
	return c.kind + ":" + c.device
}

// board collects the conditions that hold, from any goroutine; the record loop
// turns each change into one alarm record.
type board struct {
	mu     sync.Mutex
	holds  map[string]condition
	raised map[string]condition
	wake   chan struct{}
}

func newBoard() *board {
	return &board{holds: map[string]condition{}, raised: map[string]condition{}, wake: make(chan struct{}, 1)}
}

// set says that a condition holds, or with an empty detail that it does not.
func (b *board) set(kind, device, detail string) {
	c := condition{kind, device, detail}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, held := b.holds[c.id()]
	if held == (detail != "") {
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
func (b *board) detail(kind string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.holds[kind].detail
}

// changes gives the alarms that make what was raised equal to what holds.
func (b *board) changes() []*wire.Alarm {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*wire.Alarm
	for _, id := range slices.Sorted(maps.Keys(b.raised)) {
		if c := b.raised[id]; b.holds[id].kind == "" {
			out = append(out, &wire.Alarm{ID: id, Type: c.kind, State: wire.AlarmCleared, Device: c.device})
			delete(b.raised, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.holds)) {
		if c := b.holds[id]; b.raised[id].kind == "" {
			out = append(out, &wire.Alarm{ID: id, Type: c.kind, State: wire.AlarmRaised, Device: c.device, Detail: c.detail})
			b.raised[id] = c
		}
	}
	return out
}

// unsaid takes back a change that could not be recorded: it comes again.
func (b *board) unsaid(al *wire.Alarm) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if al.State == wire.AlarmRaised {
		delete(b.raised, al.ID)
		return
	}
	b.raised[al.ID] = condition{al.Type, al.Device, al.Detail}
}
