package runs

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// judged is what a run has been found to be, before it is graded. The tank holds 40 L:
// its sensor shows 2 L for certain.
type judged struct {
	command  string // on, off, or not known
	long     time.Duration
	missed   time.Duration // nobody measured the flow
	litres   float64       // no: nobody
	unasked  float64
	fell     float64 // no: there is no level
	level    bool    // there is a level, and the tank's size is not known
	seen     bool    // some flow was seen
	hung     bool
	noMeter  bool
	fixes    int
	reach    float64
	lost     bool
	contrary bool // flow and counter differ
}

func (j judged) grade() Run {
	t := New(Config{Machine: "m", TankLitres: 40})
	r := Run{Commanded: j.long, Unasked: j.unasked}
	c := tally{fixes: j.fixes, reach: j.reach, lost: j.lost}
	c.command = command{known: j.command != "", given: j.command == "on"}
	c.flow.seen, c.flow.stuck, c.flow.metered = j.seen, j.hung, !j.noMeter
	c.unmeasured.sure, c.unmeasured.loose = j.missed/2, j.missed-j.missed/2
	if j.litres != no {
		r.Meter = new(j.litres)
	}
	if j.fell != no {
		r.TankFell, r.TankFirst = new(j.fell), new(90.0)
	}
	if j.level {
		r.TankFirst = new(90.0)
	}
	if j.contrary {
		c.flow.both = both{counted: 10, flowed: 5}
	}
	t.judge(&r, &c)
	return r
}

type gradeCase struct {
	j       judged
	grade   Grade
	reasons []string
}

func on(litres, fell float64) judged {
	return judged{command: "on", long: minute, litres: litres, fell: fell, fixes: 2, reach: 11}
}

func with(j judged, do func(*judged)) judged {
	do(&j)
	return j
}

const minute = time.Minute

var measuredGrades = map[string]gradeCase{
	"agree":                     {on(4, 4), Proven, []string{ReasonAgrees}},
	"too little for the sensor": {on(3.99, 3.99), Measured, []string{ReasonSmall}},
	"differ by the resolution":  {on(4, 6), Proven, []string{ReasonAgrees}},
	"differ by more":            {on(4, 6.01), Disputed, []string{ReasonDiffers}},
	"differ by a quarter":       {on(12, 9), Proven, []string{ReasonAgrees}},
	"differ by more than that":  {on(12, 8.99), Disputed, []string{ReasonDiffers}},
	"small, and it fell":        {on(0.16, 2.17), Disputed, []string{ReasonDiffers}},
	"small, it fell a bit":      {on(0.16, 2.15), Measured, []string{ReasonSmall}},
	"small, it hardly fell":     {on(2, 0.5), Measured, []string{ReasonSmall}},
	"it fell three tenths":      {on(4, 1.2), Disputed, []string{ReasonDiffers}},
	"the tank hardly fell":      {on(10, 2.99), Disputed, []string{ReasonDiffers}},
	"the tank did not fall":     {on(4, 1.19), Disputed, []string{ReasonTankFull}},
	"no tank":                   {on(4, no), Measured, []string{ReasonNoTank}},
	"no size": {with(on(4, no), func(j *judged) { j.level = true }),
		Measured, []string{ReasonNoSize}},
	"just enough":     {on(0.1501, no), Measured, []string{ReasonNoTank}},
	"next to nothing": {on(0.149, no), Dry, []string{ReasonNoFlow}},
	"enough for a longer time": {with(on(0.6, no), func(j *judged) { j.long = 10 * minute }),
		Measured, []string{ReasonNoTank}},
	"too little for a longer time": {with(on(0.599, no), func(j *judged) { j.long = 10 * minute }),
		Dry, []string{ReasonNoFlow}},
	"seen in a short time": {
		with(on(0.01, no), func(j *judged) { j.seen, j.long = true, 5*time.Second-1 }),
		Measured, []string{ReasonNoTank}},
	"seen, and not so short": {
		with(on(0.01, no), func(j *judged) { j.seen, j.long = true, 5*time.Second }),
		Dry, []string{ReasonNoFlow}},
	"nothing, the tank fell": {on(0, 2), Disputed, []string{ReasonSensorMute}},
	"nothing, it fell a bit": {on(0, 1.99), Dry, []string{ReasonNoFlow}},
	"it hangs": {with(on(4, 4), func(j *judged) { j.hung = true }),
		Disputed, []string{ReasonHung}},
	"counter and flow differ": {with(on(4, 4), func(j *judged) { j.contrary = true }),
		Disputed, []string{ReasonMeters}},
	"a leak of 15 %": {with(on(4, 4), func(j *judged) { j.unasked = 0.6 }),
		Leak, []string{ReasonUnasked}},
	"a leak of less": {with(on(4, 4), func(j *judged) { j.unasked = 0.599 }),
		Proven, []string{ReasonAgrees}},
	"a leak of 0.3 L": {with(on(1, no), func(j *judged) { j.unasked = 0.3 }),
		Leak, []string{ReasonUnasked}},
	"a leak of less than 0.3 L": {with(on(1, no), func(j *judged) { j.unasked = 0.299 }),
		Measured, []string{ReasonNoTank}},
	"no command at all": {with(on(1, no), func(j *judged) { j.command = "off" }),
		Leak, []string{ReasonUnasked}},
	"command not known": {with(on(4, 4), func(j *judged) { j.command, j.unasked = "", 4 }),
		Proven, []string{ReasonAgrees, ReasonNoCommand}},
}

var missedGrades = map[string]gradeCase{
	"no meter": {with(on(no, no), func(j *judged) { j.noMeter = true }),
		Unproven, []string{ReasonNoSensor}},
	"a meter that says nothing": {on(no, no), Unproven, []string{ReasonUnmeasured}},
	"nothing, a tenth missed": {with(on(0, no), func(j *judged) { j.missed = 6 * time.Second }),
		Dry, []string{ReasonNoFlow}},
	"nothing, more missed": {with(on(0, no), func(j *judged) { j.missed = 6*time.Second + 2 }),
		Unproven, []string{ReasonUnmeasured}},
	"nothing, a second missed": {
		with(on(0, no), func(j *judged) { j.long, j.missed = 6*time.Second, time.Second }),
		Dry, []string{ReasonNoFlow}},
	"nothing, more than a second": {
		with(on(0, no), func(j *judged) { j.long, j.missed = 6*time.Second, time.Second+2 }),
		Unproven, []string{ReasonUnmeasured}},
	"it flowed, a tenth missed": {with(on(4, 4), func(j *judged) { j.missed = 6 * time.Second }),
		Proven, []string{ReasonAgrees}},
	"it flowed, more missed": {with(on(4, 4), func(j *judged) { j.missed = 7 * time.Second }),
		Proven, []string{ReasonAgrees, ReasonUnmeasured}},
	"it flowed, half missed": {with(on(4, no), func(j *judged) { j.missed = 30 * time.Second }),
		Measured, []string{ReasonNoTank, ReasonUnmeasured}},
	"it flowed, most missed": {with(on(4, no), func(j *judged) { j.missed = 30*time.Second + 2 }),
		Unproven, []string{ReasonUnmeasured}},
	"more fell than was measured": {with(on(4, 9), func(j *judged) { j.missed = 20 * time.Second }),
		Measured, []string{ReasonUnmeasured}},
	"less fell than was measured": {with(on(12, 8), func(j *judged) { j.missed = 20 * time.Second }),
		Disputed, []string{ReasonDiffers, ReasonUnmeasured}},

	"no meter, the tank shows it": {with(on(no, 0.59), func(j *judged) { j.noMeter, j.long = true, 4*minute }),
		Dry, []string{ReasonTankFull}},
	"no meter, the tank fell a bit": {with(on(no, 0.6), func(j *judged) { j.noMeter, j.long = true, 4*minute }),
		Unproven, []string{ReasonNoSensor}},
	"no meter, too short": {with(on(no, 0), func(j *judged) { j.noMeter, j.long = true, 4*minute-1 }),
		Unproven, []string{ReasonNoSensor}},
	"missed, the tank shows it": {with(on(0, 0), func(j *judged) { j.missed, j.long = 4*minute, 4*minute }),
		Dry, []string{ReasonTankFull}},

	"did not move": {with(on(4, 4), func(j *judged) { j.reach = 10 }),
		Proven, []string{ReasonAgrees, ReasonStill}},
	"one position": {with(on(4, 4), func(j *judged) { j.fixes, j.reach = 1, 0 }),
		Proven, []string{ReasonAgrees}},
	"no position": {with(on(4, 4), func(j *judged) { j.fixes = 0 }),
		Proven, []string{ReasonAgrees, ReasonNoFix}},
	"not heard": {with(on(4, 4), func(j *judged) { j.lost = true }),
		Proven, []string{ReasonAgrees, ReasonNotHeard}},
}

func grades() map[string]gradeCase {
	all := maps.Clone(measuredGrades)
	maps.Copy(all, missedGrades)
	return all
}

func TestGradesAtTheirThresholds(t *testing.T) {
	for name, c := range grades() {
		r := c.j.grade()
		if r.Grade != c.grade || !slices.Equal(r.Reasons, c.reasons) {
			t.Errorf("%s: %s %v, want %s %v", name, r.Grade, r.Reasons, c.grade, c.reasons)
		}
		if known := r.Evidence.Flowed != nil; known != (r.Litres() != nil) {
			t.Errorf("%s: flowed is known %v, litres %v", name, known, r.Litres())
		}
	}
}

// Of a small tank a sensor shows a litre.
func TestASmallTankShowsALitre(t *testing.T) {
	for _, fell := range []float64{0.99, 1} {
		r := Run{TankFell: &fell}
		New(Config{TankLitres: 5}).judge(&r, &tally{})
		if *r.Evidence.TankFell != (fell >= 1) {
			t.Errorf("%g L: %v", fell, *r.Evidence.TankFell)
		}
	}
}
