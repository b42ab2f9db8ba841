package reckon

import (
	"testing"
	"time"
)

const (
	sec = time.Second
	hr  = time.Hour
	day = 24 * time.Hour
)

// steady is a stretch of so many messages with one lag, that lasts since truth.
func steady(count int, lasted, lag time.Duration) Steady {
	return Steady{Since: truth, Last: truth.Add(lasted - lag), Least: lag, Most: lag, Count: count}
}

func TestWhenASteadyLagIsTheClocks(t *testing.T) {
	const min = time.Minute
	for name, c := range map[string]struct {
		settled       bool
		offset, least time.Duration
		steady        Steady
		moved         bool
		want          time.Duration // Offset
		known         bool          // Settled
	}{
		"five messages, 15 s":           {false, 0, 2 * min, steady(5, 15*sec, 2*min), true, 2 * min, true},
		"four messages":                 {false, 0, 2 * min, steady(4, 15*sec, 2*min), false, 0, false},
		"a little less than 15 s":       {false, 0, 2 * min, steady(5, 15*sec-1, 2*min), false, 0, false},
		"3 s less late before":          {false, 0, 2*min - 3*sec, steady(5, 15*sec, 2*min), true, 2 * min, true},
		"more than 3 s less late":       {false, 0, 2*min - 3*sec - 1, steady(5, 15*sec, 2*min), false, 0, false},
		"more than 3 s, almost 30 s":    {false, 0, 0, steady(5, 30*sec-1, 2*min), false, 0, false},
		"more than 3 s, for 30 s":       {false, 0, 0, steady(5, 30*sec, 2*min), true, 2 * min, true},
		"10 s":                          {false, 0, 10 * sec, steady(5, 15*sec, 10*sec), false, 0, true},
		"a little more than 10 s":       {false, 0, 11 * sec, steady(5, 15*sec, 10*sec+1), false, 0, false},
		"almost 2 min, almost a minute": {false, 0, 2 * min, steady(5, min-1, 2*min-1), false, 0, false},
		"almost 2 min, for a minute":    {false, 0, 2 * min, steady(5, min, 2*min-1), true, 2*min - 1, true},
		"known, almost 10 min":          {true, 0, 0, steady(5, 10*min-1, 2*min-1), false, 0, true},
		"known, for 10 min":             {true, 0, 0, steady(5, 10*min, 2*min-1), true, 2*min - 1, true},
		"known, almost 30 s":            {true, 0, 2 * min, steady(5, 30*sec-1, 2*min), false, 0, true},
		"known, for 30 s":               {true, 0, 2 * min, steady(5, 30*sec, 2*min), true, 2 * min, true},
		"fast, and a little more":       {false, -hr, 0, steady(5, 15*sec, -hr-sec), true, -hr - sec, true},
		"fast, as it was":               {false, -hr, 0, steady(5, 15*sec, -hr), false, -hr, true},
		"fast and known":                {true, -hr, 0, steady(5, 15*sec, -hr-sec), false, -hr, true},
		"right, a little early":         {false, 0, 0, steady(5, 15*sec, -sec), false, 0, true},
	} {
		before := truth.Add(-day)
		clock := Clock{Since: before, Settled: c.settled, Offset: c.offset, Least: c.least, Steady: c.steady}
		if moved := clock.learn(); moved != c.moved || clock.Offset != c.want || clock.Settled != c.known {
			t.Errorf("%s: moved %v, %+v", name, moved, clock)
		}
		fresh := !c.settled && c.least >= c.want-3*sec
		if stepped := c.moved && !fresh; clock.Stepped != stepped || clock.Since.Equal(truth) != stepped {
			t.Errorf("%s: stepped %v at %s", name, clock.Stepped, clock.Since)
		}
	}
}

func TestWhatIsOvertaken(t *testing.T) {
	const min = time.Minute
	for name, c := range map[string]struct {
		stepped        bool
		before, offset time.Duration
		arrived, lag   time.Duration
		want           bool
	}{
		"at once":                  {true, min, hr, 0, min, true},
		"no step":                  {false, min, hr, 0, min, false},
		"2 s early":                {true, min, hr, 0, min - 2*sec, true},
		"more than 2 s early":      {true, min, hr, 0, min - 2*sec - 1, false},
		"10 s late":                {true, min, hr, 0, min + 10*sec, true},
		"more than 10 s late":      {true, min, hr, 0, min + 10*sec + 1, false},
		"10 s after the step":      {true, min, hr, 10 * sec, min, true},
		"more than 10 s after it":  {true, min, hr, 10*sec + 1, min, false},
		"in the middle":            {true, 0, 4 * sec, 0, 2 * sec, false},
		"nearer to what was":       {true, 0, 4 * sec, 0, 2*sec - 1, true},
		"nearer to what is":        {true, 0, 4 * sec, 0, 2*sec + 1, false},
		"in the middle, set ahead": {true, 0, -2 * sec, 0, -sec, false},
	} {
		clock := Clock{Since: truth, Stepped: c.stepped, Before: c.before, Offset: c.offset}
		if got := clock.overtaken(truth.Add(c.arrived), c.lag); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAClockThatIsAhead(t *testing.T) {
	for name, c := range map[string]struct {
		settled     bool
		offset, lag time.Duration
		moved       bool
		want        time.Duration // Offset
	}{
		"known, set half forward":     {true, hr, 30 * time.Minute, false, 30 * time.Minute},
		"known, set right":            {true, hr, 10 * sec, false, 0},
		"known, set nearly right":     {true, hr, 10*sec + 1, false, 10*sec + 1},
		"known, set 2 s ahead":        {true, hr, -2 * sec, false, 0},
		"known, set further ahead":    {true, hr, -2*sec - 1, false, -2*sec - 1},
		"known, set to 14 days":       {true, 20 * day, 14 * day, false, 14 * day},
		"known, set to more":          {true, 20 * day, 14*day + 1, false, 14*day + 1},
		"years slow, set right":       {false, 20 * day, 0, false, 0},
		"years slow, set to 14 days":  {false, 20 * day, 14 * day, false, 0},
		"years slow, drifts":          {false, 20 * day, 14*day + 1, true, 14*day + 1},
		"years slow, set 2 s ahead":   {false, 13 * day, -2 * sec, false, 0},
		"slow, ahead by more":         {false, 13 * day, -2*sec - 1, true, -2*sec - 1},
		"ahead":                       {false, 0, -hr, true, -hr},
		"14 days ahead":               {false, 0, -14 * day, true, -14 * day},
		"more than 14 days ahead":     {false, 0, -14*day - 1, false, -14*day - 1},
		"ahead by 14 days more":       {false, -day, -15 * day, true, -15 * day},
		"ahead by more than 14 days":  {false, -day, -15*day - 1, false, -15*day - 1},
		"years slow, set years ahead": {false, 20 * day, -hr, false, -hr},
	} {
		clock := Clock{Since: truth.Add(-day), Offset: c.offset, Settled: c.settled, Least: c.offset}
		moved := clock.ahead(truth, c.lag)
		if moved != c.moved || clock.Offset != c.want || clock.Settled {
			t.Errorf("%s: moved %v, %+v", name, moved, clock)
		}
		if s := clock.Steady; s.Count != 1 || !s.Last.Equal(truth.Add(-c.lag)) || clock.Least != c.lag {
			t.Errorf("%s: the stretch is %+v", name, s)
		}
		if clock.Stepped == c.moved || clock.Stepped && (clock.Before != c.offset || !clock.Since.Equal(truth)) {
			t.Errorf("%s: stepped %v", name, clock.Stepped)
		}
	}
}

// The first message, and one after a first that is right.
func TestTheLagOfOneMessage(t *testing.T) {
	for lag, want := range map[time.Duration]struct{ first, second time.Duration }{
		0: {}, -2 * sec: {}, 14 * day: {},
		-2*sec - 1: {-2*sec - 1, -2*sec - 1}, 14*day + 1: {14*day + 1, 14*day + 1},
	} {
		var one, two Clock
		one.Judge(truth, truth.Add(-lag))
		if one.Offset != want.first || one.Stepped || !one.Steady.Last.Equal(truth.Add(-lag)) {
			t.Errorf("%s: %+v", lag, one)
		}
		two.Judge(truth, truth)
		later := truth.Add(hr)
		two.Judge(later, later.Add(-lag))
		if two.Offset != want.second || two.Since.Equal(later) != (lag > 14*day) {
			t.Errorf("after one that is right, %s: %+v", lag, two)
		}
	}
}

// times plays messages, a second apart, and returns the stretch.
func times(lags ...time.Duration) (s Steady) {
	for i, lag := range lags {
		at := truth.Add(time.Duration(i) * sec)
		s.take(at, at.Add(-lag), lag)
	}
	return s
}

func TestAFewWithAnotherLag(t *testing.T) {
	const far = 10 * sec
	for name, c := range map[string]struct {
		got         Steady
		count       int
		since       time.Duration
		least, most time.Duration
		other       int
	}{
		"3 s apart":                  {times(0, 3*sec), 2, 0, 0, 3 * sec, 0},
		"more":                       {times(0, 3*sec+1), 1, 0, 0, 0, 1},
		"3 s, below and above":       {times(2*sec, 0, 3*sec), 3, 0, 0, 3 * sec, 0},
		"below and above by more":    {times(2*sec, 0, 3*sec+1), 2, 0, 0, 2 * sec, 1},
		"two others":                 {times(0, 0, far, far), 2, 0, 0, 0, 2},
		"three others":               {times(0, 0, far, far, far), 3, 2 * sec, far, far, 0},
		"three, two between":         {times(0, far, far, 0, 0, far), 3, sec, far, far, 0},
		"three, three between":       {times(0, far, far, 0, 0, 0, far), 4, 0, 0, 0, 1},
		"others 3 s apart":           {times(0, far+3*sec, far, far+sec), 3, sec, far, far + 3*sec, 0},
		"others more than 3 s apart": {times(0, far+3*sec+1, far, far), 1, 0, 0, 0, 2},
	} {
		s := c.got
		if s.Count != c.count || s.Since.Sub(truth) != c.since || s.Least != c.least || s.Most != c.most ||
			s.Other.Count != c.other {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestWhatShowsThatAClockBeganAgain(t *testing.T) {
	const slow = 50 * 365 * day
	type message struct{ arrived, own time.Duration } // own: since the clock first began
	old := message{200 * sec, 200 * sec}
	between := func(n int) (out []message) {
		out = append(out, message{300 * sec, 5 * sec})
		for i := range n {
			at := 301*sec + time.Duration(i)*sec
			out = append(out, message{at, at})
		}
		return append(out, message{310 * sec, 15 * sec})
	}
	for name, c := range map[string]struct {
		messages []message
		want     bool
	}{
		"10 s after it began": {[]message{old, {300 * sec, 10 * sec}, {301 * sec, 11 * sec}}, true},
		"more than 10 s":      {[]message{old, {300 * sec, 10*sec + 1}, {301 * sec, 11 * sec}}, false},
		"half a second apart": {[]message{old, {300 * sec, sec}, {300*sec + sec/2, sec + sec/2}}, true},
		"less than half": {[]message{old, {300 * sec, sec}, {300*sec + sec/2 - 1, sec + sec/2 - 1}},
			false},
		"one":                        {[]message{old, {300 * sec, sec}}, false},
		"two that are not as far":    {[]message{old, {300 * sec, sec}, {304*sec + 1, 2 * sec}}, false},
		"3 s off":                    {[]message{old, {300 * sec, sec}, {304 * sec, 2 * sec}}, true},
		"late by 10 s":               {[]message{{2 * sec, 2 * sec}, {11 * sec, sec}, {12 * sec, 2*sec - 1}}, false},
		"late by a little more":      {[]message{{2 * sec, 2 * sec}, {11*sec + 1, sec}, {12 * sec, 2*sec - 1}}, true},
		"two of the old in between":  {append([]message{old}, between(2)...), true},
		"three of the old":           {append([]message{old}, between(3)...), false},
		"one of the old, then again": {append([]message{old}, between(1)...), true},
	} {
		var clock Clock
		clock.Judge(truth, truth.Add(-slow))
		began := false
		for _, m := range c.messages {
			j := clock.Judge(truth.Add(m.arrived), truth.Add(m.own-slow))
			began = began || j.Moved
		}
		if began != c.want || clock.Stepped != c.want {
			t.Errorf("%s: %v, %+v", name, began, clock)
		}
	}
	clock := Clock{Since: truth, Offset: -14 * day, Steady: steady(9, hr, -14*day)}
	clock.Judge(truth.Add(hr+11*sec), truth.Add(hr+14*day-sec))
	if clock.Back.Count != 0 || clock.Steady.Other.Count != 1 {
		t.Errorf("14 days ahead: %+v", clock)
	}
}

func TestWhenAClockIsCoarse(t *testing.T) {
	type message struct{ arrived, own time.Duration }
	stands := []message{{0, 0}, {sec, 0}, {5 * sec, 0}}
	for name, c := range map[string]struct {
		messages []message
		want     time.Duration // the last one's time
		coarse   bool
	}{
		"three in 5 s":  {stands, 5 * sec, true},
		"three in less": {[]message{{0, 0}, {sec, 0}, {5*sec - 1, 0}}, 0, false},
		"two in 5 s":    {[]message{{0, 0}, {5 * sec, 0}}, 0, false},
		"then 5 s on":   {append(stands[:3:3], message{6 * sec, 5 * sec}), 5 * sec, true},
		"then less":     {append(stands[:3:3], message{6 * sec, 5*sec - 1}), 5*sec - 1, false},
		"then 5 s back": {append(stands[:3:3], message{6 * sec, -5 * sec}), -5 * sec, true},
		"then it stands again": {append(stands[:3:3], message{60 * sec, 60 * sec},
			message{61 * sec, 60 * sec}), 61 * sec, true},
		"one that never stands": {[]message{{0, 0}, {6 * sec, 6 * sec}}, 6 * sec, false},
	} {
		var s Same
		var got time.Time
		for _, m := range c.messages {
			got = s.flow(truth.Add(m.arrived), truth.Add(m.own))
		}
		if got.Sub(truth) != c.want || s.Coarse != c.coarse {
			t.Errorf("%s: %s, %+v", name, got.Sub(truth), s)
		}
	}
}

// A clock that begins in 1970 at each start: the second report after a start shows it.
func TestAClockBeginsAgain(t *testing.T) {
	boot := func(at time.Duration, reports int) (out []report) {
		for n := range reports {
			made := truth.Add(at + time.Duration(n)*time.Second)
			out = append(out, report{made: made, own: time.Unix(9+int64(n), 0).UTC(), arrived: made})
		}
		return out
	}
	for name, c := range map[string]struct {
		reports []report
		began   time.Duration
	}{
		"two reports":            {append(boot(0, 60), boot(time.Hour, 2)...), time.Hour},
		"one":                    {append(boot(0, 60), boot(time.Hour, 1)...), 0},
		"older ones, from later": {append(boot(0, 60), boot(time.Hour, 30)[15:20]...), 0},
		"older ones, at once": {append(boot(0, 60), report{own: time.Unix(9, 0), arrived: truth.Add(time.Hour)},
			report{own: time.Unix(10, 0), arrived: truth.Add(time.Hour + time.Millisecond)}), 0},
	} {
		t.Run(name, func(t *testing.T) {
			var h heard
			for _, r := range c.reports {
				h.take(r)
			}
			if began := h.clock.Since.Sub(truth); began != c.began {
				t.Errorf("it began at %s", began)
			}
			if last := h.kept[len(h.kept)-1]; c.began > 0 && !last.at.Equal(last.made) {
				t.Errorf("the last lies %s off", last.at.Sub(last.made))
			}
		})
	}
}
