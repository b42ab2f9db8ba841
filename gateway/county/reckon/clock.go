// Package reckon finds when the reports of one machine were made. A machine may have
// no clock, or one that is wrong, that begins in 1970 at each start, or that is set
// while it works; its reports may be late, overtake each other, and come again. It
// is pure: what is known of each message in, its time out.
//
// The rule. A machine's own clock orders its reports and measures the time between
// them. What has to be added to it is constant as long as the clock does not step,
// and is found from the lags of the messages: arrival less own time.
//
//   - It is 0 until something speaks against it. A lag of up to 14 days is a delay.
//   - No message arrives before it was made: a lag below what is added shows that the
//     clock is ahead, or was set. A lag above 14 days shows that it is behind.
//   - Messages that are late catch up with the present, or arrive all at once. When
//     lags of two minutes or more stay the same while messages arrive as far apart as
//     they were made, the clock is slow.
//
// While little is known the time of the messages since the last step may change
// together (Judge returns moved); their order and what lies between them does not.
package reckon

import "time"

const (
	// Slack is how far a time may lie in the future: clocks are read in whole
	// seconds, and are not quite right.
	Slack = 2 * time.Second
	// TooLate is the lag that no delay explains.
	TooLate = 14 * 24 * time.Hour

	right     = 10 * time.Second // a clock that is behind by less is right, and the line slow
	slow      = 2 * time.Minute  // a steady lag of at least this is the clock's
	alike     = 3 * time.Second  // steady lags differ by no more
	fewest    = 5                // messages that a steady lag needs
	enough    = 15 * time.Second // and how long it lasts, where nothing was known of the clock
	surely    = 30 * time.Second // where the clock was known
	smallFor  = time.Minute      // as enough, of a lag below slow
	driftFor  = 10 * time.Minute // as surely, of a lag below slow
	overtakes = right            // a message is overtaken by others by at most so much
	standFor  = 5 * time.Second  // a clock that shows the same for so long is coarse, or stands
)

// Clock follows a machine's clock from one message to the next. The zero value is
// that of a machine of which nothing has come. Its fields are exported to be stored.
type Clock struct {
	Since   time.Time     // arrival of the first message since the clock began or stepped
	Offset  time.Duration // what is added to the machine's time
	Settled bool          // live messages have shown it
	Stepped bool          // the clock was known before Since
	Before  time.Duration // Offset then
	Least   time.Duration // the smallest lag since Since
	Steady  Steady
	Back    Steady // of a clock that began in 1970: messages that seem older than the newest
	Same    Same
}

// Steady is a stretch of messages with the same lag.
type Steady struct {
	Since       time.Time // arrival of the first
	Last        time.Time // the newest time of the machine
	Least, Most time.Duration
	Count       int
	Other       Other
}

// Other is a few messages with another lag.
type Other struct {
	Since       time.Time // arrival of the first
	Least, Most time.Duration
	Count       int
	Between     int // messages since with the lag of the Steady
}

// Same is a stretch of messages with the same time of the machine.
type Same struct {
	Own    time.Time
	Since  time.Time // arrival of the first
	Count  int
	Coarse bool // there was one that lasted
}

// Judged is a message's time.
type Judged struct {
	At  time.Time // when it was made
	Own time.Time // by the machine's clock; later than it says where the clock stands
	// Moved: messages that arrived at Clock.Since or later lie at their Own plus
	// Clock.Offset now. Those that would lie more than Slack after their arrival are of
	// the time before the clock was set, and stay.
	Moved bool
}

// Judge takes the next message that has a time of its own. Messages come in the
// order of their arrival.
func (c *Clock) Judge(arrived, own time.Time) Judged {
	own = c.Same.flow(arrived, own)
	lag := arrived.Sub(own)
	j := Judged{Own: own}
	switch late := lag - c.Offset; {
	case c.overtaken(arrived, lag):
		j.Own = own.Add(c.Before - c.Offset)
	case c.Since.IsZero():
		c.begin(arrived, lag)
	case late > TooLate:
		first := c.first(arrived, lag)
		c.begin(first, lag)
		j.Moved = first.Before(arrived)
	case c.Offset.Abs() > TooLate && own.Before(c.Steady.Last) && late > right:
		j.Moved = c.restart(arrived, own, lag)
	case late < -Slack:
		j.Moved = c.ahead(arrived, lag)
	default:
		c.Least = min(c.Least, lag)
		if c.Back.Other.Between++; c.Back.Other.Between > 2 {
			c.Back = Steady{}
		}
		c.Steady.take(arrived, own, lag)
		j.Moved = c.learn()
	}
	j.At = j.Own.Add(c.Offset)
	return j
}

// overtaken reports whether a message was made before the clock stepped, and was
// overtaken by others that were made after that.
func (c *Clock) overtaken(arrived time.Time, lag time.Duration) bool {
	late := lag - c.Before
	return c.Stepped && late >= -Slack && late <= right && (lag-c.Offset).Abs() > late.Abs() &&
		arrived.Sub(c.Since) <= overtakes
}

// first returns when the first of the latest messages with about this lag arrived.
// Some of them may have lain just within TooLate.
func (c *Clock) first(arrived time.Time, lag time.Duration) time.Time {
	o := &c.Steady.Other
	switch {
	case c.Steady.near(lag):
		return c.Steady.Since
	case c.Back.Count > 0 && c.Back.near(lag):
		return c.Back.Since
	case o.Count > 0 && max(o.Most, lag)-min(o.Least, lag) <= alike:
		return o.Since
	}
	return arrived
}

// begin notes that the clock has begun, or stepped, with a message.
func (c *Clock) begin(arrived time.Time, lag time.Duration) {
	c.Stepped, c.Before = !c.Since.IsZero(), c.Offset
	c.Since, c.Settled, c.Least, c.Offset = arrived, false, lag, 0
	if lag < -Slack || lag > TooLate {
		c.Offset = lag
	}
	c.Steady, c.Back = Steady{}, Steady{}
	c.Steady.take(arrived, arrived.Add(-lag), lag)
}

// restart takes a message of a clock that is years wrong, and that seems older than
// the newest. One that shows about what the clock began with, and a second one, made
// as much later as it arrives, show that the clock has begun again.
func (c *Clock) restart(arrived, own time.Time, lag time.Duration) (moved bool) {
	if !c.Back.near(lag) {
		c.Back = Steady{}
	}
	c.Back.take(arrived, own, lag)
	c.Back.Other.Between = 0
	if began := c.Since.Add(-c.Offset); c.Back.Count == 1 && own.After(began.Add(right)) {
		c.Back = Steady{}
	}
	if c.Back.Count < 2 || c.Back.lasted() < time.Second/2 {
		return false
	}
	back := c.Back
	c.begin(back.Since, back.Least)
	c.Offset, c.Steady, c.Back = back.Least, back, Steady{}
	return true
}

// ahead takes a message that would lie in the future, and reports whether the
// messages before it move.
func (c *Clock) ahead(arrived time.Time, lag time.Duration) (moved bool) {
	was := c.Offset
	believable := lag >= -Slack && lag <= TooLate
	switch {
	case c.Settled: // it was set, or drifts
		c.begin(arrived, lag)
		if believable && lag > right {
			c.Offset = lag
		}
		return false
	case believable && was != 0 || was-lag > TooLate: // it was set
		c.begin(arrived, lag)
		return false
	}
	c.Offset, c.Least = lag, lag
	c.Steady = Steady{}
	c.Steady.take(arrived, arrived.Add(-lag), lag)
	return true
}

// learn looks whether the steady lag shows what is to be added, and reports whether
// that moves messages.
func (c *Clock) learn() (moved bool) {
	s := &c.Steady
	lasted := s.lasted()
	late := s.Least - c.Offset
	if s.Count < fewest || lasted < enough {
		return false
	}
	fresh := !c.Settled && s.Least <= c.Least+alike // nothing that was less late is known
	switch {
	case late <= right:
		moved = !c.Settled && c.Offset != 0 && s.Least < c.Offset
		if moved {
			c.Offset = s.Least
		}
		c.Settled = true
		return moved
	case late < slow && lasted < driftFor && (!fresh || lasted < smallFor):
		return false
	case !fresh && lasted < surely:
		return false
	case !fresh:
		c.Since, c.Least, c.Stepped, c.Before = s.Since, s.Least, true, c.Offset
	}
	c.Offset, c.Settled = s.Least, true
	return true
}

// take adds a message. A few with another lag were held up, or overtaken; when more of
// them have one that is steady, that is the lag from the first of them on.
func (s *Steady) take(arrived, own time.Time, lag time.Duration) {
	other := &s.Other
	switch {
	case s.Count == 0:
		*s = Steady{Since: arrived, Last: own, Least: lag, Most: lag, Count: 1}
		return
	case s.near(lag):
		s.Last, s.Least, s.Most = later(s.Last, own), min(s.Least, lag), max(s.Most, lag)
		s.Count++
		if other.Between++; other.Between > 2 {
			*other = Other{}
		}
		return
	case other.Count == 0 || max(other.Most, lag)-min(other.Least, lag) > alike:
		*other = Other{Since: arrived, Least: lag, Most: lag}
	}
	other.Least, other.Most, other.Between = min(other.Least, lag), max(other.Most, lag), 0
	if other.Count++; other.Count > 2 {
		*s = Steady{Since: other.Since, Last: own, Least: other.Least, Most: other.Most, Count: other.Count}
	}
}

// near reports whether a lag is that of the stretch.
func (s *Steady) near(lag time.Duration) bool { return max(s.Most, lag)-min(s.Least, lag) <= alike }

// lasted returns for how long, by the machine's clock, the lag is the same.
func (s *Steady) lasted() time.Duration { return s.Last.Add(s.Least).Sub(s.Since) }

// flow returns the machine's time of a message. Where its clock has shown the same
// for a while, the time goes on with the arrivals.
func (s *Same) flow(arrived, own time.Time) time.Time {
	if !own.Equal(s.Own) {
		s.Coarse = s.Coarse && own.Sub(s.Own).Abs() >= standFor
		s.Own, s.Since, s.Count = own, arrived, 1
		return own
	}
	s.Count++
	past := arrived.Sub(s.Since)
	s.Coarse = s.Coarse || s.Count > 2 && past >= standFor
	if s.Coarse {
		return own.Add(past)
	}
	return own
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
