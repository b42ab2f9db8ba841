package collect

import (
	"context"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// queue holds the messages that are not decoded yet. Parties take turns, a message
// each, so that one that sends too much delays only itself: an agent of the site
// file is a party, and all agents that it does not list are one together, because
// their names may be invented. Its methods may be called from any goroutine.
type queue struct {
	listed func(agent string) bool

	mu      sync.Mutex
	more    sync.Cond
	parties map[string]*party // with messages that wait, are being decoded, or fly
	turns   []*party          // with a message that may be decoded now
	held    []*party          // with a message that may not be decoded yet
	bytes   int               // of all messages of listed agents that wait
	flying  int               // bytes of all messages that fly
	heard   [2]heard          // the party that was heard last, and the last other one
	ended   bool
}

// party is an agent, or all that are not listed.
type party struct {
	name   string // of the agent; empty: those that are not listed
	lanes  map[string]*lane
	turns  []*lane // with messages that wait, in turns
	bytes  int     // of its messages that wait
	flying int     // bytes of its messages that fly
	count  int     // of those
	turn   bool    // it is in turns of the queue
	held   bool    // it is in held of the queue
	busy   bool    // a message of it is being decoded
}

// lane holds the messages of one agent in order.
type lane struct {
	party *party
	agent string
	items []arrived
	bytes int
	rests bool // its agent is to be slowed down: it takes no turn
}

// heard is when a message of a party came.
type heard struct {
	party string // its name
	at    time.Time
}

// arrived is a message with what its topic says.
type arrived struct {
	agent string
	leaf  wire.Leaf
	mqtt.Message
}

// Bounds of one lane: more than four batches in flight, an alarm ahead of them,
// and some of them again after a reconnect. allBytes bounds the lanes of all listed
// agents together, and unlistedBytes those of all others.
const (
	laneMessages  = 16
	laneBytes     = 3 * wire.MaxMessageBytes
	allBytes      = 128 << 20
	unlistedBytes = 32 << 20
)

// A message flies from the begin of its decoding until it is committed. While
// others are heard, a party has flyingBytes in the air, or a message more than all
// others together: a commit is then short for all of them. A party that has been alone for
// aloneAfter may have aloneBytes.
const (
	flyingBytes = wire.MaxBatchBytes
	aloneBytes  = wire.MaxWindow * wire.MaxMessageBytes
	aloneAfter  = time.Second
)

func newQueue(listed func(agent string) bool) *queue {
	q := &queue{listed: listed, parties: map[string]*party{}}
	q.more.L = &q.mu
	return q
}

// put adds a message. It returns false if the agent's lane is full. A hello
// replaces one that waits, whose answer the agent would ignore.
func (q *queue) put(a arrived) bool {
	listed := q.listed(a.agent)
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lane(a.agent, listed)
	first := len(l.items) == 0
	if a.leaf == wire.LeafHello {
		if i := slices.IndexFunc(l.items, func(x arrived) bool { return x.leaf == wire.LeafHello }); i >= 0 {
			q.count(l, -len(l.items[i].Payload))
			l.items = slices.Delete(l.items, i, i+1)
		}
	} else if len(l.items) >= laneMessages {
		return false
	}
	most := unlistedBytes
	if listed {
		most = allBytes - q.bytes + l.party.bytes
	}
	if len(l.items) > 0 && l.bytes+len(a.Payload) > laneBytes || l.party.bytes+len(a.Payload) > most {
		return false
	}
	q.hear(l.party.name, a.Arrived)
	q.count(l, len(a.Payload))
	l.items = append(l.items, a)
	q.parties[l.party.name], l.party.lanes[a.agent] = l.party, l
	if first && !l.rests {
		l.party.turns = append(l.party.turns, l)
	}
	q.enqueue(l.party)
	return true
}

// lane returns the lane of an agent, which may be a new one.
func (q *queue) lane(agent string, listed bool) *lane {
	name := ""
	if listed {
		name = agent
	}
	p := q.parties[name]
	if p == nil {
		p = &party{name: name, lanes: map[string]*lane{}}
	}
	if l := p.lanes[agent]; l != nil {
		return l
	}
	return &lane{party: p, agent: agent}
}

func (q *queue) hear(party string, at time.Time) {
	if q.heard[0].party != party {
		q.heard[1] = q.heard[0]
	}
	q.heard[0] = heard{party, at}
}

// alone reports whether nobody but p was heard for a while.
func (q *queue) alone(p *party) bool {
	other := q.heard[0]
	if other.party == p.name {
		other = q.heard[1]
	}
	return q.heard[0].at.Sub(other.at) > aloneAfter
}

// enqueue lets p take its turn if it has a message that may fly now.
func (q *queue) enqueue(p *party) {
	if p.turn || p.busy || len(p.turns) == 0 {
		return
	}
	most := flyingBytes
	if q.alone(p) {
		most = aloneBytes
	}
	others := q.flying - p.flying
	if p.count > 0 && p.flying+len(p.turns[0].items[0].Payload) > most && p.flying > others {
		if !p.held {
			p.held = true
			q.held = append(q.held, p)
		}
		return
	}
	p.turn = true
	q.turns = append(q.turns, p)
	q.more.Signal()
}

func (q *queue) count(l *lane, n int) {
	l.bytes, l.party.bytes = l.bytes+n, l.party.bytes+n
	if l.party.name != "" {
		q.bytes += n
	}
}

// flight is a message between the begin of its decoding and its commit.
type flight struct {
	arrived

	party *party
}

// next waits for the message whose turn it is. It returns no other one of that
// party before decoded is called; ok is false when the queue has ended.
func (q *queue) next() (f flight, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.turns) == 0 && !q.ended {
		q.more.Wait()
	}
	if q.ended {
		return flight{}, false
	}
	p := q.turns[0]
	q.turns = slices.Delete(q.turns, 0, 1)
	l := p.turns[0]
	p.turns = slices.Delete(p.turns, 0, 1)
	f = flight{l.items[0], p}
	l.items = slices.Delete(l.items, 0, 1)
	q.count(l, -len(f.Payload))
	if len(l.items) > 0 {
		p.turns = append(p.turns, l)
	} else {
		delete(p.lanes, l.agent)
	}
	p.turn, p.busy = false, true
	p.count++
	p.flying += len(f.Payload)
	q.flying += len(f.Payload)
	q.release()
	return f, true
}

// release lets those take their turn that may now.
func (q *queue) release() {
	held := q.held
	q.held = nil
	for _, p := range held {
		p.held = false
		q.enqueue(p)
	}
}

// decoded is called when the message has been passed on: the next one of its party
// may follow.
func (q *queue) decoded(f flight) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f.party.busy = false
	q.enqueue(f.party)
}

// endWith makes the queue end with ctx. The caller calls stop when it needs the
// queue no longer.
func (q *queue) endWith(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.ended = true
		q.more.Broadcast()
	})
}
