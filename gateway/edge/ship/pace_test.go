package ship

import (
	"testing"
	"time"
)

// carry lets a line of rate bytes a second, whose answers take trip, carry
// messages for a while; it returns the bytes that arrived and the longest queue.
func carry(p *pace, rate float64, trip, during time.Duration) (arrived int, longest time.Duration) {
	type message struct {
		ticket uint64
		n      int
		at     time.Duration
	}
	var all []message
	now, free := time.Hour, time.Hour
	for end := now + during; now < end; {
		for n := p.next(); n > 0; n = p.next() {
			n = min(n, 60<<10)
			free = max(free, now) + time.Duration(float64(n)/rate*float64(time.Second))
			longest = max(longest, free-now)
			all = append(all, message{p.put(now, n), n, free + trip})
		}
		now = all[0].at
		p.taken(now, all[0].ticket)
		arrived += all[0].n
		all = all[1:]
	}
	return arrived, longest
}

func TestABacklogNeverBlocksAPing(t *testing.T) {
	for _, rate := range []float64{1 << 10, 2 << 10, 8 << 10, 64 << 10, 1 << 20, 100 << 20} {
		for _, trip := range []time.Duration{time.Millisecond, 50 * time.Millisecond, 600 * time.Millisecond} {
			var p pace
			p.begin()
			arrived, longest := carry(&p, rate, trip, time.Minute)
			if longest > 4*time.Second+trip || rate >= 2<<10 && longest > onLineFor+trip+500*time.Millisecond {
				t.Errorf("%.0f B/s, %s: %s of bytes were on the line", rate, trip, longest)
			}
			if rate <= 1<<20 && float64(arrived) < 0.75*60*rate {
				t.Errorf("%.0f B/s, %s: %d bytes arrived in a minute", rate, trip, arrived)
			}
		}
	}
}

func TestTheRateFollowsALineThatBecomesSlow(t *testing.T) {
	var p pace
	p.begin()
	carry(&p, 1<<20, time.Millisecond, time.Minute)
	fast := p.room()
	p.bytes, p.flying = 0, map[uint64]flight{}
	for range 20 {
		ticket := p.put(2*time.Hour, 4<<10)
		p.taken(2*time.Hour+4*time.Second, ticket)
		p.last = 0
	}
	if fast < 1<<20 || p.room() > 8<<10 {
		t.Errorf("room %d on a fast line, %d on a slow one", fast, p.room())
	}
}

func TestMessagesWithoutAnAnswerAreGivenUp(t *testing.T) {
	var p pace
	p.begin()
	for p.next() > 0 {
		p.put(time.Hour, p.next())
	}
	p.expire(time.Hour + lostAfter - time.Second)
	if p.next() != 0 {
		t.Fatal("too early")
	}
	p.expire(time.Hour + lostAfter)
	if p.next() == 0 || p.bytes != 0 {
		t.Errorf("%d bytes count as on the line", p.bytes)
	}
	old := p.put(2*time.Hour, 100)
	p.begin() // another connection
	p.taken(2*time.Hour, old)
	if p.bytes != 0 || p.put(2*time.Hour, 1) == old {
		t.Error("a ticket of an earlier connection counts")
	}
}
