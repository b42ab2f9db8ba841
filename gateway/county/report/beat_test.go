package report

import (
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// spoken plays messages of one machine to its timing.
type spoken struct {
	timing
	found map[int]time.Duration // by the message's number, since begin
	count int
}

func (l *spoken) took(out []kept) {
	for _, k := range out {
		l.found[int(k.Points[0].TMS)] = k.at.Sub(begin)
	}
}

// say lets a message arrive; made is its own time, negative: it has none.
func (l *spoken) say(arrived, made time.Duration, v fact.Values) (number int) {
	l.count++
	k := kept{Track: &wire.Track{Received: new(wire.At(begin.Add(arrived))),
		Points: []wire.TrackPoint{{TMS: int64(l.count), Values: v}}}}
	if made >= 0 {
		k.at = begin.Add(made)
		k.Clock = new(wire.At(k.at))
	} else {
		k.NoClock = true
	}
	l.took(l.add(k))
	return l.count
}

func (l *spoken) end(at time.Duration) { l.took(l.expire(begin.Add(at))) }

var on = fact.Values{Command: new(true)}

const ms = time.Millisecond

// A relay that says its state each second has no clock, and the sensor beside it
// has one. Both come at once after an outage, first all of one topic.
func TestMessagesOfASteadyRateThatComeAtOnceWereMadeAtIt(t *testing.T) {
	for name, sensor := range map[string]bool{"beside a sensor": true, "alone": false} {
		l := &spoken{found: map[int]time.Duration{}}
		var numbers []int
		flow := fact.Values{Flow: new(5.0)}
		made := func(i int) time.Duration { return time.Duration(i)*time.Second + 10*ms }
		for i := range 10 {
			if sensor {
				l.say(made(i), made(i)-10*ms, flow)
			}
			numbers = append(numbers, l.say(made(i)+ms, -1, on))
		}
		at := made(23) + 50*ms // nothing came for 14 s
		for i := range 14 {
			numbers = append(numbers, l.say(at+time.Duration(i), -1, on))
		}
		if sensor {
			for i := range 14 {
				l.say(at+ms+time.Duration(i), made(10+i)-10*ms, flow)
			}
		}
		for i := 24; i < 28; i++ {
			if sensor {
				l.say(made(i), made(i)-10*ms, flow)
			}
			numbers = append(numbers, l.say(made(i)+ms, -1, on))
		}
		l.end(time.Hour)
		for i, n := range numbers {
			if got, ok := l.found[n]; !ok || (got-made(i)).Abs() > 100*ms {
				t.Errorf("%s: message %d lies at %s (%v), want %s", name, i, got, ok, made(i))
			}
		}
	}
}

// Two changes of a relay may come within a moment after an hour.
func TestMessagesOfNoSteadyRateWereMadeWhenTheyArrived(t *testing.T) {
	l := &spoken{found: map[int]time.Duration{}}
	arrivals := []time.Duration{0, 40 * time.Second, 41 * time.Second, 3 * time.Minute, time.Hour, time.Hour + 5*ms}
	for _, at := range arrivals {
		l.say(at, -1, on)
	}
	l.end(2 * time.Hour)
	for i, at := range arrivals {
		if got := l.found[i+1]; got != at {
			t.Errorf("message %d lies at %s, want %s", i, got, at)
		}
	}
}

// One message after a silence was made when it arrived: the machine was off. More
// messages than fit into the silence share it.
func TestABurstIsNotOlderThanWhatCameBefore(t *testing.T) {
	for _, c := range []struct {
		silence time.Duration
		count   int
		first   time.Duration // after the last message before the silence
	}{
		{30 * time.Second, 1, 30 * time.Second},
		{10 * time.Second, 3, 8 * time.Second},
		{5 * time.Second, 10, 500 * ms},
	} {
		l := &spoken{found: map[int]time.Duration{}}
		for i := range 8 {
			l.say(time.Duration(i)*time.Second, -1, on)
		}
		last := 7 * time.Second
		n := 0
		for i := range c.count {
			if m := l.say(last+c.silence+time.Duration(i), -1, on); n == 0 {
				n = m
			}
		}
		if _, early := l.found[n]; early {
			t.Error("it is found before the burst has ended")
		}
		l.end(last + c.silence + 3*time.Second)
		if got := l.found[n] - last; (got - c.first).Abs() > ms {
			t.Errorf("%d after %s: the first lies %s later, want %s", c.count, c.silence, got, c.first)
		}
	}
}

// The rate is learnt from what came at once, too, and again when it changes.
func TestARateIsLearntInSpiteOfOutages(t *testing.T) {
	var b beat
	at := time.Duration(0)
	say := func(gaps ...time.Duration) {
		for _, gap := range gaps {
			at += gap
			k := kept{Track: &wire.Track{Received: new(wire.At(begin.Add(at)))}}
			if b.over(k.arrived()) {
				b.found(b.arrived)
			}
			b.take(k)
		}
	}
	const s = time.Second
	rate := func(name string, want time.Duration) {
		t.Helper()
		if !b.steady || (b.every-want).Abs() > want/10 {
			t.Errorf("%s: every %s, steady %v, want %s", name, b.every, b.steady, want)
		}
	}
	say(0, s, s, 4*s, ms, ms, ms, 7*s, ms, ms, ms, ms, ms, 253*ms, s, s)
	rate("after outages", s)
	say(1270*ms, 744*ms, ms, s, s, 1400*ms, 600*ms)
	rate("with one that comes again, and a slow machine", s)
	say(10*s, 10*s, 10*s, 10*s, 10*s, 10*s, 10*s)
	rate("when it changes", 10*s)
	say(s, 40*s, 3*s, 90*s, 7*s, 200*s)
	if b.steady {
		t.Errorf("at no rate: every %s", b.every)
	}
}
