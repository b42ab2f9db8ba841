package prove

import (
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/fleet"
)

func TestEachRunIsJudgedByItself(t *testing.T) {
	begin := time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	after := func(seconds float64) wire.Time {
		return wire.At(begin.Add(time.Duration(seconds * float64(time.Second))))
	}
	truth := fleet.Truth{Machine: "f", Start: begin, End: after(40).Time, Litres: 5, Metres: 200, Grade: "measured"}
	right := wire.Run{Machine: "f", ID: "1", State: fact.RunClosed, Start: after(0), End: after(40),
		MeterL: new(5.0), DistanceM: 200, Grade: "measured"}
	change := func(with func(*wire.Run)) []*wire.Run {
		r := right
		with(&r)
		return []*wire.Run{&r}
	}
	second := change(func(r *wire.Run) { r.ID, r.Start, r.End = "2", after(45), after(50) })
	other := change(func(r *wire.Run) { r.ID, r.Start, r.End = "3", after(100), after(110) })
	for name, c := range map[string]struct {
		stored []*wire.Run
		deaf   []outage
		fault  fleet.Fault
		want   Runs
	}{
		"right":         {stored: []*wire.Run{&right}},
		"missed":        {want: Runs{Missed: 1}},
		"withdrawn":     {stored: change(func(r *wire.Run) { r.State = fact.RunWithdrawn }), want: Runs{Missed: 1}},
		"split":         {stored: append(second, &right), want: Runs{Split: 1}},
		"invented":      {stored: append(other, &right), want: Runs{Invented: 1}},
		"misgraded":     {stored: change(func(r *wire.Run) { r.Grade = "dry" }), want: Runs{Misgraded: 1}},
		"2 % of litres": {stored: change(func(r *wire.Run) { r.MeterL = new(5.11) })},
		"3 % of litres": {stored: change(func(r *wire.Run) { r.MeterL = new(4.8) }), want: Runs{Off: Off{Litres: 1}}},
		"the last second of one that dies": {stored: change(func(r *wire.Run) { r.MeterL = new(4.7) }),
			fault: fleet.FaultDies},
		"more than that": {stored: change(func(r *wire.Run) { r.MeterL = new(4.4) }),
			fault: fleet.FaultDies, want: Runs{Off: Off{Litres: 1}}},
		"no litres":       {stored: change(func(r *wire.Run) { r.MeterL = nil }), want: Runs{Off: Off{Litres: 1}}},
		"5 % of the way":  {stored: change(func(r *wire.Run) { r.DistanceM = 214 })},
		"9 % of the way":  {stored: change(func(r *wire.Run) { r.DistanceM = 182 }), want: Runs{Off: Off{Distance: 1}}},
		"begins 3 s late": {stored: change(func(r *wire.Run) { r.Start = after(3) }), want: Runs{Off: Off{Times: 1}}},
		"ends 3 s early":  {stored: change(func(r *wire.Run) { r.End = after(37) }), want: Runs{Off: Off{Times: 1}}},
		"begins in an outage": {stored: change(func(r *wire.Run) { r.Start = after(3) }),
			deaf: []outage{{begin.Add(-time.Second), after(2.5).Time}}},
		"an outage elsewhere": {stored: change(func(r *wire.Run) { r.Start = after(3) }),
			deaf: []outage{{after(20).Time, after(25).Time}}, want: Runs{Off: Off{Times: 1}}},
	} {
		stored := map[string]storedRun{}
		for i, r := range c.stored {
			keepNewest(stored, "j", uint64(i), r)
		}
		spec := fleet.Spec{ID: "f", Speed: 1, FlowLPM: 6, Fault: c.fault}
		got, problems := compareRuns([]fleet.Truth{truth}, []fleet.Spec{spec}, stored,
			func(fleet.Spec) []outage { return c.deaf })
		counts := Runs{Missed: got.Missed, Split: got.Split, Merged: got.Merged, Invented: got.Invented,
			Misgraded: got.Misgraded, Off: Off{Litres: got.Litres, Distance: got.Distance, Times: got.Times}}
		if counts != c.want || (len(problems) > 0) != (c.want != Runs{}) || got.failed() != (c.want != Runs{}) {
			t.Errorf("%s: %+v %q, want %+v", name, got, problems, c.want)
		}
	}
}

func TestOutagesThatOverlapAreOne(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
	got := joined([]outage{{at(8), at(12)}, {at(1), at(5)}, {at(2), at(3)}, {at(12), at(13)}, {at(20), at(21)}})
	if want := []outage{{at(1), at(5)}, {at(8), at(13)}, {at(20), at(21)}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestOneStoredRunForTwoRealOnesIsMerged(t *testing.T) {
	begin := time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	a := fleet.Truth{Machine: "f", Start: begin, End: begin.Add(time.Minute), Metres: 1}
	b := fleet.Truth{Machine: "f", Start: begin.Add(2 * time.Minute), End: begin.Add(3 * time.Minute), Metres: 1}
	one := map[string]storedRun{"f/1": {Run: &wire.Run{Machine: "f", ID: "1", State: fact.RunClosed,
		Start: wire.At(a.Start), End: wire.At(b.End)}}}
	got, problems := compareRuns([]fleet.Truth{a, b}, []fleet.Spec{{ID: "f"}}, one,
		func(fleet.Spec) []outage { return nil })
	if got.Merged != 1 || !slices.Contains(problems, "1 is stored for 2 real runs") {
		t.Errorf("%+v %q", got, problems)
	}
}
