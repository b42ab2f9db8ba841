package report

import (
	"slices"
	"sync"

	"gatehouse/gateway/mqtt"
)

// lanes holds the messages that are not taken yet, a lane for each machine, in the
// order of their arrival. Machines take turns, so that one whose messages take
// long delays only itself. The MQTT client bounds how many messages there are. Its
// methods may be called from any goroutine.
type lanes struct {
	mu    sync.Mutex
	more  sync.Cond
	known map[string]*lane // of machines with something to do
	turns []*lane          // with something to do, and nobody who does it
	ended bool
}

// lane is what is to be done for one machine.
type lane struct {
	machine string
	waiting []waiting
	tick    bool // the clock has ticked
	busy    bool // somebody is at it
}

// waiting is a message that is not taken yet.
type waiting struct {
	mqtt.Message
	end func(stored bool) // called once
}

// most is how many messages of a machine are taken and stored together.
const most = 100

func newLanes() *lanes {
	q := &lanes{known: map[string]*lane{}}
	q.more.L = &q.mu
	return q
}

// put adds a message of a machine.
func (q *lanes) put(machine string, w waiting) {
	q.change(machine, func(l *lane) { l.waiting = append(l.waiting, w) })
}

// tick notes that the clock has ticked for a machine.
func (q *lanes) tick(machine string) {
	q.change(machine, func(l *lane) { l.tick = true })
}

func (q *lanes) change(machine string, do func(*lane)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.known[machine]
	if l == nil {
		l = &lane{machine: machine}
		q.known[machine] = l
	}
	idle := len(l.waiting) == 0 && !l.tick && !l.busy
	do(l)
	if idle {
		q.turns = append(q.turns, l)
		q.more.Signal()
	}
}

// next waits for a machine with something to do and returns its first messages,
// and whether the clock has ticked behind them. No other caller gets this machine
// before done is called. When the lanes have ended it returns a nil lane.
func (q *lanes) next() (l *lane, messages []waiting, tick bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.turns) == 0 && !q.ended {
		q.more.Wait()
	}
	if q.ended {
		return nil, nil, false
	}
	l = q.turns[0]
	q.turns = slices.Delete(q.turns, 0, 1)
	n := min(len(l.waiting), most)
	messages, l.waiting = slices.Clone(l.waiting[:n]), slices.Delete(l.waiting, 0, n)
	if len(l.waiting) == 0 {
		tick, l.tick = l.tick, false
	}
	l.busy = true
	return l, messages, tick
}

// done is called when that is done which next has returned.
func (q *lanes) done(l *lane) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.busy = false
	if len(l.waiting) == 0 && !l.tick {
		delete(q.known, l.machine)
		return
	}
	q.turns = append(q.turns, l)
	q.more.Signal()
}

// end makes next return a nil lane from now on.
func (q *lanes) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.more.Broadcast()
}
