package prove

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/fleet"
)

// Runs is the comparison of the stored runs with the machines' real ones. Each run
// is judged by itself.
type Runs struct {
	True      int     `json:"true"`        // real runs
	Stored    int     `json:"stored"`      // stored runs
	Missed    int     `json:"missed"`      // real runs without a stored one
	Split     int     `json:"split"`       // real runs with several stored ones
	Merged    int     `json:"merged"`      // stored runs with several real ones
	Invented  int     `json:"invented"`    // stored runs without a real one
	Misgraded int     `json:"misgraded"`   // stored runs with another grade than they should have
	TrueL     float64 `json:"litres_true"` // of machines with a sound flow meter
	StoredL   float64 `json:"litres_stored"`
	Off
}

// Off counts the stored runs that are off, and says by how much the worst one is.
type Off struct {
	Litres   int     `json:"litres"`   // by more than 2 %
	Distance int     `json:"distance"` // by more than 5 %
	Times    int     `json:"times"`    // begin or end, by more than 2 s
	WorstL   float64 `json:"worst_litres_pct"`
	WorstM   float64 `json:"worst_distance_pct"`
	WorstS   float64 `json:"worst_time_s"`
}

func (r *Runs) failed() bool {
	return r.Missed+r.Split+r.Merged+r.Invented+r.Misgraded+r.Litres+r.Distance+r.Times > 0
}

// The allowed errors of one run.
const (
	maxLitres   = 2.0 // percent
	fewLitres   = 0.02
	maxDistance = 5.0 // percent
	fewMetres   = 3.0 // of one position
	maxTime     = 2 * time.Second
	// listens is how long a program needs after its start until it hears machines.
	listens = 2 * time.Second
	// sentAgain is after how long the broker sends a message again that a collector had
	// not acknowledged when it died.
	sentAgain = 3 * time.Second
	// recorded is how long a machine's state takes into the journal at most: it is
	// polled each second, and the bridge records each second.
	recorded = 2500 * time.Millisecond
	// near is how far a stored run may lie from a real one and still be of it.
	near = 8 * time.Second
)

// storedRun is the newest record of a run.
type storedRun struct {
	jid string
	seq uint64
	*wire.Run
}

// keepNewest keeps a run's record if it is the newest.
func keepNewest(runs map[string]storedRun, jid string, seq uint64, r *wire.Run) {
	key := r.Machine + "/" + r.ID
	if old, ok := runs[key]; !ok || seq > old.seq {
		runs[key] = storedRun{jid, seq, r}
	}
}

// outage is a time in which a program could not hear.
type outage struct{ from, to time.Time }

// comparison compares stored runs with real ones.
type comparison struct {
	Runs
	problems []string
	matches  map[string]int // stored run to the number of real ones
	deaf     func(fleet.Spec) []outage
}

func (c *comparison) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// compareRuns compares the stored runs with what the machines really did; deaf
// returns when nobody heard a machine. It returns a description of each
// difference.
func compareRuns(
	truths []fleet.Truth, specs []fleet.Spec, stored map[string]storedRun, deaf func(fleet.Spec) []outage,
) (Runs, []string) {
	spec := map[string]fleet.Spec{}
	for _, s := range specs {
		spec[s.ID] = s
	}
	c := comparison{Runs: Runs{True: len(truths)}, matches: map[string]int{}, deaf: deaf}
	for _, t := range truths {
		c.realRun(t, spec[t.Machine], stored)
	}
	for key, s := range stored {
		if s.State == fact.RunWithdrawn {
			continue
		}
		c.Stored++
		switch n := c.matches[key]; {
		case n == 0:
			c.Invented++
			c.problem("%s (%s to %s, %s) is stored and did not happen", s.ID, s.Start, s.End, s.Grade)
		case n > 1:
			c.Merged++
			c.problem("%s is stored for %d real runs", s.ID, n)
		}
	}
	c.TrueL, c.StoredL = round2(c.TrueL), round2(c.StoredL)
	slices.Sort(c.problems)
	return c.Runs, c.problems
}

// realRun finds the stored run of a real one and compares them.
func (c *comparison) realRun(t fleet.Truth, spec fleet.Spec, stored map[string]storedRun) {
	var found []storedRun
	for key, s := range stored {
		if s.State != fact.RunWithdrawn && s.Machine == t.Machine &&
			s.Start.Before(t.End.Add(near)) && s.End.After(t.Start.Add(-near)) {
			found = append(found, s)
			c.matches[key]++
		}
	}
	switch len(found) {
	case 0:
		c.Missed++
		c.problem("no run is stored of %s", t)
		return
	case 1:
	default:
		c.Split++
		c.problem("%d runs are stored of %s: %s, %s", len(found), t, found[0].ID, found[1].ID)
		return
	}
	s := found[0]
	if s.Grade != t.Grade {
		c.Misgraded++
		c.problem("%s: graded %s %v: %s", t, s.Grade, s.Reasons, s.ID)
	}
	c.times(t, spec, s)
	c.distance(t, spec, s)
	if !spec.NoFlowSensor && spec.Fault != fleet.FaultStuck {
		c.litres(t, spec, s)
	}
}

// times compares begin and end. A begin in an outage is heard after it, and an end
// in one was last heard before it. What a bus and a bridge read each second is
// recorded within two and a half.
func (c *comparison) times(t fleet.Truth, spec fleet.Spec, s storedRun) {
	begin, end := s.Start.Sub(t.Start).Abs(), s.End.Sub(t.End).Abs()
	if spec.Fault == fleet.FaultStuck { // when its flow ended is not known
		end = 0
	}
	for _, o := range c.deaf(spec) {
		if o.from.Before(t.Start.Add(recorded)) && o.to.After(t.Start.Add(-time.Second)) {
			begin = max(0, begin-o.to.Sub(o.from))
		}
		if o.from.Before(t.End.Add(recorded)) && o.to.After(t.End.Add(-time.Second)) {
			end = max(0, end-o.to.Sub(o.from))
		}
	}
	off := max(begin, end)
	c.WorstS = max(c.WorstS, round2(off.Seconds()))
	if off > maxTime {
		c.Times++
		c.problem("%s: stored as %s to %s", t, s.Start.Format(timeOfDay), s.End.Format(timeOfDay))
	}
}

const timeOfDay = "15:04:05.0"

// distance compares the way. Where positions are lost, they show the straight way
// at least.
func (c *comparison) distance(t fleet.Truth, spec fleet.Spec, s storedRun) {
	if spec.Language == fleet.Relay {
		return // it reports no positions
	}
	unheard := t.Unheard
	for _, o := range c.deaf(spec) {
		if o.from.Before(t.End) && o.to.After(t.Start) {
			unheard += spec.Speed * o.to.Sub(o.from).Seconds()
		}
	}
	// A second at each begin and end of work lies between two positions.
	between := fewMetres + 2*spec.Speed
	if spec.Fault == fleet.FaultCut { // work ends and begins once more
		between += 2 * spec.Speed
	}
	off := max(0, math.Abs(s.DistanceM-t.Metres)-unheard-between)
	pct := round2(off / t.Metres * 100)
	c.WorstM = max(c.WorstM, pct)
	if pct > maxDistance {
		c.Distance++
		c.problem("%s: stored with %.0f m: %s", t, s.DistanceM, s.ID)
	}
}

// litres compares the litres. What flowed since the last report of a machine that dies
// nobody knows.
func (c *comparison) litres(t fleet.Truth, spec fleet.Spec, s storedRun) {
	litres := 0.0
	if s.MeterL != nil {
		litres = *s.MeterL
	}
	c.TrueL += t.Litres
	c.StoredL += litres
	few := fewLitres
	if spec.Fault == fleet.FaultDies {
		few += spec.FlowLPM * recorded.Minutes()
	}
	off := max(0, math.Abs(litres-t.Litres)-few)
	if t.Litres == 0 && off == 0 {
		return
	}
	pct := round2(off / max(t.Litres, fewLitres) * 100)
	c.WorstL = max(c.WorstL, pct)
	if pct > maxLitres {
		c.Litres++
		c.problem("%s: stored with %.2f L: %s", t, litres, s.ID)
	}
}

func round2(v float64) float64 { return math.Round(v*100) / 100 }
