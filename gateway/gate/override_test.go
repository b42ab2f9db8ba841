package gate

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// overridable are the overrides of the tests' policies.
func overridable(verdicts ...fact.Verdict) *policy.Overrides {
	return &policy.Overrides{Verdicts: verdicts, Reasons: []policy.OverrideReason{{Code: "known"},
		{Code: "medical", Emergency: true}}}
}

func TestWhichVerdictsAGuardMayDecideAgainst(t *testing.T) {
	all := overridable(fact.VerdictRefuse, fact.VerdictRetest, fact.VerdictInvalid, fact.VerdictPass)
	p := func(v fact.Verdict, reasons ...fact.Reason) wire.Passage {
		return wire.Passage{Verdict: v, Reasons: reasons, Readings: []uint64{1}}
	}
	over := func(v, against fact.Verdict, reasons ...fact.Reason) wire.Passage {
		x := p(v, reasons...)
		x.Override = &wire.Override{Guard: "east-1", Reason: "known", Against: against}
		return x
	}
	for name, c := range map[string]struct {
		rules   *policy.Overrides
		passage wire.Passage
		reason  string
		want    error
	}{
		"no overrides":       {nil, p(fact.VerdictRefuse, fact.ReasonQuota), "known", ErrNoOverride},
		"a refusal":          {all, p(fact.VerdictRefuse, fact.ReasonQuota), "known", nil},
		"an invalid value":   {all, p(fact.VerdictInvalid, fact.ReasonTooCold), "known", nil},
		"stop":               {all, p(fact.VerdictPass, fact.ReasonNormal), "known", nil},
		"not listed":         {overridable("retest"), p(fact.VerdictRefuse, fact.ReasonQuota), "known", ErrNoOverride},
		"no stopping":        {overridable("refuse"), p(fact.VerdictPass, fact.ReasonNormal), "known", ErrNoOverride},
		"another reason":     {all, p(fact.VerdictRefuse, fact.ReasonQuota), "because", ErrNoReason},
		"no reason":          {all, p(fact.VerdictRefuse, fact.ReasonQuota), "", ErrNoReason},
		"a fever":            {all, p(fact.VerdictFever, fact.ReasonFever), "medical", ErrNever},
		"a fever, told else": {all, p(fact.VerdictRetest, fact.ReasonFever), "medical", ErrNever},
		"a forged pass":      {all, p(fact.VerdictRefuse, fact.ReasonPassForged), "medical", ErrNever},
		"a confirmed fever":  {all, p(fact.VerdictRefuse, fact.ReasonFeverConfirmed), "medical", ErrNever},
		"an open episode": {all, wire.Passage{Verdict: fact.VerdictRetest, Reasons: []fact.Reason{"x"},
			Episode: &wire.EpisodeStep{Step: fact.EpisodeEarly}}, "medical", ErrNever},
		"a cleared episode": {all, wire.Passage{Verdict: fact.VerdictRefuse, Reasons: []fact.Reason{"x"},
			Episode: &wire.EpisodeStep{Step: fact.EpisodeCleared}}, "medical", nil},
		"several people":     {all, p(fact.VerdictRetest, fact.ReasonOneAtATime), "known", ErrNobody},
		"a sealed household": {all, p(fact.VerdictRefuse, fact.ReasonSealed), "known", ErrSealedHouse},
		"an emergency":       {all, p(fact.VerdictRefuse, fact.ReasonSealed), "medical", nil},
		"stopped, let go again": {overridable("pass"), over(fact.VerdictRefuse, fact.VerdictPass, fact.ReasonStopped),
			"known", nil},
		"let pass, stopped again": {overridable("refuse"), over(fact.VerdictPass, fact.VerdictRefuse, "let-pass"),
			"known", nil},
		"let pass, stopped, let pass": {all, over(fact.VerdictRefuse, fact.VerdictRefuse, fact.ReasonSealed), "known",
			ErrSealedHouse},
	} {
		if err := Overridable(c.rules, c.passage, c.reason); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func newDay(t interface{ Fatal(...any) }) *day {
	d := &day{rules: closed(t), synced: true,
		now: clock.Moment{Wall: time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC), Boot: time.Hour}}
	d.rules.Overrides = overridable(fact.VerdictRefuse, fact.VerdictRetest, fact.VerdictInvalid, fact.VerdictPass)
	d.restart()
	return d
}

// override decides against the newest passage as a guard does.
func (d *day) override(reason string) (wire.Passage, error) {
	p := *d.passages[len(d.passages)-1].Passage
	e, err := d.gate.Override(d.now, p, "east-1", reason)
	if err == nil {
		d.passages = append(d.passages, Earlier{At: d.now.Wall, Synchronised: d.synced, Boot: d.now.Boot,
			Passage: &e.Passage})
	}
	return e.Passage, err
}

func TestWhoWasLetOutIsOut(t *testing.T) {
	d := newDay(t)
	for _, step := range []struct {
		card string
		way  fact.Direction
		want fact.Verdict
	}{{"A1", "out", fact.VerdictPass}, {"A2", "out", fact.VerdictRefuse}} {
		out := d.come("1", step.card, step.way, 3650)
		if got := out[len(out)-1].Verdict; got != step.want {
			t.Fatalf("%s %s: %s", step.card, step.way, got)
		}
	}
	readings := d.passages[len(d.passages)-1].Passage.Readings
	p, err := d.override("known")
	if err != nil || p.Verdict != fact.VerdictPass || p.Instruction != fact.InstructGo || !p.Amends ||
		!slices.Equal(p.Reasons, []fact.Reason{fact.ReasonLetPass, fact.ReasonQuota}) ||
		!slices.Equal(p.Readings, readings) || p.Basis.At == nil || !p.Basis.At.Equal(d.now.Wall) ||
		*p.Override != (wire.Override{Guard: "east-1", Reason: "known", Against: fact.VerdictRefuse}) {
		t.Fatalf("%+v, %v", p, err)
	}
	tap := wire.Reading{Device: "r1", Type: fact.ReadingCard, Credential: "A2", Direction: "out"}
	if out := d.observe(tap); len(out) != 0 || len(d.gate.Prompts()) != 0 {
		t.Errorf("who has just been let pass is asked again: %+v", out)
	}
	d.now = d.now.Add(time.Minute)
	for _, restart := range []bool{false, true} {
		if restart {
			d.restart()
		}
		if out := d.come("2", "A2", "out", 3650); out[0].Reasons[0] != fact.ReasonPassback {
			t.Errorf("restart %t: out once more: %v", restart, out[0].Reasons)
		}
		d.now = d.now.Add(time.Minute)
	}
	if out := d.come("1", "A2", "in", 3650); out[0].Verdict != fact.VerdictPass {
		t.Errorf("home again: %+v", out[0])
	}
}

func TestWhoWasStoppedHasNotPassed(t *testing.T) {
	d := newDay(t)
	d.come("1", "A1", "out", 3650)
	p, err := d.override("known")
	if err != nil || p.Verdict != fact.VerdictRefuse || p.Instruction != fact.InstructTurnAway ||
		!slices.Equal(p.Reasons, []fact.Reason{fact.ReasonStopped, fact.ReasonNormal}) {
		t.Fatalf("%+v, %v", p, err)
	}
	// The household has its exit left, and the card may be tapped again at once.
	if out := d.come("1", "A1", "out", 3650); len(out) != 1 || out[0].Verdict != fact.VerdictPass {
		t.Errorf("out again: %+v", out)
	}
	if p, err = d.override("medical"); err != nil {
		t.Fatal(err)
	}
	p, err = d.override("known")
	if err != nil || p.Verdict != fact.VerdictPass || p.Override.Against != fact.VerdictPass ||
		!slices.Equal(p.Reasons, []fact.Reason{fact.ReasonLetPass, fact.ReasonNormal}) {
		t.Errorf("let go after all: %+v, %v", p, err)
	}
}

// A measurement that follows belongs to somebody else.
func TestAnOverrideEndsTheVisit(t *testing.T) {
	d := newDay(t)
	d.come("1", "A1", "out", 3650)
	d.now = d.now.Add(10 * time.Second)
	d.observe(wire.Reading{Device: "r1", Type: fact.ReadingCard, Credential: "A2", Direction: "out"})
	if _, err := d.override("medical"); err != nil {
		t.Fatal(err)
	}
	out := d.observe(wire.Reading{Device: "t1", Type: fact.ReadingTemperature, Temperature: temperature(0, 3840).t})
	if len(out) != 1 || out[0].Credential != "" || out[0].Amends {
		t.Errorf("%+v", out)
	}
}

// Whatever guards decide against: after restarts the gate decides as if there had been
// none, and nobody with a fever passes.
func TestReplayEqualsRecordWithOverrides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, never := newDay(t), newDay(t)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			d.now = d.now.Add(time.Duration(rapid.IntRange(10, 8*3600).Draw(t, "seconds")) * time.Second)
			never.now = d.now
			if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				d.restart()
			}
			card := rapid.SampledFrom([]string{"A1", "A2", "B1", "E1"}).Draw(t, "card")
			way := rapid.SampledFrom([]fact.Direction{fact.DirectionIn, fact.DirectionOut}).Draw(t, "way")
			screening := fact.Temp(rapid.SampledFrom([]int{3390, 3650, 3650, 3840}).Draw(t, "screening"))
			got, want := d.come("1", card, way, screening), never.come("1", card, way, screening)
			for range rapid.IntRange(0, 2).Draw(t, "overrides") {
				a, err1 := d.override("known")
				b, err2 := never.override("known")
				fever := got[len(got)-1].Verdict == fact.VerdictFever
				if fever == (err1 == nil) || !errors.Is(err1, err2) {
					t.Fatalf("%v, %v", err1, err2)
				}
				if err1 == nil {
					got, want = append(got, a), append(want, b)
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("after restarts: %+v\nwithout:        %+v", got, want)
			}
		}
	})
}
