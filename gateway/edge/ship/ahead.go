package ship

import (
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// maxAhead bounds the alarms that wait to overtake the backlog; the others are
// delivered in order with all records.
const maxAhead = 256

// overtaker is an alarm record that is sent ahead of the backlog.
type overtaker struct {
	wire.Entry
	urgent bool
}

// bounded drops the oldest of more than maxAhead overtakers, urgent ones last.
func bounded(list []overtaker) []overtaker {
	for len(list) > maxAhead {
		i := slices.IndexFunc(list, func(o overtaker) bool { return !o.urgent })
		list = slices.Delete(list, max(i, 0), max(i, 0)+1)
	}
	return list
}

// mailbox holds new alarms, from whichever goroutine raised them, for the one
// that waits until they are durable. Its methods may be called from any
// goroutine.
type mailbox struct {
	wake chan struct{} // receives when there are some

	mu   sync.Mutex
	list []overtaker
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

func (m *mailbox) add(o overtaker) {
	m.mu.Lock()
	m.list = bounded(append(m.list, o))
	m.mu.Unlock()
	signal(m.wake)
}

// take empties the mailbox.
func (m *mailbox) take() []overtaker {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.list
	m.list = nil
	return list
}

// putBack returns what take returned, before what was added since.
func (m *mailbox) putBack(list []overtaker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = bounded(append(list, m.list...))
}

// overtaking is the state of the alarms that are sent ahead, one at a time.
type overtaking struct {
	waiting []overtaker   // not acknowledged, oldest first; the one in flight included
	sent    uint64        // the seq in flight, or 0
	at      time.Duration // boot clock: when it was sent
}

// confirm removes the alarms that are acknowledged.
func (o *overtaking) confirm(acknowledged func(seq uint64) bool) {
	if o.sent != 0 && acknowledged(o.sent) {
		o.sent = 0
	}
	o.waiting = slices.DeleteFunc(o.waiting, func(x overtaker) bool { return acknowledged(x.Record.Seq) })
}

// next returns the alarm to send: the oldest urgent one, or else the oldest. The list
// must not be empty.
func (o *overtaking) next() wire.Entry {
	i := slices.IndexFunc(o.waiting, func(x overtaker) bool { return x.urgent })
	return o.waiting[max(i, 0)].Entry
}

// alarm takes durable alarm records that are to overtake the backlog.
func (d *delivery) alarm(now clock.Moment, more ...overtaker) {
	acknowledged := d.journal.State().Through // after a restart it may be beyond them
	more = slices.DeleteFunc(more, func(o overtaker) bool { return o.Record.Seq <= acknowledged })
	d.ahead.waiting = bounded(append(d.ahead.waiting, more...))
	d.pumpAhead(now)
}

// pumpAhead sends the next alarm if none is in flight. It does not wait for the
// hello's answer: the copy is complete by itself.
func (d *delivery) pumpAhead(now clock.Moment) {
	if !d.standing.online || d.ahead.sent != 0 || len(d.ahead.waiting) == 0 {
		return
	}
	e := d.ahead.next()
	payload, err := d.batch(wire.Batch{From: e.Record.Seq, To: e.Record.Seq, Ahead: true, Entries: []wire.Entry{e}})
	if err == nil {
		err = d.send(wire.LeafRecords, payload, d.pace.put(now.Boot, len(payload)))
	}
	if err != nil {
		d.log.Debug("alarm not sent", "seq", e.Record.Seq, "err", err)
		return
	}
	d.ahead.sent, d.ahead.at = e.Record.Seq, now.Boot
}
