package status

import (
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Board holds what the parts of an agent have posted. Its methods may be called
// from any goroutine and never wait. The slices in what is posted and read are
// shared: nobody changes them afterwards.
type Board struct {
	changed  chan struct{}
	troubled chan struct{}

	mu     sync.Mutex
	now    Snapshot                 // without Unkept, Turned and Holds
	turned map[string]time.Duration // boot clock of the last turn, by part
	holds  map[string]Condition     // by id
	posted map[string]bool          // conditions that a part has posted about since the start, by id
}

// NewBoard returns an empty board.
func NewBoard() *Board {
	return &Board{changed: make(chan struct{}, 1), troubled: make(chan struct{}, 1),
		turned: map[string]time.Duration{}, holds: map[string]Condition{}, posted: map[string]bool{}}
}

// Changed receives after a change that a screen should show at once. It is for
// one reader, which then calls Snapshot.
func (b *Board) Changed() <-chan struct{} { return b.changed }

// Troubled receives after a change of the conditions. It is for one reader,
// which then calls Conditions.
func (b *Board) Troubled() <-chan struct{} { return b.troubled }

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Snapshot returns the state of the agent.
func (b *Board) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.now
	s.Unkept = b.holds[fact.AlarmJournalWrite.ID("")].Detail
	for _, id := range slices.Sorted(maps.Keys(b.holds)) {
		s.Holds = append(s.Holds, b.holds[id])
	}
	for _, at := range b.turned {
		if s.Turned == 0 || at < s.Turned {
			s.Turned = at
		}
	}
	return s
}

// SetTurned notes that a part turned at now. A part that has turned once must do
// so every second.
func (b *Board) SetTurned(part string, now clock.Moment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turned[part] = now.Boot
}

// Rest forgets the state of the devices and the turns of all parts that do not turn any
// more, and notes one of part: the gate goes out of service.
func (b *Board) Rest(part string, now clock.Moment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turned[part] = now.Boot
	maps.DeleteFunc(b.turned, func(_ string, at time.Duration) bool { return now.Boot-at > StuckAfter/2 })
	if len(b.now.Devices) > 0 || len(b.now.Prompts) > 0 {
		b.now.Gate = Gate{}
		signal(b.changed)
	}
}

// SetRetired posts how far the end of the gate's service is; empty: it is in service.
func (b *Board) SetRetired(stage string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := b.now.Retired != stage
	b.now.Retired = stage
	if changed {
		signal(b.changed)
	}
}

// Stuck returns the parts that are stuck at now, sorted by name.
func (b *Board) Stuck(now clock.Moment) (parts []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for part, at := range b.turned {
		if now.Boot-at > StuckAfter {
			parts = append(parts, part)
		}
	}
	slices.Sort(parts)
	return parts
}

// SetUnsafe posts why what the agent keeps may be lost, or an empty text.
func (b *Board) SetUnsafe(why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Unsafe = why
}

// SetGate posts the state of the gate.
func (b *Board) SetGate(g Gate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Gate = g
	signal(b.changed)
}

// SetHelp posts how the guard gets somebody.
func (b *Board) SetHelp(h Help) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Help = h
	signal(b.changed)
}

// SetCounty posts what the county did at the gate just now.
func (b *Board) SetCounty(acts []CountyAct) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.County = acts
	signal(b.changed)
}

// SetOdd posts why what claims to be a command does nothing, or an empty text.
func (b *Board) SetOdd(why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Odd = why
}

// SetPost posts the state of the gate's post.
func (b *Board) SetPost(p Post) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := !reflect.DeepEqual(b.now.Post, p)
	b.now.Post = p
	if changed {
		signal(b.changed)
	}
}

// SetRules posts which of the county's sets of rules is in force.
func (b *Board) SetRules(r wire.RulesInForce) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Rules = &r
}

// SetUpgrade posts how the computer stands to upgrades. Nobody changes u afterwards.
func (b *Board) SetUpgrade(u wire.Upgrade) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Upgrade = &u
}

// SetMachines posts the state of the bridged machines.
func (b *Board) SetMachines(machines []wire.BeatMachine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Machines = machines
}

// SetJournal posts the state of the journal and its disk.
func (b *Board) SetJournal(j Journal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Journal = j
}

// SetDelivery posts how the delivery to the county does.
func (b *Board) SetDelivery(d Delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := b.now.Delivery.Linked != d.Linked
	b.now.Delivery = d
	if changed {
		signal(b.changed)
	}
}

// Set posts that a condition holds, or with an empty detail that it does not.
func (b *Board) Set(c Condition) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := c.ID()
	b.posted[id] = true
	if b.holds[id].Detail == c.Detail {
		return
	}
	b.put(c, c.Detail != "")
}

// Clear posts that a condition does not hold.
func (b *Board) Clear(t fact.AlarmType, device string) { b.Set(Condition{Type: t, Device: device}) }

// put changes one condition; mu is held.
func (b *Board) put(c Condition, holds bool) {
	if holds {
		b.holds[c.ID()] = c
	} else {
		delete(b.holds, c.ID())
	}
	signal(b.troubled)
	if c.Type == fact.AlarmJournalWrite {
		signal(b.changed)
	}
}

// Restore takes over a condition of an earlier run of the agent, unless a part
// has posted about it since the start.
func (b *Board) Restore(c Condition, holds bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.posted[c.ID()] {
		b.put(c, holds)
	}
}

// Forget ends the conditions of devices and machines for which known returns
// false: the configuration lists them no more.
func (b *Board) Forget(known func(device string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.holds, func(_ string, c Condition) bool { return c.Device != "" && !known(c.Device) })
	signal(b.troubled)
}

// Conditions returns the conditions that hold, by the ids of their alarms.
func (b *Board) Conditions() map[string]Condition {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.holds)
}

// Detail returns the detail of a condition of the agent itself, or "" when it
// does not hold.
func (b *Board) Detail(t fact.AlarmType) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.holds[t.ID("")].Detail
}
