package agent

import (
	"slices"
	"sync"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// maxAhead bounds the alarms that wait to overtake the backlog; what is more
// goes in its turn.
const maxAhead = 256

// overtaker is an alarm record that is sent ahead of the backlog.
type overtaker struct {
	wire.Entry
	fever bool
}

// bounded gives up the oldest of too many overtakers, and fevers last.
func bounded(list []overtaker) []overtaker {
	for len(list) > maxAhead {
		i := slices.IndexFunc(list, func(o overtaker) bool { return !o.fever })
		list = slices.Delete(list, max(i, 0), max(i, 0)+1)
	}
	return list
}

// overtakers are on their way from the record loop, which must not wait, to
// the ship loop.
type overtakers struct {
	mu   sync.Mutex
	list []overtaker
	wake chan struct{} // there are some
}

func newOvertakers() *overtakers { return &overtakers{wake: make(chan struct{}, 1)} }

func (o *overtakers) add(more ...overtaker) {
	if len(more) == 0 {
		return
	}
	o.mu.Lock()
	o.list = bounded(append(o.list, more...))
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *overtakers) take() []overtaker {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.list
	o.list = nil
	return list
}

// back returns what was taken too early.
func (o *overtakers) back(list []overtaker) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = bounded(append(list, o.list...))
}

func (s *shipper) confirmAhead(done func(seq uint64) bool) {
	if s.aheadSent != 0 && done(s.aheadSent) {
		s.aheadSent = 0
	}
	s.ahead = slices.DeleteFunc(s.ahead, func(o overtaker) bool { return done(o.Record.Seq) })
}

// alarm queues durable alarm records to overtake the backlog.
func (s *shipper) alarm(now clock.Moment, more ...overtaker) {
	through := s.q.State().Through // after a restart they may be acknowledged meanwhile
	s.ahead = append(s.ahead, slices.DeleteFunc(more, func(o overtaker) bool { return o.Record.Seq <= through })...)
	s.ahead = bounded(s.ahead)
	s.pumpAhead(now)
}

// pumpAhead sends the oldest unacknowledged alarm, and a fever before all others,
// one at a time. It does not wait for the hello's answer: the copy stands by
// itself.
func (s *shipper) pumpAhead(now clock.Moment) {
	if !s.online || s.aheadSent != 0 || len(s.ahead) == 0 {
		return
	}
	e := s.ahead[max(0, slices.IndexFunc(s.ahead, func(o overtaker) bool { return o.fever }))].Entry
	payload, err := wire.EncodeBatch(wire.Batch{Agent: s.agent, JID: s.q.JID(),
		From: e.Record.Seq, To: e.Record.Seq, Ahead: true, Entries: []wire.Entry{e}})
	if err == nil {
		err = s.send(wire.LeafRecords, payload, s.pace.put(now.Boot, len(payload)))
	}
	if err != nil {
		s.log.Debug("alarm not sent", "seq", e.Record.Seq, "err", err)
		return
	}
	s.aheadSent, s.aheadAt = e.Record.Seq, now.Boot
}
