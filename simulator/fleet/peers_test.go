package fleet

import (
	"math"
	"testing"
	"time"

	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// A peer does its work as the others do, and misbehaves.
func TestPeersMisbehave(t *testing.T) {
	all := map[Fault]int{}
	for _, s := range Peers(&world.New(1).Sites) {
		all[s.Fault]++
		m := newModel(s, times)
		last, back, silent, flewOn := m.read().volume, 0, false, false
		simulate(m, 110*time.Second, func(x instruments) {
			if x.volume < last {
				back++
			}
			last = x.volume
			silent = silent || x.silent
			flewOn = flewOn || x.speed == homeSpeed && !x.command
		})
		truth := m.truth()
		if len(truth) < 1 || math.Abs(truth[0].Litres-s.FlowLPM/2) > 0.05 ||
			math.Abs(truth[0].Metres-30*s.Speed) > 0.5 {
			t.Errorf("%s: %v", s.ID, truth)
		}
		if (back > 0) != (s.Fault == FaultBack || s.Fault == FaultFlicker) || silent != (s.Fault == FaultDies) ||
			flewOn != (s.Fault == FaultHome) {
			t.Errorf("%s (%s): %d times back, silent %v, flew on %v", s.ID, s.Fault, back, silent, flewOn)
		}
	}
	if len(all) != 8 {
		t.Errorf("the peers' faults are %v", all)
	}
}

func TestReportsComeLateTwiceAndByWrongClocks(t *testing.T) {
	now := time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
	for fault, want := range map[Fault]struct {
		count, distinct, backward int
		first                     time.Time // zero: none
	}{
		FaultNone:   {40, 40, 0, now},
		FaultLate:   {40, 40, 5, now},
		FaultRepeat: {44, 40, 4, time.Time{}},
		FaultSlow:   {40, 40, 0, now.Add(-16 * time.Minute)},
		FaultClock:  {40, 40, 0, now.Add(-20 * 365 * 24 * time.Hour)},
	} {
		m := newModel(Spec{ID: "f", Language: JSON, Fault: fault, FlowLPM: 8, Mission: spot(35.9, 115.1, 60)}, times)
		m.metered = 100
		r := &reporter{model: m}
		count, backward, last := 0, 0, 0.0
		seen := map[string]bool{}
		for i := range 40 {
			at := now.Add(time.Duration(i) * time.Second)
			m.step(at, time.Second)
			m.metered += 0.001 // each report differs
			for _, msg := range r.messages(at) {
				w, err := wire.Decode[wire.Report](msg.Payload)
				if err != nil {
					t.Fatal(err)
				}
				if count == 0 && (want.first.IsZero() != (w.At == nil) || w.At != nil && !w.At.Equal(want.first)) {
					t.Errorf("%s: the first is of %v, want %v", fault, w.At, want.first)
				}
				if *w.Volume < last {
					backward++
				}
				count, last, seen[string(msg.Payload)] = count+1, *w.Volume, true
			}
		}
		if count != want.count || len(seen) != want.distinct || backward != want.backward {
			t.Errorf("%s: %d reports, %d distinct, %d backward, want %+v", fault, count, len(seen), backward, want)
		}
	}
}
