package collect

import (
	"context"
	"slices"
	"sync"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// queue holds the messages that are not decoded yet. Agents take turns, a message
// each, so that one that sends too much delays only itself. Its methods may be
// called from any goroutine.
type queue struct {
	mu    sync.Mutex
	more  sync.Cond
	lanes map[string]*lane // of agents with messages that wait or are being decoded
	turns []*lane          // with messages that wait and none that is being decoded
	bytes int              // of all messages that wait
	ended bool
}

// lane holds the messages of one agent in order.
type lane struct {
	agent string
	items []arrived
	bytes int
	turn  bool // it is in turns
	busy  bool // a message of it is being decoded
}

// arrived is a message with what its topic says.
type arrived struct {
	agent string
	leaf  wire.Leaf
	mqtt.Message
}

// Bounds of one lane: more than four batches in flight, an alarm ahead of them,
// and some of them again after a reconnect. allBytes bounds all lanes together,
// should somebody invent names.
const (
	laneMessages = 16
	laneBytes    = 3 * wire.MaxMessageBytes
	allBytes     = 128 << 20
)

func newQueue() *queue {
	q := &queue{lanes: map[string]*lane{}}
	q.more.L = &q.mu
	return q
}

// put adds a message. It returns false if the agent's lane is full. A hello
// replaces one that waits, whose answer the agent would ignore.
func (q *queue) put(a arrived) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[a.agent]
	if l == nil {
		l = &lane{agent: a.agent}
	}
	if a.leaf == wire.LeafHello {
		if i := slices.IndexFunc(l.items, func(x arrived) bool { return x.leaf == wire.LeafHello }); i >= 0 {
			q.count(l, -len(l.items[i].Payload))
			l.items = slices.Delete(l.items, i, i+1)
		}
	} else if len(l.items) >= laneMessages {
		return false
	}
	if len(l.items) > 0 && l.bytes+len(a.Payload) > laneBytes || q.bytes+len(a.Payload) > allBytes {
		return false
	}
	q.count(l, len(a.Payload))
	l.items = append(l.items, a)
	q.lanes[a.agent] = l
	if !l.turn && !l.busy {
		q.enqueue(l)
	}
	return true
}

func (q *queue) enqueue(l *lane) {
	l.turn = true
	q.turns = append(q.turns, l)
	q.more.Signal()
}

func (q *queue) count(l *lane, n int) { l.bytes, q.bytes = l.bytes+n, q.bytes+n }

// next waits for the message whose turn it is. It returns no other one of that
// agent before done is called, and a nil lane when the queue has ended.
func (q *queue) next() (*lane, arrived) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.turns) == 0 && !q.ended {
		q.more.Wait()
	}
	if q.ended {
		return nil, arrived{}
	}
	l := q.turns[0]
	q.turns = slices.Delete(q.turns, 0, 1)
	a := l.items[0]
	l.items = slices.Delete(l.items, 0, 1)
	l.turn, l.busy = false, true
	q.count(l, -len(a.Payload))
	return l, a
}

// done is called when the message that next returned has been passed on.
func (q *queue) done(l *lane) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.busy = false
	if len(l.items) == 0 {
		delete(q.lanes, l.agent)
		return
	}
	q.enqueue(l)
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
