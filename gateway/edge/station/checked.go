package station

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/wire"
)

// compare returns what the pairs of a check say about the thermometer with an offset.
func (s *Station) compare(c *wire.FieldCheck, offset fact.Temp) (honesty.Comparison, bool) {
	pairs := make([]honesty.Pair, len(c.Pairs))
	for i, p := range c.Pairs {
		pairs[i] = honesty.Pair{Contact: p.Contact, Infrared: p.Screening - c.Offset + offset}
	}
	return honesty.Compare(pairs, s.opts.Rules.Limits.Fever)
}

// trustCheck begins the history of a thermometer that has passed a check anew.
func (s *Station) trustCheck(in *input, c *wire.FieldCheck) {
	if c.State == fact.CheckDone && len(s.faults(in, c)) == 0 {
		in.trust = trust{}
	}
}

// faults returns what a check has found wrong with a thermometer, as its site offset is
// now: after the proposed one has been set nothing is off.
func (s *Station) faults(in *input, c *wire.FieldCheck) []fact.CheckFault {
	result, _ := s.compare(c, *in.cfg.Offset)
	return result.Faults
}

// checkFailed says in words that the last field check was not passed; empty: it was, or there
// was none.
func (s *Station) checkFailed(in *input) string {
	c := in.check.last
	if c == nil {
		return ""
	}
	var words []string
	for _, f := range s.faults(in, c) {
		switch f {
		case fact.CheckOff:
			words = append(words, fmt.Sprintf("its field check found it off by %s °C: set offset_c to %s if it is "+
				"steady (spread %s °C), or replace it", c.Result.Mean, c.Result.Proposed, c.Result.Spread))
		case fact.CheckMisses:
			words = append(words, "its field check found fevers that it reads as normal: replace it")
		case fact.CheckFlat:
			words = append(words, "its field check found that it reads nearly the same of everybody: replace it")
		}
	}
	return strings.Join(words, "; ")
}

// dueAfter returns when the next check is due after one.
func (s *Station) dueAfter(c *wire.FieldCheck) time.Time {
	return c.Began.Add(s.opts.Rules.CheckEvery())
}

// fresh reports whether a thermometer has passed a field check that is not overdue.
func (s *Station) fresh(now clock.Moment, in *input) bool {
	c := in.check.last
	return c != nil && len(s.faults(in, c)) == 0 && now.Wall.Before(s.dueAfter(c))
}

// checkDue posts which thermometers are to be checked. While the clock is not known to be
// right it is not known what is overdue, and what was posted before stays.
func (s *Station) checkDue(now clock.Moment) {
	for _, in := range s.inputs {
		if in.meter == nil || in.check.last != nil && !s.opts.Clock.Synchronised() {
			continue
		}
		due := status.Condition{Type: fact.AlarmCheckDue, Device: in.cfg.Name}
		switch c := in.check.last; {
		case in.check.open != nil:
		case c == nil && s.opts.Rules.Thermometers.Check != nil:
			due.Detail = "it has never been compared with a contact thermometer at this gate: begin a field check"
		case c != nil && now.Wall.After(s.dueAfter(c)):
			due.Detail = fmt.Sprintf("its field check of %s is overdue since %s: begin another one",
				c.Began.In(s.opts.Zone).Format(time.DateOnly), s.dueAfter(c).In(s.opts.Zone).Format(time.DateOnly))
		}
		s.opts.Board.Set(due)
	}
}
