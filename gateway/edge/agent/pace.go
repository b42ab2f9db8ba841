package agent

import (
	"math"
	"time"
)

// How much may be on its way to the broker: what the line carries in onLineFor,
// so that a ping, its answer and an alarm are not stuck behind a backlog. A
// connection whose ping is not answered within three seconds is given up, and
// would be again and again, with nothing delivered, if each began with more
// than a slow line carries.
const (
	onLineFor  = 2 * time.Second
	leastRoom  = 1 << 10
	firstRoom  = 4 << 10 // of a connection whose line is not known yet
	slowAnswer = 500 * time.Millisecond
	lostAfter  = 10 * time.Second // without a PUBACK for so long, none will come
)

// pace measures the line by the broker's PUBACKs. They free nothing and promise
// nothing: they only tell when bytes have arrived.
type pace struct {
	loads  map[uint64]load // by ticket
	bytes  int             // of all loads
	ticket uint64          // given last
	rate   float64         // bytes per second; 0: not known
	last   time.Duration   // boot clock of the last PUBACK
}

// load is a message on its way.
type load struct {
	bytes int
	at    time.Duration // boot clock
}

// begin starts anew with a connection.
func (p *pace) begin() { *p = pace{loads: map[uint64]load{}, ticket: p.ticket} }

// room is how many bytes may be on their way.
func (p *pace) room() int {
	if p.rate == 0 {
		return firstRoom
	}
	return int(min(max(p.rate*onLineFor.Seconds(), leastRoom), math.MaxInt32))
}

// next is how many bytes the next message may have: half of the room, so that
// one is on its way while another is answered; 0 when it must wait.
func (p *pace) next() int {
	n := max(p.room()/2, leastRoom)
	if p.bytes > 0 && p.bytes+n > p.room() {
		return 0
	}
	return n
}

// put notes a message of n bytes that leaves now.
func (p *pace) put(now time.Duration, n int) (ticket uint64) {
	p.ticket++
	p.loads[p.ticket] = load{n, now}
	p.bytes += n
	return p.ticket
}

// taken notes a PUBACK. A small message tells little of a fast line: it only
// counts when it was slow, or faster than what is known.
func (p *pace) taken(now time.Duration, ticket uint64) {
	l, ok := p.loads[ticket]
	if !ok {
		return // of an earlier connection, or given up
	}
	delete(p.loads, ticket)
	p.bytes -= l.bytes
	took := max(now-max(l.at, p.last), time.Millisecond)
	p.last = now
	switch rate := float64(l.bytes) / took.Seconds(); {
	case rate > p.rate:
		p.rate = rate
	case took > slowAnswer:
		p.rate = (p.rate + rate) / 2
	}
}

// expire gives up what has been on its way for too long.
func (p *pace) expire(now time.Duration) {
	for ticket, l := range p.loads {
		if now-l.at >= lostAfter {
			delete(p.loads, ticket)
			p.bytes -= l.bytes
		}
	}
}
