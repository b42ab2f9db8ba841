package runs

import "time"

// Limits of the grades.
const (
	least      = 0.1 // litres that count as having flowed
	pumpLeast  = 1.0 // L/min that every pump gives: a tank that it does not empty by as much shows that nothing flowed
	mayMiss    = 0.1 // the share of a command's time that a witness of the flow may miss
	mayMissFor = time.Second
)

// witness is who measured the flow of a run, and for how long nobody did.
type witness struct {
	litres     *float64 // nil: nobody
	metered    bool     // there is a meter
	missed     time.Duration
	partly     bool    // missed is more than a witness may miss
	hung       bool    // the flow sensor goes on while the tank does not fall
	resolution float64 // litres that a level sensor shows for certain
}

// judge sets evidence, grade and reasons from the numbers.
func (t *Tracker) judge(r *Run, c *tally) {
	w := witness{litres: r.Litres(), metered: c.flow.metered, missed: c.unmeasured.sure + c.unmeasured.loose,
		hung: c.flow.stuck, resolution: max(1, 0.05*t.cfg.TankLitres)}
	w.partly = w.missed > max(mayMissFor, time.Duration(mayMiss*float64(r.Commanded)))
	r.Evidence = Evidence{}
	if c.command.known {
		r.Evidence.Commanded = new(c.command.given)
	}
	if c.fixes > 1 {
		r.Evidence.Moved = new(c.reach > movedBeyond)
	}
	if w.litres != nil {
		enough := least + t.cfg.MinFlow*r.Commanded.Minutes()
		// A run without a command is one only because something flowed.
		flowed := !c.command.given || *w.litres >= enough || c.flow.seen && r.Commanded < 5*time.Second
		if !flowed && w.partly { // it is not known whether it flowed while nobody measured
			r.Meter, r.Integrated, r.Unasked, w.litres = nil, nil, 0, nil
		} else {
			r.Evidence.Flowed = &flowed
		}
	}
	if r.TankFell != nil {
		r.Evidence.TankFell = new(*r.TankFell >= w.resolution)
	}
	r.Grade, r.Reasons = w.grade(r)
	if c.flow.both.differ() {
		r.Grade, r.Reasons = Disputed, []string{ReasonMeters}
	}
	if w.litres == nil && w.emptiedNothing(r) {
		r.Grade, r.Reasons = Dry, []string{ReasonTankFull}
	}
	r.Reasons = append(r.Reasons, c.flow.counterReasons(r.Meter)...)
	for _, also := range []struct {
		holds  bool
		reason string
	}{
		{w.litres != nil && w.partly && r.Grade != Unproven, ReasonUnmeasured},
		{r.Evidence.Moved != nil && !*r.Evidence.Moved, ReasonStill},
		{c.fixes == 0, ReasonNoFix},
		{r.Gaps > 0, ReasonGaps},
		{c.lost, ReasonNotHeard},
	} {
		if also.holds {
			r.Reasons = append(r.Reasons, also.reason)
		}
	}
}

// emptiedNothing reports whether the tank shows that nothing flowed: any pump would
// have emptied it by what a level sensor shows for certain, and it did not fall.
func (w witness) emptiedNothing(r *Run) bool {
	return r.TankFell != nil && *r.TankFell < 0.3*w.resolution &&
		pumpLeast*r.Commanded.Minutes() >= 2*w.resolution
}

func yes(b *bool) bool { return b != nil && *b }

// grade returns the grade of a run by its flow, its tank and its command, and why.
func (w witness) grade(r *Run) (Grade, []string) {
	commanded := r.Evidence.Commanded
	fell := yes(r.Evidence.TankFell)
	switch {
	case w.litres == nil && w.metered:
		return Unproven, []string{ReasonUnmeasured}
	case w.litres == nil:
		return Unproven, []string{ReasonNoSensor}
	case !yes(r.Evidence.Flowed) && fell:
		return Disputed, []string{ReasonSensorMute}
	case !yes(r.Evidence.Flowed):
		return Dry, []string{ReasonNoFlow}
	case w.hung:
		return Disputed, []string{ReasonHung}
	case r.TankFell != nil && *w.litres >= 2*w.resolution && *r.TankFell < 0.3**w.litres:
		if fell {
			return Disputed, []string{ReasonDiffers}
		}
		return Disputed, []string{ReasonTankFull}
	case commanded != nil && (!*commanded || r.Unasked >= max(0.3, 0.15**w.litres)):
		return Leak, []string{ReasonUnasked}
	case w.missed > r.Commanded/2:
		return Unproven, []string{ReasonUnmeasured}
	}
	return w.compare(r)
}

// compare returns the grade of a run that was measured: does the tank agree?
func (w witness) compare(r *Run) (Grade, []string) {
	var why []string
	if r.Evidence.Commanded == nil {
		why = append(why, ReasonNoCommand)
	}
	switch litres := *w.litres; {
	case r.TankFell == nil && r.TankFirst != nil:
		return Measured, append([]string{ReasonNoSize}, why...)
	case r.TankFell == nil:
		return Measured, append([]string{ReasonNoTank}, why...)
	case w.partly && *r.TankFell > litres: // it flowed while nobody measured
		return Measured, why
	case abs(litres-*r.TankFell) > max(0.25*litres, w.resolution):
		return Disputed, append([]string{ReasonDiffers}, why...)
	case litres < 2*w.resolution:
		return Measured, append([]string{ReasonSmall}, why...)
	}
	return Proven, append([]string{ReasonAgrees}, why...)
}

func abs(v float64) float64 { return max(v, -v) }
