package runs

import (
	"math"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// flow6 returns a row for each second in from to to, of 0.1 L a second; a counter
// counts it, too.
func flow6(from, to int, command string, counter bool) []row {
	return every(from, to, func(i int) row {
		if counter {
			return row{0, command, 6, 100 + float64(i)/10}
		}
		return row{0, command, 6, no}
	})
}

// Flow may go on for 3 s after the command; what flows from the fourth on is not asked
// for when the command has not come again 3 s later.
func TestWhatFlowsWithoutCommand(t *testing.T) {
	for name, c := range map[string]struct {
		parts   []string // in turn
		ends    []int    // the second that each ends with
		unasked float64
	}{
		"within the overrun":         {[]string{"on", "off"}, []int{10, 13}, 0},
		"two seconds after":          {[]string{"on", "off"}, []int{10, 16}, 0},
		"three seconds after":        {[]string{"on", "off"}, []int{10, 17}, 0.4},
		"one more":                   {[]string{"on", "off"}, []int{10, 18}, 0.4},
		"three more":                 {[]string{"on", "off"}, []int{10, 21}, 0.8},
		"told again in time":         {[]string{"on", "off", "on"}, []int{10, 15, 25}, 0},
		"told again at the last":     {[]string{"on", "off", "on"}, []int{10, 16, 25}, 0},
		"told again too late":        {[]string{"on", "off", "on"}, []int{10, 17, 25}, 0.4},
		"told again, and again late": {[]string{"on", "off", "on", "off"}, []int{10, 17, 25, 32}, 0.8},
		"the command is not known":   {[]string{"on", "-"}, []int{10, 30}, 0},
	} {
		for _, counter := range []bool{false, true} {
			var rows []row
			for i, command := range c.parts {
				rows = append(rows, flow6(len(rows), c.ends[i], command, counter)...)
			}
			got := play(Config{Machine: "m", Pause: time.Minute}, rows)
			if len(got) != 1 || math.Abs(got[0].Unasked-c.unasked) > 1e-9 {
				t.Errorf("%s, a counter: %v: %+v, want %g L", name, counter, got, c.unasked)
			}
		}
	}
}

// Samples 5 s apart: the command held until the second one, which says that it is off.
func TestTheCommandHoldsUntilTheNextSample(t *testing.T) {
	got := play(Config{Machine: "m", Gap: 10 * time.Second}, []row{
		{0, "on", 6, no}, {5, "off", 6, no}, {10, "off", 6, no}, {15, "off", 6, no}, {20, "off", 6, no}})
	if len(got) != 1 || math.Abs(got[0].Unasked-1) > 1e-9 || math.Abs(*got[0].Integrated-2) > 1e-9 {
		t.Errorf("%+v, want 1 of 2 L without command: the last half may still be asked for", got)
	}
}

func TestWhatFlowedUnaskedIsOfTheMetersOfTheRun(t *testing.T) {
	u := unasked{meter: 1, flow: 5, loose: 0.5}
	c := tally{}
	if got := c.unasked(u); got != 5 {
		t.Errorf("by flow and time: %g L", got)
	}
	c.run.Meter = new(7.0)
	if got := c.unasked(u); got != 1.5 {
		t.Errorf("by the counter, and since it was believed: %g L", got)
	}
}

// tanked plays a second: the command, what flows by the sensor, and the tank's level.
func tanked(t *Tracker, second int, command bool, lpm, percent float64) {
	past := time.Duration(second) * time.Second
	t.Observe(Sample{At: noon.Add(past), T: time.Hour + past, Values: fact.Values{
		Command: &command, Flow: &lpm, Tank: &percent}})
}

// A litre a second, told to until the fourth second. From the eighth on nobody asks for
// it: the sensor is distrusted when that is more than 2 L and than a tenth of the tank,
// and the tank has not fallen by three tenths of it.
func TestAFlowSensorIsDistrustedWhenTheTankDoesNotFall(t *testing.T) {
	for name, c := range map[string]struct {
		size  float64
		falls float64 // litres a second, from the fifth second on
		at    int     // the second; 0: never
	}{
		"2 L of 5 L":          {5, 0, 10},
		"2 L of 20 L":         {20, 0, 10},
		"a tenth of 40 L":     {40, 0, 12},
		"it falls a bit":      {20, 0.14, 10},
		"it falls a bit more": {20, 0.19, 13}, // 1.71 L, and three tenths of 6 L are 1.8 L
		"it falls enough":     {20, 0.26, 0},
		"it falls by as much": {40, 1, 0},
		"no size":             {0, 0, 0},
	} {
		tracker := New(Config{Machine: "m", TankLitres: c.size, Pause: time.Minute})
		at := 0
		for s := range 25 {
			fallen := c.falls * float64(max(0, s-4))
			tanked(tracker, s, s <= 4, 60, 100-fallen/max(c.size, 5)*100)
			if at == 0 && tracker.distrusted {
				at = s
			}
		}
		if at != c.at {
			t.Errorf("%s: from second %d on, want %d", name, at, c.at)
		}
	}
}

// Litres that flowed without command before the last command was given do not count
// against the sensor.
func TestAnEarlierLeakIsNoReasonToDistrust(t *testing.T) {
	tracker := New(Config{Machine: "m", TankLitres: 20, Pause: time.Minute})
	at := 0
	for s := range 25 {
		command := s <= 4 || s >= 12 && s < 15
		tanked(tracker, s, command, 60, 100-5*float64(min(s, 14)))
		if at == 0 && tracker.distrusted {
			at = s
		}
	}
	if at != 20 {
		t.Errorf("distrusted from second %d on, want 20", at)
	}
}

// The counter that rises between two samples without a flow sensor's reading, or before
// the first sample of a run, is not compared with the flow.
func TestCounterAndFlowAreComparedWhereBothWereRead(t *testing.T) {
	tracker := New(Config{Machine: "m", Pause: 10 * time.Minute})
	for _, s := range samples([]row{{0, "off", 0, 100}, {60, "on", 6, 105}, {62, "on", 12, 105.3},
		{64, "on", 6, 105.6}, {64, "on", 6, 105.6}, {66, "on", 6, 105.8}}) {
		tracker.Observe(s)
	}
	b := tracker.open.flow.both
	if math.Abs(b.counted-0.8) > 1e-9 || math.Abs(b.flowed-0.8) > 1e-9 || math.Abs(b.error-0.2) > 1e-9 {
		t.Errorf("%+v, want 0.8 L by both, and 0.1 L of error at each change of 6 L/min in 2 s", b)
	}
	if r := tracker.Run(); r.Grade != Measured || math.Abs(*r.Meter-5.8) > 1e-9 {
		t.Errorf("%s %q, %g L", r.Grade, r.Reasons, *r.Meter)
	}
}

func TestCounterAndFlowDifferBeyondTheirErrors(t *testing.T) {
	for _, c := range []struct {
		b    both
		want bool
	}{
		{both{counted: 10, flowed: 7.91}, false}, {both{counted: 10, flowed: 7.89}, true},
		{both{counted: 7.91, flowed: 10}, false}, {both{counted: 7.89, flowed: 10}, true},
		{both{counted: 10, flowed: 7.41, error: 0.5}, false}, {both{counted: 10, flowed: 7.39, error: 0.5}, true},
		{both{counted: 10, flowed: 7.66, counter: 0.25}, false}, {both{counted: 10, flowed: 7.64, counter: 0.25}, true},
		{both{counted: 0, flowed: 0.124}, false}, {both{counted: 0, flowed: 0.126}, true},
	} {
		if got := c.b.differ(); got != c.want {
			t.Errorf("%+v: %v", c.b, got)
		}
	}
}

// Flow and time are integrated over 3 s at most.
func TestLitresAreNotIntegratedAcrossGaps(t *testing.T) {
	for last, want := range map[float64]float64{6: 0.6, 6.001: 0.3} {
		got := play(Config{Machine: "m"}, []row{{0, "on", 6, no}, {3, "on", 6, no}, {last, "off", 6, no}})
		if len(got) != 1 || math.Abs(*got[0].Integrated-want) > 1e-9 {
			t.Errorf("the last sample at %g s: %+v, want %g L", last, got, want)
		}
	}
}
