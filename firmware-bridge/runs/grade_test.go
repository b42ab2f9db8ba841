package runs

import (
	"math"
	"slices"
	"testing"
)

// stuck replaces the counter by a flow sensor that always reports lpm.
func stuck(lpm float64) func(*Sample) { return func(s *Sample) { s.Flow, s.Volume = new(lpm), nil } }

// graded are flights with the grades of their runs.
var graded = map[string]struct {
	play    func(*script)
	grades  []Grade
	sorties int
	litres  float64 // of the first run; -1: not known
}{
	"it flew and sprayed": {func(c *script) {
		c.play(10, false, 0).play(120, true, 3).play(10, false, 0)
	}, []Grade{Proven}, 1, 6},
	"nothing happened": {func(c *script) { c.play(300, false, 0) }, nil, 0, 0},
	"a dry nozzle": {func(c *script) {
		c.play(10, false, 0).play(60, true, 0).play(10, false, 0)
	}, []Grade{Dry}, 1, 0},
	"a leaking valve": {func(c *script) {
		c.play(10, false, 0).play(60, true, 3).play(50, false, 1.2)
	}, []Grade{Leak}, 1, 4},
	"a leak without any command": {func(c *script) {
		c.play(10, false, 0).play(90, false, 1)
	}, []Grade{Leak}, 1, 1.5},
	"a moment's noise is no leak": {func(c *script) {
		c.play(10, false, 0).play(2, false, 0.5).play(100, false, 0)
	}, nil, 0, 0},
	"no flow meter": {func(c *script) {
		c.noMeter = true
		c.play(10, false, 0).play(60, true, 3)
	}, []Grade{Unproven}, 1, -1},
	"no tank sensor": {func(c *script) {
		c.noTank = true
		c.play(10, false, 0).play(60, true, 3)
	}, []Grade{Measured}, 1, 3},
	"too little for the tank's sensor": {func(c *script) {
		c.play(10, false, 0).play(20, true, 3)
	}, []Grade{Measured}, 1, 1},
	"the sensor is mute, the tank falls": {func(c *script) {
		c.play(10, false, 0).play(120, true, 3, stuck(0))
	}, []Grade{Disputed}, 1, 0},
	"the sensor hangs, the tank is full": {func(c *script) {
		c.play(10, false, 0).play(120, true, 0, stuck(3))
	}, []Grade{Disputed}, 1, 5.95},
	"a refill: one task, two sorties": {func(c *script) {
		c.play(5, false, 0).play(120, true, 3).play(30, false, 0)
		c.tank = 95
		c.play(10, false, 0).play(120, true, 3)
	}, []Grade{Proven}, 2, 12},
	"two tasks": {func(c *script) {
		c.play(5, false, 0).play(90, true, 3).play(90, false, 0).play(90, true, 3)
	}, []Grade{Proven, Proven}, 1, 4.5},
	"the link is gone for 20 s": {func(c *script) {
		c.play(5, false, 0).play(60, true, 3).silent(20, 3).play(60, true, 3)
	}, []Grade{Proven}, 1, 7},
	"switched off without goodbye": {func(c *script) {
		c.play(5, false, 0).play(90, true, 3)
	}, []Grade{Proven}, 1, 4.5},
	"the counter is reset in mid-run": {func(c *script) {
		c.play(5, false, 0).play(60, true, 3)
		c.volume = 0
		c.play(60, true, 3)
	}, []Grade{Proven}, 1, 6},
	"the counter jumps": {func(c *script) {
		c.play(5, false, 0).play(60, true, 3)
		c.volume += 5e6
		c.play(60, true, 3)
	}, []Grade{Proven}, 1, 5.95},
	"a sample late at its end is no leak": {func(c *script) {
		c.noTank = true
		c.play(10, false, 0).play(20, true, 6).silent(8, 6).play(10, false, 0)
	}, []Grade{Measured}, 1, 2.8},
	"told to run, seldom heard": {func(c *script) {
		c.noTank = true
		for range 5 {
			c.play(1, true, 6).silent(19, 6)
		}
		c.play(1, false, 0)
	}, []Grade{Measured}, 1, 9.9},
	"a battery change: disarmed in between": {func(c *script) {
		c.play(60, true, 3).play(20, false, 0, func(s *Sample) { s.Armed = new(false) }).play(60, true, 3)
	}, []Grade{Proven}, 2, 6},
}

func TestRunsAreFoundAndGraded(t *testing.T) {
	for name, c := range graded {
		s := newScript()
		c.play(s)
		got := Segment(small, s.samples)
		var grades []Grade
		for _, r := range got {
			grades = append(grades, r.Grade)
		}
		if !slices.Equal(grades, c.grades) {
			t.Errorf("%s: graded %v, want %v: %+v", name, grades, c.grades, got)
			continue
		}
		if len(got) == 0 {
			continue
		}
		r := got[0]
		if r.Sorties != c.sorties {
			t.Errorf("%s: %d sorties, want %d", name, r.Sorties, c.sorties)
		}
		if l := r.Litres(); (l == nil) != (c.litres < 0) || l != nil && math.Abs(*l-c.litres) > 0.02*c.litres+0.011 {
			t.Errorf("%s: %v litres, want %g", name, l, c.litres)
		}
	}
}
