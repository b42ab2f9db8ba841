package cases

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/wire"
)

// compare compares what was found with what is right.
func (want reported) compare(t *testing.T, found map[string]*wire.Run, reports []*wire.Track) {
	t.Helper()
	if want.Stored > 0 && len(reports) != want.Stored {
		t.Errorf("%d reports are stored, want %d", len(reports), want.Stored)
	}
	wrong := slices.ContainsFunc(reports, func(r *wire.Track) bool { return r.BadClock })
	if want.ClockWrong != nil && wrong != *want.ClockWrong {
		t.Errorf("clock_wrong: %t", wrong)
	}
	list := make([]*wire.Run, 0, len(found))
	for _, r := range found {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *wire.Run) int {
		return cmp.Or(a.Start.Compare(b.Start.Time), cmp.Compare(a.Machine, b.Machine))
	})
	if len(list) != len(want.Runs) {
		t.Errorf("%d runs, want %d", len(list), len(want.Runs))
		for _, r := range list {
			t.Log(line(r))
		}
		return
	}
	for i, r := range list {
		if fault := want.Runs[i].differs(r); fault != "" {
			t.Errorf("run %d: %s: %s", i, fault, line(r))
		}
	}
}

// differs returns what is wrong with a run.
func (want reportedRun) differs(r *wire.Run) string {
	const near = 2 * time.Second
	litres := 0.0
	on := r.CommandS
	if v := cmp.Or(r.MeterL, r.FlowL); v != nil {
		litres, on = *v, r.FlowS
	}
	switch {
	case want.Machine != "" && r.Machine != want.Machine:
		return "machine"
	case r.Start.Sub(epoch.Add(want.Start)).Abs() > near:
		return "begin"
	case r.End.Sub(epoch.Add(want.End)).Abs() > near:
		return "end"
	case math.Abs(litres-want.Litres) > 0.02*want.Litres+0.001:
		return "litres"
	case want.On > 0 && math.Abs(on-want.On) > near.Seconds():
		return "time on"
	case want.Grade != "" && r.Grade != want.Grade:
		return "grade"
	case string(r.State) != cmp.Or(want.State, "closed"):
		return "state"
	}
	return ""
}

func line(r *wire.Run) string {
	litres := "-"
	if v := cmp.Or(r.MeterL, r.FlowL); v != nil {
		litres = fmt.Sprintf("%.3f L", *v)
	}
	return fmt.Sprintf("%s %s to %s, %s, on %g s, gap %g s, %s %s %v", r.Machine, r.Start.Sub(epoch), r.End.Sub(epoch),
		litres, r.FlowS, r.GapS, r.State, r.Grade, r.Reasons)
}
