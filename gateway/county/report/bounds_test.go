package report

import (
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/reckon"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// A machine that holds its own messages back can't hold more than a bounded number
// of bytes.
func TestWhatIsHeldBackIsBounded(t *testing.T) {
	var l timing
	large := strings.Repeat("x", maxReport)
	say := func(at time.Duration, v fact.Values) {
		l.add(kept{Track: &wire.Track{Received: new(wire.At(begin.Add(at))), NoClock: true, Raw: large,
			Points: []wire.TrackPoint{{Values: v}}}})
	}
	for i := range 10 {
		say(time.Duration(i)*10*time.Second, on)
	}
	most := 0
	for i := range 1000 {
		say(5*time.Minute+time.Duration(i)*ms, on)
		held := 0
		for _, b := range l.beats {
			held += len(b.burst)
		}
		most = max(most, held)
	}
	if most < 10 || most > mostSize/maxReport+2 {
		t.Errorf("%d messages of %d bytes are held back", most, maxReport)
	}
	numbers := fact.Numbers()
	for i := range 1 << len(numbers) {
		var v fact.Values
		for n := range numbers {
			if i&(1<<n) != 0 {
				*numbers[n].Of(&v) = new(1.0)
			}
		}
		say(10*time.Minute+time.Duration(i)*time.Second, v)
	}
	if len(l.beats) != mostBeats {
		t.Errorf("%d kinds are followed, want %d", len(l.beats), mostBeats)
	}
}

// A clock that goes further and further ahead moves no report to where no delay
// would explain it.
func TestNoReportMovesFurtherThanADelay(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	c.now = begin
	c.say(topic, `{"v":1,"at":"2020-02-14T06:00:00Z","command":true}`)
	at := func(off time.Duration) time.Duration {
		must(t, c.index.shift(t.Context(), "fogger-9", begin.Add(-time.Hour), off))
		newest, ok, err := c.index.newest(t.Context(), "fogger-9")
		must(t, err)
		if !ok {
			t.Fatal("there is no report")
		}
		return newest.Sub(begin)
	}
	for _, x := range []struct{ offset, want time.Duration }{
		{-reckon.TooLate, -reckon.TooLate}, {-reckon.TooLate - 1, -reckon.TooLate}, {reckon.Slack, reckon.Slack},
		{reckon.Slack + 1, reckon.Slack},
	} {
		if got := at(x.offset); got != x.want {
			t.Errorf("moved by %s it lies at %s, want %s", x.offset, got, x.want)
		}
	}
}

// A machine may be forgotten while its first messages are taken.
func TestAMachineWithAnOpenRunIsRemembered(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	m, err := c.reporter(t.Context(), "fogger-9")
	must(t, err)
	c.remember(m)
	c.forget()
	c.remember(m)
	if known := c.Taker.known(); len(known) != 0 {
		t.Errorf("known are %v", known)
	}
	m.open.Store(true)
	c.remember(m)
	c.forget()
	if known := c.Taker.known(); len(known) != 1 || c.machines["fogger-9"] != m {
		t.Errorf("known are %v", known)
	}
}
