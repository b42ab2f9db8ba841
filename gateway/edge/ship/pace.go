package ship

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
	leastRoom  = 1 << 10 // bytes
	firstRoom  = 4 << 10 // bytes, on a connection whose line is not known yet
	slowAnswer = 500 * time.Millisecond
	lostAfter  = 10 * time.Second // without a PUBACK for so long, none will come
)

// pace measures the line by the broker's PUBACKs. They free nothing and promise
// nothing: they only tell when bytes have arrived.
type pace struct {
	flying map[uint64]flight // messages on their way, by ticket
	bytes  int               // of all of them
	ticket uint64            // the newest
	rate   float64           // bytes per second; 0: not known
	last   time.Duration     // boot clock of the last PUBACK
}

// flight is a message on its way.
type flight struct {
	bytes int
	at    time.Duration // boot clock: when it left
}

// begin starts anew with a connection.
func (p *pace) begin() { *p = pace{flying: map[uint64]flight{}, ticket: p.ticket} }

// room returns how many bytes may be on their way.
func (p *pace) room() int {
	if p.rate == 0 {
		return firstRoom
	}
	return int(min(max(p.rate*onLineFor.Seconds(), leastRoom), math.MaxInt32))
}

// next returns how many bytes the next message may have: half of the room, so
// that one is on its way while another is answered; 0 when it must wait.
func (p *pace) next() int {
	n := max(p.room()/2, leastRoom)
	if p.bytes > 0 && p.bytes+n > p.room() {
		return 0
	}
	return n
}

// put notes that a message of n bytes leaves now and returns its ticket.
func (p *pace) put(now time.Duration, n int) (ticket uint64) {
	p.ticket++
	p.flying[p.ticket] = flight{n, now}
	p.bytes += n
	return p.ticket
}

// taken notes a PUBACK. A small message says little about a fast line: it counts
// only when it was slow, or faster than the rate so far.
func (p *pace) taken(now time.Duration, ticket uint64) {
	f, ok := p.flying[ticket]
	if !ok {
		return // of an earlier connection, or given up
	}
	delete(p.flying, ticket)
	p.bytes -= f.bytes
	took := max(now-max(f.at, p.last), time.Millisecond)
	p.last = now
	switch rate := float64(f.bytes) / took.Seconds(); {
	case rate > p.rate:
		p.rate = rate
	case took > slowAnswer:
		p.rate = (p.rate + rate) / 2
	}
}

// expire gives up what has been on its way for too long.
func (p *pace) expire(now time.Duration) {
	for ticket, f := range p.flying {
		if now-f.at >= lostAfter {
			delete(p.flying, ticket)
			p.bytes -= f.bytes
		}
	}
}
