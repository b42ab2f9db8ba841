package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/wire"
)

// Reports that were delayed for an hour arrive one after the other, and the clock
// ticks in between: they are one run, which ends when no more arrive.
func TestTimePassesWhileOldReportsArrive(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	c.now = begin.Add(time.Hour)
	for _, r := range work(begin, 100, 60) {
		c.say(topic, r)
		c.now = c.now.Add(time.Second)
		c.Tick(t.Context(), c.now)
	}
	if got, want := fmt.Sprint(c.runsOf("fogger-9")), "[20200214t060010.000z open measured 6.00 1m0s]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	c.now = c.now.Add(quietFor)
	c.Tick(t.Context(), c.now)
	if got, want := fmt.Sprint(c.runsOf("fogger-9")), "[20200214t060010.000z closed measured 6.00 1m0s]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestReportsBecomeARunAcrossRestarts(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	for i, r := range work(begin, 100, 60) {
		if i%7 == 3 {
			c.restart()
		}
		c.now = begin.Add(time.Duration(2*i) * time.Second)
		c.say(topic, r)
		c.say(topic, r) // the broker delivers it again
	}
	if n := len(c.rows(wire.KindTrack)); n != 45 {
		t.Errorf("%d reports are kept, want 45", n)
	}
	if got := c.runsOf("fogger-9"); len(got) != 1 || !strings.Contains(got[0], "open") {
		t.Fatalf("%q", got)
	}
	c.restart()
	c.now = c.now.Add(20 * time.Minute)
	c.Tick(t.Context(), c.now)
	got := c.runsOf("fogger-9")
	if len(got) != 1 || !strings.Contains(got[0], "closed measured 6.00 1m0s") {
		t.Fatalf("%q", got)
	}
	c.Tick(t.Context(), c.now)
	for i, r := range c.rows(wire.KindTrack) {
		body, err := r.DecodeBody()
		must(t, err)
		track := body.(*wire.Track)
		if track.Raw != work(begin, 100, 60)[i] || track.Received == nil || track.BadClock {
			t.Fatalf("%+v", track)
		}
	}
}

// In whatever order reports arrive, in the end the runs are the same.
func TestTheOrderOfReportsDoesNotMatter(t *testing.T) {
	all := slices.Concat(work(begin, 100, 40), work(begin.Add(10*time.Minute), 104, 40),
		work(begin.Add(50*time.Minute), 108, 40))
	found := func(order []int, restart int) []string {
		c := newCounty(t, t.TempDir())
		defer c.end()
		c.now = begin.Add(time.Hour)
		for i, k := range order {
			if i == restart {
				c.restart()
			}
			c.say(topic, all[k])
		}
		c.now = begin.Add(3 * time.Hour)
		c.Tick(t.Context(), c.now)
		return c.runsOf("fogger-9")
	}
	inOrder := make([]int, len(all))
	for i := range inOrder {
		inOrder[i] = i
	}
	want := found(inOrder, -1)
	if len(want) != 2 || !strings.Contains(want[0], "closed measured 8.00") {
		t.Fatalf("in order: %q", want)
	}
	for seed := range uint64(10) {
		dice := rand.New(rand.NewPCG(seed, 1))
		if got := found(dice.Perm(len(all)), dice.IntN(len(all))); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("seed %d: %q, want %q", seed, got, want)
		}
	}
}

func TestClocks(t *testing.T) {
	for name, c := range map[string]struct {
		at    string
		wrong bool
		held  time.Time
	}{
		"none":                 {"", false, begin},
		"right":                {`"at":"2020-02-14T05:59:58Z",`, false, begin.Add(-2 * time.Second)},
		"a little ahead":       {`"at":"2020-02-14T06:05:00Z",`, true, begin},
		"a second ahead":       {`"at":"2020-02-14T06:00:01Z",`, false, begin.Add(time.Second)},
		"ahead":                {`"at":"2021-02-14T06:05:00Z",`, true, begin},
		"1970":                 {`"at":"1970-01-01T00:00:09Z",`, true, begin},
		"days late, it may be": {`"at":"2020-02-04T06:00:00Z",`, false, begin.AddDate(0, 0, -10)},
	} {
		w := newCounty(t, t.TempDir())
		w.say(topic, `{"v":1,`+c.at+`"command":true,"flow_lpm":5}`)
		body, err := w.rows(wire.KindTrack)[0].DecodeBody()
		must(t, err)
		track := body.(*wire.Track)
		if track.BadClock != c.wrong || !track.At.Equal(c.held) || !track.Received.Equal(begin) {
			t.Errorf("%s: %v, %s", name, track.BadClock, track.At)
		}
		if got := w.runsOf("fogger-9"); len(got) != 1 {
			t.Errorf("%s: runs %q", name, got)
		}
		w.end()
	}
}

func TestAFileComesInParts(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	part := func(n int) string {
		at := begin.AddDate(0, -3, 0).Add(time.Duration(n) * time.Minute)
		return fmt.Sprintf(`{"v":1,"at":%q,"import":{"id":"abc","part":%d,"parts":3,"name":"a.kml"},`+
			`"points":[{"t_ms":0,"lat":35.9,"lon":115.1},{"t_ms":30000,"lat":35.9%d,"lon":115.1}]}`,
			at.Format(time.RFC3339), n, n)
	}
	for _, n := range []int{2, 3, 3} {
		c.say(topic, part(n))
	}
	if got := c.runsOf("fogger-9"); len(got) != 0 {
		t.Fatalf("a part is missing, and yet: %q", got)
	}
	c.restart()
	for range 2 {
		for _, n := range []int{1, 2, 3} {
			c.say(topic, part(n))
		}
	}
	if got := c.runsOf("fogger-9"); len(got) != 1 || !strings.Contains(got[0], "abc closed declared") {
		t.Errorf("%q", got)
	}
	if n := len(c.rows(wire.KindTrack)); n != 3 {
		t.Errorf("%d parts are kept, want 3", n)
	}
}
