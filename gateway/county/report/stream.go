package report

import (
	"slices"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// observe takes the next report in the order of time, and returns the records of
// runs that it makes.
func (s *stream) observe(k kept) []wire.Body {
	if s.newest.Track != nil {
		s.apart = k.arrived().Sub(s.newest.arrived())
	}
	// A message may hold a single value: the sample has the others that are fresh.
	x := machine.Sample(k.Points[0], k.at, time.Duration(k.at.UnixNano()))
	s.observed, s.newest = x.T, k
	s.fuser.Take(x)
	s.counts.add(k.at, &x.Values)
	x, _ = s.fuser.Sample(x.At, x.T)
	s.held = s.fuser.Holds > 0 && x.Command != nil && *x.Command
	return s.again(s.runs.Observe(x))
}

// again returns the records that an observation made, when the run that was open had
// been recorded as closed: it goes on, or is over indeed.
func (s *stream) again(made []wire.Body) []wire.Body {
	if s.ended == "" {
		return made
	}
	was := s.ended
	s.ended = ""
	made = slices.DeleteFunc(made, func(b wire.Body) bool {
		r, ok := b.(*wire.Run)
		return ok && r.ID == was && r.State == fact.RunClosed
	})
	open, working := s.runs.Open()
	if !open || s.runs.Run().ID != was {
		return made
	}
	if !working {
		s.ended = was // a report of a machine that rests
		return made
	}
	return append(made, s.runs.Run())
}

// end records the open run as closed when the machine has sent nothing for a while
// and its last work is longer ago than a pause. What comes late may still continue
// it, so it goes on being observed.
func (s *stream) end(now time.Time, pause time.Duration) []wire.Body {
	open, _ := s.runs.Open()
	quiet := min(max(quietFor, 3*s.apart), max(pause, quietFor))
	if !open || s.ended != "" || now.Sub(s.newest.arrived()) < quiet {
		return nil
	}
	if s.held { // at the end, the time for which it held counts
		return s.runs.Tick(time.Duration(now.UnixNano()))
	}
	r := s.runs.Run()
	if now.Sub(r.End.Time) <= pause {
		return nil
	}
	r.State, r.Working = fact.RunClosed, false
	s.ended = r.ID
	return []wire.Body{r}
}

// arrange puts reports, which come in the order of their arrival, into that of their
// times.
func (s *stream) arrange(reports []kept) (out []kept) {
	for _, k := range reports {
		out = append(out, s.timing.add(k)...)
	}
	if n := len(reports); n > 0 {
		out = append(out, s.timing.expire(reports[n-1].arrived().Add(1))...)
	}
	slices.SortStableFunc(out, func(a, b kept) int { return a.at.Compare(b.at) })
	return out
}
