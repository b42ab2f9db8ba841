package runs

import (
	"slices"
	"testing"
	"time"

	"gatehouse/firmware-bridge/meter"
)

// reading is a counter's reading at so many seconds; base and top are the ones from
// which a run counts and that is the highest after it, by their numbers.
type reading struct {
	at, litres float64
	base, top  int
	rose       bool
}

// A counter is watched for flow: it rises by more than 0.05 L and 1.5 of its last
// digit, it stands still after 10 s, and the highest reading is past after half a pause
// and a minute.
func TestAWatchedCounter(t *testing.T) {
	minute := Config{Pause: time.Minute}
	coarse := Config{Pause: time.Minute, Resolution: 2}
	for name, c := range map[string]struct {
		cfg      Config
		readings []reading
	}{
		"it rises": {minute, []reading{{0, 100, 0, 0, false}, {1, 100.03, 0, 1, false}, {2, 100.06, 2, 2, true},
			{3, 100.07, 3, 3, true}}},
		"it has stood for 10 s": {minute, []reading{{0, 100, 0, 0, false}, {1, 100.03, 0, 1, false},
			{11, 100.06, 2, 2, true}}},
		"for longer": {minute, []reading{{0, 100, 0, 0, false}, {1, 100.03, 0, 1, false},
			{11.001, 100.06, 1, 2, false}}},
		"it stands": {minute, []reading{{0, 100, 0, 0, false}, {1, 100, 1, 1, false}, {2, 100, 2, 2, false}}},
		"three of its last digits of 2": {coarse, []reading{{0, 100, 0, 0, false}, {1, 103, 0, 1, false},
			{2, 103.5, 2, 2, true}}},
		"a lower one after half a pause": {minute, []reading{{0, 100, 0, 0, false}, {30, 99.99, 0, 0, false}}},
		"later":                          {minute, []reading{{0, 100, 0, 0, false}, {30.001, 99.99, 1, 1, false}}},
		"a lower one after a minute": {Config{Pause: time.Hour}, []reading{{0, 100, 0, 0, false},
			{60, 99.99, 0, 0, false}}},
		"after more": {Config{Pause: time.Hour}, []reading{{0, 100, 0, 0, false}, {60.001, 99.99, 1, 1, false}}},
	} {
		cfg := c.cfg.withDefaults()
		w := watched{cfg: cfg, counter: meter.New(cfg.counter())}
		for i, r := range c.readings {
			w.take(samples([]row{{r.at, "-", no, r.litres}})[0])
			s := func(i int) time.Duration { return time.Hour + time.Duration(c.readings[i].at*1e9) }
			if w.base.T != s(r.base) || w.top.T != s(r.top) || w.rose(*w.top) != r.rose {
				t.Errorf("%s, reading %d: base %s, top %s, rose %v; want %+v",
					name, i, w.base.T, w.top.T, w.rose(*w.top), r)
			}
		}
	}
}

// After the work a run counts from the first reading that is not below the highest, and
// not above it by more than the pump gives: 5 L/s, in a second at least.
func TestTheFirstReadingAfterTheWork(t *testing.T) {
	for _, c := range []struct {
		at, litres float64
		counts     bool
	}{{2, 100, true}, {2, 99.99, false}, {2, 110, true}, {2, 110.5, false}, {0.5, 105, true}, {0.5, 105.5, false}} {
		cfg := Config{}.withDefaults()
		w := watched{cfg: cfg, counter: meter.New(cfg.counter())}
		w.take(samples([]row{{0, "-", no, 100}})[0])
		w.note(true)
		w.note(false)
		s := samples([]row{{c.at, "-", no, c.litres}})[0]
		if w.take(s); w.ended == c.counts || c.counts && (w.base.T != s.T || w.top.T != s.T) {
			t.Errorf("%g L after %g s: ended %v, counts from %s", c.litres, c.at, w.ended, w.base.T)
		}
	}
}

// A counter without a command: it flowed from step to step, and nobody knows since the
// last one.
func TestACounterOfWhichNoCommandIsKnown(t *testing.T) {
	for apart, flowing := range map[float64]float64{1: 14, 3: 42, 3.001: 6.002} {
		var rows []row
		for i := range 26 { // a litre every seven samples
			rows = append(rows, row{apart * float64(i), "-", no, 100 + float64(i/7)})
		}
		got := play(Config{Machine: "m", Idle: 30 * time.Second, Pause: time.Minute}, rows)
		if len(got) != 1 || got[0].Flowing != time.Duration(flowing*1e9) || *got[0].Meter != 3 {
			t.Errorf("samples %g s apart: %+v, want %g s", apart, got, flowing)
		}
	}
}

var flowCases = map[string]struct {
	rows        []row
	flowing, on float64 // seconds
	missed      bool    // the reasons say that the flow is not known
	grade       Grade
}{
	"flow over 3 s":       {[]row{{0, "on", 6, no}, {3, "off", 0, no}}, 3, 3, false, Measured},
	"flow over more":      {[]row{{0, "on", 6, no}, {3.001, "off", 0, no}}, 0, 0, false, Measured},
	"the least, for 3 s":  {slices.Concat(flows(0, 2, 0.05), idle(3, 4)), 3, 3, false, Measured},
	"less than the least": {slices.Concat(flows(0, 2, 0.049), idle(3, 4)), 0, 3, false, Dry},
	"the flow begins late": {
		[]row{
			{0, "on", 0, 100},
			{1, "on", 0, 100},
			{2, "on", 0, 100},
			{3, "on", 6, 100.05},
			{4, "on", 6, 100.15},
			{5, "off", 0, 100.2},
		},
		2,
		2,
		false,
		Measured,
	},
	"the least begins late": {[]row{{0, "on", 0, 100}, {1, "on", 0, 100}, {2, "on", 0, 100}, {3, "on", 0.05, 100.001},
		{4, "on", 0.05, 100.002}, {5, "off", 0, 100.002}}, 2, 2, false, Dry},
	"a counter's steps": {slices.Concat(pulses(0, 60, 20, "on"), pulses(61, 61, 1, "off")), 61, 61, false, Measured},
	"a counter that is not heard again": {slices.Concat(
		every(0, 20, func(i int) row { return row{0, "on", no, 100 + float64(i)/10} }), told(21, 82), at("off", 83)),
		20, 23, true, Unproven},
}

func TestWhenItFlowed(t *testing.T) {
	for name, c := range flowCases {
		got := play(minutePause, c.rows)
		if len(got) != 1 {
			t.Errorf("%s: %d runs", name, len(got))
			continue
		}
		r := got[0]
		if r.Flowing != time.Duration(c.flowing*1e9) || r.On != time.Duration(c.on*1e9) || r.Grade != c.grade ||
			slices.Contains(r.Reasons, ReasonUnmeasured) != c.missed || slices.Contains(r.Reasons, ReasonNotHeard) {
			t.Errorf("%s: flowed %s, on %s, %s %q; want %+v", name, r.Flowing, r.On, r.Grade, r.Reasons, c)
		}
	}
}

// Flow is read twice a second, the counter with the second: three times as much is
// disputed.
func TestFlowIsReadMoreOftenThanTheCounter(t *testing.T) {
	var rows []row
	for i := range 60 {
		rows = append(rows, row{float64(i), "on", 6, no}, row{float64(i), "on", 6, 100 + 0.3*float64(i)})
	}
	if got := play(minutePause, rows); len(got) != 1 || got[0].Grade != Disputed {
		t.Errorf("%+v", got)
	}
}

func TestDefaults(t *testing.T) {
	want := Config{Machine: "m", Idle: 15 * time.Second, Pause: 15 * time.Minute, MinFlow: 0.05, MaxFlow: 300,
		Gap: 3 * time.Second}
	if got := New(Config{Machine: "m"}).cfg; got != want {
		t.Errorf("%+v", got)
	}
}

// A command that holds is work until then, after the flow that was seen, too.
func TestACommandHoldsToItsEnd(t *testing.T) {
	tracker := New(Config{Machine: "m", Idle: 5 * time.Second, Pause: time.Minute, Holds: 10 * time.Minute})
	for _, s := range samples([]row{{0, "on", 6, no}, {1, "on", 6, no}}) {
		tracker.Observe(s)
	}
	got := tracker.Tick(time.Hour + 662*time.Second)
	if len(got) != 1 || !slices.Equal(got[0].Run.Work, []Span{seconds(0, 601)}) || got[0].Run.On != 601*time.Second {
		t.Errorf("%+v", got)
	}
	tracker.Observe(samples(at("on", 1000))[0])
	got = tracker.Tick(time.Hour + 1661*time.Second)
	if len(got) != 1 || !slices.Equal(got[0].Run.Work, []Span{seconds(0, 600)}) {
		t.Errorf("%+v", got)
	}
}

// What no counter counted is said when it is more than 0.02 L and a fiftieth of the
// litres; what a counter that was reset is about to tell does not count.
func TestWhatNoCounterCounted(t *testing.T) {
	for name, c := range map[string]struct {
		f      flow
		litres *float64
		said   bool
	}{
		"little of 10 L":         {flow{before: 0.2, loose: 0.01}, new(10.0), false},
		"more":                   {flow{before: 0.2, loose: 0.03}, new(10.0), true},
		"little of next to 0":    {flow{loose: 0.019}, new(0.0), false},
		"more of next to 0":      {flow{loose: 0.021}, new(0.0), true},
		"it may have been reset": {flow{before: 0.2, loose: 0.1, pending: 0.5}, new(10.0), false},
		"hardly":                 {flow{before: 0.2, loose: 0.1, pending: 0.05}, new(10.0), true},
		"no litres":              {flow{before: 1}, nil, false},
	} {
		if got := slices.Contains(c.f.counterReasons(c.litres), ReasonUncounted); got != c.said {
			t.Errorf("%s: %v", name, got)
		}
	}
}
