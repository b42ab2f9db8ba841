package gate

import (
	"errors"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Somebody whom the guard has picked, without a card, and who has no fever any more, is told
// so once, also when no card comes. That the same person is seen a little warmer is told when
// it is over.
func TestWhoIsPickedWithoutACardIsToldOnce(t *testing.T) {
	for warmer, more := range map[string][]string{"": nil,
		"10:04 west 36.7 higher": {"refuse no-card [2 3] check-identity amends e1:cleared"}} {
		p := newPost(twice(t))
		for _, line := range []string{"0:00 east 38.4", "10:01 pick 1 at west", "10:02 west 36.5", warmer, "10:40"} {
			if line != "" {
				p.do(t, line)
			}
		}
		want := append([]string{"fever fever [1] wait ALARM e1:opened",
			"refuse normal+no-card [2] check-identity e1:cleared"}, more...)
		if got := briefs(p.events); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// An override counts at the time by which the gate judges, also where no rule asked for one.
func TestAnOverrideSaysWhenItCounts(t *testing.T) {
	d := newDay(t)
	for _, withTime := range []bool{true, false} {
		d.synced = withTime
		d.gate.SetSynchronised(d.now, d.synced)
		known := d.now.Wall
		if !d.synced {
			d.now.Wall = d.now.Wall.Add(-1000 * time.Hour) // what a clock shows that lost its battery
		}
		p := wire.Passage{Verdict: fact.VerdictRefuse, Reasons: []fact.Reason{fact.ReasonUnknownCard},
			Credential: "X", Readings: []uint64{1}, Basis: &wire.Basis{Rule: "default"}}
		e, err := d.gate.Override(d.now, p, "east-1", "known")
		if err != nil || e.Passage.Basis.At == nil || !e.Passage.Basis.At.Equal(known) || p.Basis.At != nil {
			t.Errorf("synchronised %v: %+v, %v", withTime, e.Passage.Basis, err)
		}
	}
	p := wire.Passage{Verdict: fact.VerdictRefuse, Reasons: []fact.Reason{fact.ReasonNoCard}, Readings: []uint64{1}}
	if e, err := d.gate.Override(d.now, p, "east-1", "known"); err != nil || e.Passage.Basis != nil {
		t.Errorf("without a card: %+v, %v", e.Passage.Basis, err)
	}
}

// Who waits for a second measurement is not let pass by an override of what was refused
// before; who has passed before can still be stopped.
func TestNobodyIsLetPassWithAnOpenEpisode(t *testing.T) {
	r := twice(t)
	r.Overrides = overridable(fact.VerdictRefuse, fact.VerdictPass)
	p := newPost(r)
	for _, line := range []string{"0:00 east card A1", "0:01 east 38.4"} {
		p.do(t, line)
	}
	earlier := wire.Passage{Credential: "A1", Readings: []uint64{90}, Reasons: []fact.Reason{fact.ReasonQuota}}
	for verdict, want := range map[fact.Verdict]error{fact.VerdictRefuse: ErrNever, fact.VerdictPass: nil} {
		earlier.Verdict = verdict
		if _, err := p.gate.Override(moment(60), earlier, "east-1", "known"); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", verdict, err, want)
		}
	}
}

// Whom a guard has let pass is gone: no value is entered for their earlier visits.
func TestNoValueIsEnteredForWhoWasLetPass(t *testing.T) {
	d := newDay(t)
	var taps []uint64
	for range 2 {
		d.observe(wire.Reading{Device: "r1", Type: fact.ReadingCard, Credential: "A1", Direction: "out"})
		taps = append(taps, d.seq)
		d.now = d.now.Add(10 * time.Second)
		for _, e := range d.gate.Tick(d.now) {
			d.passages = append(d.passages, Earlier{Passage: &e.Passage})
		}
	}
	if err := d.gate.Enterable(d.now, "1", taps[:1]); err != nil {
		t.Fatal(err)
	}
	if _, err := d.override("known"); err != nil {
		t.Fatal(err)
	}
	if err := d.gate.Enterable(d.now, "1", taps[:1]); !errors.Is(err, ErrTooLate) {
		t.Errorf("%v, want %v", err, ErrTooLate)
	}
}

// Of two people in a lane, one without a card, the card's owner is the one who was high.
func TestAHighValueWithoutACardIsOfWhoWasHighBefore(t *testing.T) {
	var m meters
	for i, c := range []struct {
		card string
		want bool
	}{{"A", false}, {"", true}, {"B", false}, {"A", true}} {
		p := highPassage("", c.card)
		if got := m.again(time.Hour, &p); got != c.want {
			t.Errorf("passage %d of %q: %v", i, c.card, got)
		}
	}
}

// Soon after a boot a value of the boot before is not taken for one of now.
func TestHighBeforeABootIsNotHighTwice(t *testing.T) {
	g := usualGate(t, 20)
	p := highPassage("", resident)
	p.Readings = []uint64{1}
	g.Remember(Earlier{At: moment(0).Wall, Synchronised: true, Passage: &p})
	at := clock.Moment{Wall: moment(0).Wall, Boot: time.Minute}
	g.Observe(at, 2, wire.Reading{Device: "r", Type: fact.ReadingCard, Credential: resident})
	events := g.Observe(at, 3, wire.Reading{Device: "t", Type: fact.ReadingTemperature,
		Temperature: temperature(0, 3710).t})
	if len(events) != 1 || events[0].Passage.Instruction != fact.InstructMeasureAgain {
		t.Errorf("%+v", events)
	}
}

// A wait that began in an earlier boot, by a clock that was not known to be right, begins
// anew with the first record of this one, and not once more when the agent restarts.
func TestAWaitOfBeforeBeginsWithThisBoot(t *testing.T) {
	g := New(Config{Rules: twice(t), Zone: time.UTC, Lanes: []Lane{{}}})
	step := &wire.EpisodeStep{ID: "e2", Step: fact.EpisodeOpened, First: 3840, Since: wire.At(moment(0).Wall),
		Ready: wire.At(moment(600).Wall), Until: wire.At(moment(7200).Wall)}
	g.Remember(Earlier{At: moment(0).Wall, Passage: &wire.Passage{Verdict: fact.VerdictFever, Credential: "A1",
		Readings: []uint64{1, 2}, Episode: step}})
	g.Remember(Earlier{At: moment(1).Wall})
	g.Remember(Earlier{At: moment(2).Wall, Boot: time.Minute})
	g.SetSynchronised(clock.Moment{Wall: moment(3).Wall, Boot: 5 * time.Minute}, false)
	if all := g.Episodes(); len(all) != 1 || all[0].Ready != 11*time.Minute {
		t.Errorf("%+v", all)
	}
}
