package collect

import (
	"slices"
	"time"
)

// landed is called when the message is committed, or came to nothing. Its agent
// takes its next turn after a rest.
func (q *queue) landed(f flight, rest time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := f.party
	p.count--
	p.flying -= len(f.Payload)
	q.flying -= len(f.Payload)
	if rest > 0 {
		q.rest(p, f.agent, rest)
	}
	q.enqueue(p)
	q.forget(p)
}

// rest lets an agent take no turn for a while.
func (q *queue) rest(p *party, agent string, d time.Duration) {
	l := p.lanes[agent]
	if l == nil {
		l = &lane{party: p, agent: agent}
		p.lanes[agent] = l
	}
	if l.rests {
		return
	}
	l.rests = true
	p.turns = slices.DeleteFunc(p.turns, func(x *lane) bool { return x == l })
	if p.turn && len(p.turns) == 0 {
		p.turn = false
		q.turns = slices.DeleteFunc(q.turns, func(x *party) bool { return x == p })
	}
	time.AfterFunc(d, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		l.rests = false
		if len(l.items) > 0 {
			p.turns = append(p.turns, l)
			q.enqueue(p)
		} else {
			delete(p.lanes, agent)
			q.forget(p)
		}
	})
}

// forget removes a party of which nothing waits or flies.
func (q *queue) forget(p *party) {
	if p.count == 0 && len(p.lanes) == 0 {
		delete(q.parties, p.name)
	}
}
