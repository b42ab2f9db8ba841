package runs

import (
	"math"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// row is a sample after so many seconds: the command, flow and counter; "-" or no: it
// does not say it.
type row struct {
	at      float64
	command string
	flow    float64
	volume  float64
}

const no = -1.0 // not said

func play(cfg Config, rows []row) []Run { return Segment(cfg, samples(rows)) }

func samples(rows []row) (out []Sample) {
	for _, r := range rows {
		s := Sample{At: noon.Add(time.Duration(r.at * float64(time.Second))),
			T: time.Hour + time.Duration(r.at*float64(time.Second))}
		s.Values = fact.Values{}
		if r.command != "-" {
			s.Command = new(r.command == "on")
		}
		if r.flow >= 0 {
			s.Flow = new(r.flow)
		}
		if r.volume >= 0 {
			s.Volume = new(r.volume)
		}
		out = append(out, s)
	}
	return out
}

// every returns a row for each second in from to to.
func every(from, to int, of func(i int) row) (out []row) {
	for i := from; i <= to; i++ {
		r := of(i)
		r.at = float64(i)
		out = append(out, r)
	}
	return out
}

func seconds(from, to float64) Span {
	return Span{time.Duration(from * 1e9), time.Duration(to * 1e9)}
}

type workCase struct {
	rows                         []row
	commanded, flowing, on, gaps float64 // seconds
	work                         []Span
	end                          float64 // seconds after the begin
}

func idle(from, to int) []row { return every(from, to, func(int) row { return row{0, "off", 0, no} }) }
func told(from, to int) []row { return every(from, to, func(int) row { return row{0, "on", no, no} }) }
func pulses(from, to, long int, command string) []row {
	return every(from, to, func(i int) row { return row{0, command, no, 100 + float64((i-from)/long)} })
}

func flows(from, to int, flow float64) []row {
	return every(from, to, func(int) row { return row{0, "on", flow, no} })
}

var workCases = map[string]workCase{
	"told, no meter": {slices.Concat(told(0, 9), []row{{10, "off", no, no}}),
		10, 0, 10, 0, []Span{seconds(0, 10)}, 10},
	"flow begins later and ends earlier": {slices.Concat(
		flows(0, 2, 0), flows(3, 7, 3),
		flows(8, 9, 0), idle(10, 12)),
		10, 5, 5, 0, []Span{seconds(3, 8)}, 10},
	"told, nothing flows": {slices.Concat(flows(0, 9, 0), idle(10, 12)),
		10, 0, 10, 0, []Span{seconds(0, 10)}, 10},
	"just enough flows": {slices.Concat(flows(0, 9, 0.05), idle(10, 12)),
		10, 10, 10, 0, []Span{seconds(0, 10)}, 10},
	"too little flows": {slices.Concat(flows(0, 9, 0.049), idle(10, 12)),
		10, 0, 10, 0, []Span{seconds(0, 10)}, 10},
	"samples 3 s apart": {[]row{{0, "on", no, no}, {3, "on", no, no}, {6, "off", no, no}},
		6, 0, 6, 0, []Span{seconds(0, 6)}, 6},
	"a gap": {[]row{{0, "on", no, no}, {3, "on", no, no}, {6.5, "on", no, no}, {8.5, "off", no, no}},
		5, 0, 5, 3.5, []Span{seconds(0, 3), seconds(6.5, 8.5)}, 8.5},
	"the flow is not known for a while": {slices.Concat(flows(0, 4, 3),
		told(5, 6), flows(7, 9, 0), idle(10, 10)),
		10, 5, 7, 0, []Span{seconds(0, 7)}, 10},
	"a counter of litres": {slices.Concat(pulses(0, 60, 20, "on"), pulses(61, 61, 1, "off")),
		61, 61, 61, 0, []Span{seconds(0, 61)}, 61},
	"its last step is not due": {slices.Concat(pulses(0, 70, 20, "on"),
		[]row{{71, "off", no, 103}, {72, "off", no, 103}}),
		71, 71, 71, 0, []Span{seconds(0, 71)}, 71},
	"its last step is overdue": {slices.Concat(pulses(0, 60, 20, "on"),
		every(61, 81, func(int) row { return row{0, "on", no, 103} }), []row{{82, "off", no, 103}}),
		82, 60, 60, 0, []Span{seconds(0, 60)}, 82},
	"it did not flow all the time": {slices.Concat([]row{{0, "on", no, 100}},
		every(1, 150, func(int) row { return row{0, "on", no, 100} }),
		[]row{{151, "on", no, 100.1}, {152, "off", no, 100.1}}),
		152, 2, 2, 0, []Span{seconds(150, 152)}, 152},
}

// When it worked, to the second: a sample's command and flow hold until the next one.
func TestWhenItWorked(t *testing.T) {
	for name, c := range workCases {
		got := play(Config{Machine: "m", Idle: 5 * time.Second, Pause: time.Minute}, c.rows)
		if len(got) != 1 {
			t.Errorf("%s: %d runs", name, len(got))
			continue
		}
		r := got[0]
		for _, x := range []struct {
			what      string
			got, want float64
		}{
			{"commanded", r.Commanded.Seconds(), c.commanded}, {"flowing", r.Flowing.Seconds(), c.flowing},
			{"on", r.On.Seconds(), c.on}, {"gaps", r.Gaps.Seconds(), c.gaps},
			{"end", r.End.Sub(r.Start).Seconds(), c.end},
		} {
			if math.Abs(x.got-x.want) > 1e-9 {
				t.Errorf("%s: %s %g s, want %g s", name, x.what, x.got, x.want)
			}
		}
		if !slices.Equal(r.Work, c.work) {
			t.Errorf("%s: it worked in %v, want %v", name, r.Work, c.work)
		}
	}
}

type holdCase struct {
	rows            []row
	tick            float64 // seconds; 0: no tick
	commanded, gaps float64
	end             float64
	runs, sorties   int
	lost            bool
}

var holdCases = map[string]holdCase{
	"on, off":             {[]row{{0, "on", no, no}, {60, "off", no, no}}, 0, 60, 0, 60, 1, 1, false},
	"as long as it holds": {[]row{{0, "on", no, no}, {600, "off", no, no}}, 0, 600, 0, 600, 1, 1, false},
	"longer":              {[]row{{0, "on", no, no}, {601, "off", no, no}}, 0, 600, 1, 600, 1, 1, true},
	"much longer":         {[]row{{0, "on", no, no}, {661, "off", no, no}}, 0, 600, 0, 600, 1, 1, true},
	"a pause longer":      {[]row{{0, "on", no, no}, {660, "off", no, no}}, 0, 600, 60, 600, 1, 1, true},
	"off for 5 s": {[]row{{0, "on", no, no}, {60, "off", no, no}, {65, "on", no, no}, {90, "off", no, no}},
		0, 85, 0, 90, 1, 1, false},
	"off for more": {[]row{{0, "on", no, no}, {60, "off", no, no}, {65.5, "on", no, no}, {90, "off", no, no}},
		0, 84.5, 0, 90, 1, 2, false},
	"never off": {[]row{{0, "on", no, no}}, 660.001, 600, 0, 600, 1, 1, true},
	"still on":  {[]row{{0, "on", no, no}}, 660, 0, 0, 0, 0, 0, false},
	"off and on again": {[]row{{0, "on", no, no}, {60, "off", no, no}, {100, "on", no, no}, {130, "off", no, no}},
		0, 90, 0, 130, 1, 2, false},
	"off for a moment": {[]row{{0, "on", no, no}, {60, "off", no, no}, {64, "on", no, no}, {90, "off", no, no}},
		0, 86, 0, 90, 1, 1, false},
	"off for a pause": {[]row{{0, "on", no, no}, {60, "off", no, no}, {121, "on", no, no}, {130, "off", no, no}},
		0, 60, 0, 60, 2, 1, false},
	"said again": {[]row{{0, "on", no, no}, {300, "on", no, no}, {700, "off", no, no}},
		0, 700, 0, 700, 1, 1, false},
	"its word was lost": {[]row{{0, "on", no, no}, {2, "on", no, no}, {4, "-", no, no}}, 0, 4, 0, 4, 1, 1, true},
}

// A machine that speaks only at its changes works from ON to OFF, as long as a command
// may hold.
func TestACommandHoldsUntilItsOpposite(t *testing.T) {
	for name, c := range holdCases {
		tracker := New(Config{Machine: "m", Idle: 5 * time.Second, Pause: time.Minute, Holds: 10 * time.Minute})
		var got []Run
		take := func(events []Event) {
			for _, e := range events {
				if e.Closed {
					got = append(got, e.Run)
				}
			}
		}
		for _, r := range c.rows {
			past := time.Duration(r.at * float64(time.Second))
			s := Sample{At: noon.Add(past), T: time.Hour + past, Values: fact.Values{Tank: new(50.0)}}
			if r.command != "-" {
				s.Command = new(r.command == "on")
			}
			take(tracker.Observe(s))
		}
		if c.tick > 0 {
			take(tracker.Tick(time.Hour + time.Duration(c.tick*float64(time.Second))))
		} else {
			take(tracker.Finish())
		}
		if len(got) != c.runs {
			t.Errorf("%s: %d runs, want %d", name, len(got), c.runs)
		}
		if len(got) == 0 {
			continue
		}
		r := got[0]
		if r.Commanded.Seconds() != c.commanded || r.On != r.Commanded || r.Gaps.Seconds() != c.gaps ||
			r.End.Sub(r.Start).Seconds() != c.end || r.Sorties != c.sorties || r.Until.Before(r.End) {
			t.Errorf("%s: commanded %s, on %s, gaps %s, end %s, %d sorties; want %+v",
				name, r.Commanded, r.On, r.Gaps, r.End.Sub(r.Start), r.Sorties, c)
		}
		if slices.Contains(r.Reasons, ReasonNotHeard) != c.lost {
			t.Errorf("%s: %v", name, r.Reasons)
		}
	}
}
