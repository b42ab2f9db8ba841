package runs

import (
	"math"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

var minutePause = Config{Machine: "m", Idle: 5 * time.Second, Pause: time.Minute}

// Flow without command is work after 3 s; before a command it is as long as 3 s part of
// the run; where no command is known it is at once.
func TestWhenARunBegins(t *testing.T) {
	for name, c := range map[string]struct {
		rows  []row
		start float64 // seconds; no: there is no run
	}{
		"3 s without command":         {[]row{{0, "off", 6, no}, {2, "off", 6, no}, {3, "off", 6, no}}, 0},
		"less":                        {[]row{{0, "off", 6, no}, {2, "off", 6, no}, {2.999, "off", 6, no}}, no},
		"it has stopped in between":   {[]row{{0, "off", 6, no}, {2, "off", 0, no}, {3, "off", 6, no}}, no},
		"3 s before a command":        {[]row{{7, "off", 6, no}, {10, "on", 6, no}}, 7},
		"more":                        {[]row{{7, "off", 6, no}, {10.001, "on", 6, no}}, 10.001},
		"2 s":                         {[]row{{8, "off", 6, no}, {10, "on", 6, no}}, 8},
		"no command is known":         {[]row{{0, "-", 0, no}, {1, "-", 0.05, no}}, 1},
		"no command, and little flow": {[]row{{0, "-", 0, no}, {1, "-", 0.049, no}}, no},
		"a counter rises":             {[]row{{0, "-", no, 100}, {60, "-", no, 101}}, 60},
		"after more than a pause":     {[]row{{0, "-", no, 100}, {60.001, "-", no, 101}}, no},
		"a counter, between two steps": {[]row{{0, "off", no, 100}, {3, "off", no, 100.3}, {6, "off", no, 100.3},
			{6.5, "off", no, 100.6}}, 3},
		"a counter, too slow": {[]row{{0, "off", no, 100}, {3, "off", no, 100.3}, {6.001, "off", no, 100.3},
			{6.5, "off", no, 100.6}}, no},
		"a counter that stands, and a flow sensor": {[]row{{0, "off", no, 100}, {3, "off", no, 100.3},
			{4, "off", 0, 100.3}, {6.5, "off", no, 100.6}}, no},
	} {
		got := play(minutePause, c.rows)
		if len(got) > 1 || (len(got) == 1) != (c.start != no) ||
			len(got) == 1 && !got[0].Start.Equal(noon.Add(time.Duration(c.start*1e9))) {
			t.Errorf("%s: %+v, want a begin at %g s", name, got, c.start)
		}
	}
}

// Flow that goes on for 3 s after the command is work.
func TestWhenARunHasItsLastWork(t *testing.T) {
	on := every(0, 10, func(int) row { return row{0, "on", 6, no} })
	for name, c := range map[string]struct {
		after []row
		end   float64
	}{
		"3 s":  {[]row{{11, "off", 6, no}, {12, "off", 6, no}, {13, "off", 6, no}, {14, "off", 0, no}}, 14},
		"more": {[]row{{11, "off", 6, no}, {12, "off", 6, no}, {13.5, "off", 6, no}, {14.5, "off", 0, no}}, 13.5},
	} {
		got := play(minutePause, slices.Concat(on, c.after))
		if len(got) != 1 || got[0].End.Sub(got[0].Start).Seconds() != c.end {
			t.Errorf("%s: %+v, want an end after %g s", name, got, c.end)
		}
	}
}

// A run counts from the last sample before it, that is not longer ago than a pause.
func TestFromWhichSampleARunCounts(t *testing.T) {
	for at, c := range map[float64]struct{ meter, fell, since float64 }{
		60: {1, 2, -60}, 60.001: {0, 0, 0},
	} {
		begin := time.Duration(at * 1e9)
		got := Segment(Config{Machine: "m", Pause: time.Minute, TankLitres: 20}, []Sample{
			{At: noon, T: time.Hour, Values: fact.Values{Command: new(false), Volume: new(100.0), Tank: new(80.0)}},
			{At: noon.Add(begin), T: time.Hour + begin,
				Values: fact.Values{Command: new(true), Volume: new(101.0), Tank: new(70.0)}}})
		if len(got) != 1 {
			t.Fatalf("%+v", got)
		}
		r := got[0]
		if *r.Meter != c.meter || math.Abs(*r.TankFell-c.fell) > 1e-9 || r.Since.Sub(r.Start).Seconds() != c.since {
			t.Errorf("after %g s: %g L, the tank fell %g L, since %s", at, *r.Meter, *r.TankFell, r.Since.Sub(r.Start))
		}
	}
}

// A counter that creeps up by less than shows flow: a run counts from before it, or from
// the last sample where that is longer ago than a pause.
func TestARunAfterACounterCrept(t *testing.T) {
	for at, c := range map[float64]struct{ meter, since float64 }{
		60: {0.1, -60}, 60.001: {0.089, -5.001},
	} {
		rows := []row{{0, "off", no, 100}}
		for i := 1; i <= 11; i++ {
			rows = append(rows, row{float64(5 * i), "off", no, 100 + float64(i)/1000})
		}
		got := play(minutePause, append(rows, row{at, "on", no, 100.1}))
		if len(got) != 1 || math.Abs(*got[0].Meter-c.meter) > 1e-9 ||
			math.Abs(got[0].Since.Sub(got[0].Start).Seconds()-c.since) > 1e-9 {
			t.Errorf("after %g s: %+v, want %g L since %g s", at, got, c.meter, c.since)
		}
	}
}

// The sample from whose counter a run counts is kept, as long as a pause.
func TestWhatIsKeptBeforeARun(t *testing.T) {
	for at, want := range map[float64]int{60: 3, 60.001: 2} {
		tracker := New(minutePause)
		all := samples([]row{{0, "off", no, 100}, {30, "off", no, no}, {at, "on", no, no}})
		tracker.Observe(all[0])
		tracker.Observe(all[1])
		kept := tracker.Keep(all[2])
		if len(kept) != want || kept[0].T != all[3-want].T || kept[want-1].T != all[2].T {
			t.Errorf("on at %g s: %d samples are kept, want %d", at, len(kept), want)
		}
	}
}

// What the machine said before a run shows that it has a meter.
func TestAMachineHasAMeterThatIsNotHeardInTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		rows   []row
		reason string
	}{
		"a flow sensor": {[]row{{0, "off", 0, no}}, ReasonUnmeasured},
		"a counter":     {[]row{{0, "off", no, 100}}, ReasonUnmeasured},
		"none":          {[]row{{0, "off", no, no}}, ReasonNoSensor},
		"nothing":       {nil, ReasonNoSensor},
		"in the run":    {[]row{{1, "on", 0, no}}, ReasonUnmeasured},
	} {
		got := play(minutePause, append(c.rows, at("on", 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)...))
		if len(got) != 1 || got[0].Grade != Unproven || got[0].Reasons[0] != c.reason {
			t.Errorf("%s: %+v, want %s", name, got, c.reason)
		}
	}
}
