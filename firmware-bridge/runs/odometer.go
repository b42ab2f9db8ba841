package runs

import (
	"gatehouse/firmware-bridge/geo"
)

// share is a number of seconds or metres, and how many of them lie within work.
type share struct {
	all       float64
	told      float64 // while the pump was told to run
	worked    float64 // while it flowed or, where nobody measured that, while it was told to run
	undecided float64 // while it was told to run, and the counter has not moved since
}

// add adds another share, each number of it multiplied by factor.
func (s *share) add(more share, factor float64) {
	s.all += factor * more.all
	s.told += factor * more.told
	s.worked += factor * more.worked
	s.undecided += factor * more.undecided
}

// decide counts what is undecided as worked, or as not worked.
func (s *share) decide(worked bool) {
	if worked {
		s.worked += s.undecided
	}
	s.undecided = 0
}

// Limits of an odometer. Positions of a receiver that stands lie some metres apart:
// a leg ends only where it is longer than that.
const (
	legMoving   = 1.5  // metres, while the speed says that the machine moves
	legUnknown  = 3.0  // metres, where no speed is known
	legStanding = 10.0 // metres, while the speed says that it stands
	leastLeg    = 1.5  // metres of the leg that is not over which count
	standing    = 0.5  // m/s below which a machine stands
	believed    = 1.7  // times by which speed and positions may differ: knots for m/s are more
)

// odometer adds up the metres that a machine has moved, and those of them while it
// worked. It goes from leg to leg, so that the jitter of positions does not add up.
// The zero value is ready to use.
type odometer struct {
	way     Way
	known   bool
	last    Sample // the last position
	seconds share  // since then
	recent  share  // the newest seconds between two positions
	leg     leg
	metres  share // of the legs that are over
}

// leg is the way since the last leg was over.
type leg struct {
	from    geo.Point
	path    share   // metres from position to position
	driven  float64 // metres by speed and time
	seconds float64
	blind   bool // the speed was not known all the time
}

// pass notes the seconds between two samples.
func (o *odometer) pass(seconds share) { o.seconds.add(seconds, 1) }

// take takes the position of a sample.
func (o *odometer) take(s Sample) Fix {
	if o.known && *s.Lat == *o.last.Lat && *s.Lon == *o.last.Lon && s.Speed != nil && *s.Speed >= standing {
		return Reached // it moves: the position is an old one
	}
	metres, found := o.way.Take(*s.Lat, *s.Lon, s.T)
	switch {
	case found == Jumped:
		return found
	case found == Moved:
		o.end(o.last)
		o.start(s)
	case !o.known:
		o.start(s)
	default:
		o.step(s, metres)
	}
	return found
}

// start begins a leg at a position.
func (o *odometer) start(s Sample) {
	o.known, o.last, o.seconds, o.leg = true, s, share{}, leg{from: s.point()}
}

// step goes on to the next position, and ends the leg when it is long enough.
func (o *odometer) step(s Sample, metres float64) {
	l := &o.leg
	if o.seconds.all > 0 {
		o.recent = o.seconds
	}
	// A sample may repeat the last position at the moment of the next one.
	if all := o.recent.all; all > 0 {
		l.path.add(o.recent, metres/all)
	} else {
		l.path.all += metres
	}
	past := (s.T - o.last.T).Seconds()
	if from, to := o.last.Speed, s.Speed; from != nil && to != nil {
		l.driven += (*from + *to) / 2 * past
	} else {
		l.blind = true
	}
	l.seconds += past
	o.last, o.seconds = s, share{}
	long := legUnknown
	switch {
	case s.Speed == nil:
	case *s.Speed >= standing:
		long = legMoving
	default:
		long = legStanding
	}
	if geo.Distance(l.from, s.point()) >= long {
		o.end(s)
		o.start(s)
	}
}

// end adds the leg that ends at a position.
func (o *odometer) end(s Sample) {
	if l := &o.leg; l.path.all > 0 {
		o.metres.add(l.path, l.length(s.point())/l.path.all)
	}
}

// length returns the metres of a leg that ends at a point. The speed tells the
// length of a bent way best, as long as it does not contradict the positions.
func (l *leg) length(to geo.Point) float64 {
	straight := geo.Distance(l.from, to)
	switch {
	case l.blind || believed*l.driven < straight:
		return straight
	case l.driven >= standing*l.seconds && l.driven > believed*l.path.all:
		return l.path.all // the speed is in another unit
	case l.driven < standing*l.seconds && l.driven > believed*straight:
		return straight // it stands, and what it says is noise
	}
	return l.driven
}

// decide counts what is undecided as worked, or as not worked.
func (o *odometer) decide(worked bool) {
	o.seconds.decide(worked)
	o.recent.decide(worked)
	o.leg.path.decide(worked)
	o.metres.decide(worked)
}

// total returns the metres up to the last position.
func (o odometer) total() share {
	if o.known && geo.Distance(o.leg.from, o.last.point()) >= leastLeg {
		o.end(o.last)
	}
	return o.metres
}
