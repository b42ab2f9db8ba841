package mavlink

import (
	"math"
	"slices"
	"time"
)

// How the frames of one system id are told apart.
const (
	inOrder   = 8                // a frame at most so far behind the one before follows it
	sound     = 4                // score of a counter that counts each frame
	topScore  = 16               //
	jumped    = 3                // frames in order after which a counter has jumped, where nothing follows it
	forgotten = 10 * time.Second // a counter without frames for so long is forgotten
	quietFor  = 2 * time.Second  // a vehicle without frames for so long may come another way
	keepsFor  = time.Minute      // how long the first of two vehicles keeps its place
	apart     = 100.0            // metres between two vehicles
	bootApart = 3 * time.Second  // between the boots of two vehicles
	lateBoot  = 30 * time.Second // a boot clock that steps back further is that of a restart
	mostLate  = 5                // frames that are late one after the other; more: a restart
	certain   = 10               // frames of a second vehicle before it is reported
	settling  = 32               // frames after which the pauses of a counter are known
	mostKnown = 8                // counters of one system id
)

// counter is one sequence of frames: of a vehicle's link, or of late ones among them.
type counter struct {
	from   string
	seq    byte
	score  int // frames in order, less others
	frames int
	since  time.Duration
	last   time.Duration
	pause  time.Duration // the longest of late between two frames
	facts
	boot   time.Duration // when it booted, by our clock
	rival  bool          // it was found to be of another vehicle than the active
	fixAt  time.Duration
	hadFix bool
}

// facts are what a message says about which vehicle sent it.
type facts struct {
	sinceBoot time.Duration // 0: not known
	lat, lon  float64       // both 0: not known
	uid       uint64        // of the flight controller; 0: not known
}

// relation says whether two counters are of one vehicle.
type relation int

const (
	notKnown relation = iota
	oneVehicle
	twoVehicles
)

// streams follows the frames of an autopilot with one system id: it chooses those of
// one vehicle, in order. It is pure.
type streams struct {
	all    []*counter
	active *counter                 // whose frames are taken; nil: nothing has come
	taken  map[uint32]time.Duration // of each message id
	newest time.Duration            // boot clock
	late   int                      // frames in a row with an older one
	other  *counter                 // of a second vehicle
}

// judge reports whether a frame of the autopilot is taken; again is true when it is
// the first after a restart or a loss of the vehicle.
func (s *streams) judge(now time.Duration, from string, seq byte, id uint32, f facts) (take, again bool) {
	c := s.find(now, from, seq)
	c.learn(now, f)
	if s.active == nil {
		s.begin(c)
		s.taken, again = map[uint32]time.Duration{}, true
	}
	if c != s.active {
		take, again = s.change(now, c, id)
		if !take {
			return false, false
		}
	}
	if f.sinceBoot != 0 {
		old := f.sinceBoot < s.newest
		if old && s.newest-f.sinceBoot < lateBoot && s.late < mostLate {
			s.late++
			return false, false
		}
		again = again || old
		s.newest, s.late = f.sinceBoot, 0
	}
	if c == s.active {
		s.taken[id] = now
	}
	return true, again
}

// change reports whether a frame of another counter is taken, and makes that one the
// active where it has taken the place of it.
func (s *streams) change(now time.Duration, c *counter, id uint32) (take, again bool) {
	a := s.active
	quiet := now - a.last
	kin := related(now, a, c)
	c.rival = c.rival || kin == twoVehicles
	switch {
	case c.rival && quiet <= keepsFor:
		if c.frames >= certain && quiet < quietFor {
			s.other = c
		}
		return false, false
	case quiet > quietFor:
		s.begin(c)
		return true, kin != oneVehicle
	case c.from == a.from && a.score < sound:
		return true, false // it counts nothing that we see
	case c.from == a.from && c.score >= jumped && a.last < c.since:
		s.begin(c)
		return true, false
	case c.from != a.from && kin != oneVehicle:
		return false, false
	}
	// Another way of the same vehicle gives what does not come on the first.
	at, known := s.taken[id]
	return !known || now-at > quietFor, false
}

// begin makes a counter the active one.
func (s *streams) begin(c *counter) {
	s.active, s.newest, s.late, s.other = c, 0, 0, nil
	for _, o := range s.all {
		o.rival = false
	}
}

// find returns the counter that a frame continues, or a new one.
func (s *streams) find(now time.Duration, from string, seq byte) *counter {
	s.all = slices.DeleteFunc(s.all, func(c *counter) bool {
		return c != s.active && now-c.last > forgotten
	})
	var best *counter
	known := false
	for _, c := range s.all {
		if c.from != from {
			continue
		}
		known = true
		if step := seq - c.seq; step != 0 && step <= inOrder && s.better(now, c, best, seq) {
			best = c
		}
	}
	a := s.active
	if best == nil && !known && a != nil && a.score >= sound && seq-a.seq == 1 {
		a.from, best = from, a // its address has changed
	}
	if best == nil {
		best = &counter{from: from, since: now}
		if len(s.all) >= mostKnown {
			s.all = slices.DeleteFunc(s.all, func(c *counter) bool { return c == s.oldest() })
		}
		s.all = append(s.all, best)
		if a != nil && a.from == from {
			a.score = max(0, a.score-2)
		}
	} else if seq-best.seq <= 2 {
		best.score = min(best.score+1, topScore)
	} else {
		best.score = max(0, best.score-1)
	}
	if best.frames > 0 {
		best.pause = max(best.pause-best.pause/16, min(now-best.last, quietFor))
	}
	best.seq, best.last = seq, now
	best.frames++
	return best
}

// better reports whether c is followed by seq rather than b.
func (s *streams) better(now time.Duration, c, b *counter, seq byte) bool {
	if b == nil {
		return true
	}
	if c.silent(now) != b.silent(now) {
		return b.silent(now)
	}
	if c.score < sound || b.score < sound { // late frames are no counter
		return c == s.active || b != s.active && c.score > b.score
	}
	stepC, stepB := seq-c.seq, seq-b.seq
	return stepC < stepB || stepC == stepB && c.last < b.last
}

// silent reports whether a counter has ended: nothing came for much longer than usual.
func (c *counter) silent(now time.Duration) bool {
	if c.frames < settling {
		return now-c.last > quietFor
	}
	return now-c.last > 2*c.pause+200*time.Millisecond
}

// oldest returns the counter, other than the active, that was heard least recently.
func (s *streams) oldest() (old *counter) {
	for _, c := range s.all {
		if c != s.active && (old == nil || c.last < old.last) {
			old = c
		}
	}
	return old
}

// learn adds what a message says about the vehicle.
func (c *counter) learn(now time.Duration, f facts) {
	if f.sinceBoot != 0 {
		c.sinceBoot, c.boot = f.sinceBoot, now-f.sinceBoot
	}
	if f.lat != 0 || f.lon != 0 {
		c.lat, c.lon, c.fixAt, c.hadFix = f.lat, f.lon, now, true
	}
	if f.uid != 0 {
		c.uid = f.uid
	}
}

// related says whether two counters are of one vehicle.
func related(now time.Duration, a, b *counter) relation {
	if a.uid != 0 && b.uid != 0 {
		if a.uid == b.uid {
			return oneVehicle
		}
		return twoVehicles
	}
	fixes := a.hadFix && b.hadFix && now-a.fixAt < bootApart && now-b.fixAt < bootApart
	if fixes && distance(a.facts, b.facts) > apart {
		return twoVehicles
	}
	switch {
	case a.sinceBoot == 0 || b.sinceBoot == 0:
		return notKnown
	case (a.boot - b.boot).Abs() <= bootApart:
		return oneVehicle
	case a.last < b.since:
		return notKnown // it may have restarted
	}
	return twoVehicles
}

// distance returns roughly how many metres lie between two positions.
func distance(a, b facts) float64 {
	const perDegree = 111_195.0
	east := (a.lon - b.lon) * math.Cos(a.lat*math.Pi/180)
	return perDegree * math.Hypot(a.lat-b.lat, east)
}
