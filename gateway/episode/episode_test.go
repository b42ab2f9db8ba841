package episode

import (
	"reflect"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

var (
	rules = policy.Episode{Wait: 10 * time.Minute, Expires: 2 * time.Hour}
	start = time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
)

// after returns a moment so long after the first reading.
func after(d time.Duration) clock.Moment {
	return clock.Moment{Wall: start.Add(d), Boot: time.Hour + d}
}

func with(s policy.Second) policy.Episode {
	r := rules
	r.Second = s
	return r
}

var (
	wang  = Person{Credential: "wang", Class: "resident", Lane: "east", Direction: fact.DirectionIn}
	alone = Person{Lane: "east"}
)

// at makes a measurement of the thermometer "t".
func at(seq uint64, f Finding, value fact.Temp) Evidence {
	return Evidence{Reading: seq, Finding: f, Value: value, With: "t"}
}

func other(e Evidence) Evidence { e.With = "u"; return e }

func contact(e Evidence) Evidence { e.With, e.Contact = "contact", true; return e }

// opened returns a book with an episode e1 of somebody.
func opened(t *testing.T, r policy.Episode, p Person) *Book {
	t.Helper()
	b := New(r)
	e, step, fresh := b.Judge(after(0), "", p, at(1, Fever, 38_40))
	want := Episode{Person: p, ID: "e1", First: 38_40, With: "t", Since: start, State: fact.EpisodeOpened,
		Ready: time.Hour + 10*time.Minute, Until: 3 * time.Hour}
	if step != fact.EpisodeOpened || !fresh || !reflect.DeepEqual(e, want) {
		t.Fatalf("%+v %s %t", e, step, fresh)
	}
	return b
}

type settled struct {
	second policy.Second
	after  time.Duration
	e      Evidence
	step   fact.EpisodeStep
	fresh  bool
	state  fact.EpisodeStep // empty: it is over
}

func settlements() map[string]settled {
	const (
		began, none = fact.EpisodeOpened, fact.EpisodeUnjudged
		hand, sure  = fact.EpisodeContact, fact.EpisodeConfirmed
	)
	const early, ready = 10*time.Minute - 1, 10 * time.Minute
	normal, fever, high, unjudged := at(
		9,
		Normal,
		36_50,
	), at(
		9,
		Fever,
		38_00,
	), at(
		9,
		High,
		37_10,
	), at(
		9,
		Unjudged,
		33_40,
	)
	return map[string]settled{

		"normal, too early":             {"", early, other(normal), fact.EpisodeEarly, false, began},
		"a fever, too early":            {"", early, other(fever), fact.EpisodeEarly, false, began},
		"high, too early":               {"", early, high, fact.EpisodeEarly, false, began},
		"not judged, too early":         {"", early, unjudged, none, false, began},
		"contact normal, at once":       {"", 0, contact(normal), fact.EpisodeCleared, true, ""},
		"contact fever, at once":        {"", 0, contact(fever), sure, true, sure},
		"contact too low":               {"", 0, contact(unjudged), none, false, began},
		"contact, only contact counts":  {policy.SecondContact, ready, contact(normal), fact.EpisodeCleared, true, ""},
		"a fever, in time":              {"", ready, fever, sure, true, sure},
		"a fever of another device":     {"", ready, other(fever), sure, true, sure},
		"a fever, only contact counts":  {policy.SecondContact, ready, fever, sure, true, sure},
		"normal, the same device":       {"", ready, normal, hand, true, hand},
		"normal, the same, said":        {policy.SecondOther, ready, normal, hand, true, hand},
		"normal, another device":        {"", ready, other(normal), fact.EpisodeCleared, true, ""},
		"normal, another, said":         {policy.SecondOther, ready, other(normal), fact.EpisodeCleared, true, ""},
		"normal, any counts":            {policy.SecondAny, ready, normal, fact.EpisodeCleared, true, ""},
		"normal, only contact counts":   {policy.SecondContact, ready, other(normal), hand, true, hand},
		"high again":                    {policy.SecondAny, ready, high, hand, true, hand},
		"high again, of another device": {"", ready, other(high), hand, true, hand},
		"not judged, in time":           {"", ready, unjudged, none, false, began},
	}
}

func TestASecondMeasurementSettlesIt(t *testing.T) {
	for name, c := range settlements() {
		t.Run(name, func(t *testing.T) {
			b := opened(t, with(c.second), wang)
			e, step, fresh := b.Judge(after(c.after), "", wang, c.e)
			if step != c.step || fresh != c.fresh || e.ID != "e1" || e.First != 38_40 {
				t.Errorf("%+v %s %t", e, step, fresh)
			}
			x, open := b.Of("wang")
			if open != (c.state != "") || x.State != c.state {
				t.Errorf("open %t, %s", open, x.State)
			}
		})
	}
}

func TestWhatOpensNoEpisode(t *testing.T) {
	b := New(rules)
	for _, e := range []Evidence{
		at(1, High, 37_10), at(1, Normal, 36_50), at(1, Unjudged, 33_00), contact(at(1, Normal, 36_50)),
		contact(at(1, High, 37_10))} {
		if _, step, fresh := b.Judge(after(0), "", wang, e); step != "" || fresh || len(b.All()) > 0 {
			t.Errorf("%+v: %s %t", e, step, fresh)
		}
	}
}

func TestAContactFeverIsConfirmedAtOnce(t *testing.T) {
	b := New(rules)
	e, step, fresh := b.Judge(after(0), "", alone, contact(at(1, Fever, 38_40)))
	if step != fact.EpisodeConfirmed || !fresh || e.ID != "e1" || e.With != "contact" {
		t.Errorf("%+v %s %t", e, step, fresh)
	}
	// The card that comes then names it.
	e, step, fresh = b.Judge(after(time.Second), "", wang, contact(at(1, Fever, 38_40)))
	if step != fact.EpisodeConfirmed || fresh || e.Person != wang {
		t.Errorf("%+v %s %t", e, step, fresh)
	}
}

func TestAConfirmedFeverHoldsUntilItsEnd(t *testing.T) {
	b := opened(t, with(policy.SecondAny), wang)
	b.Judge(after(11*time.Minute), "", wang, at(5, Fever, 38_00))
	for _, c := range []struct {
		e    Evidence
		step fact.EpisodeStep
	}{{at(6, Normal, 36_50), fact.EpisodeConfirmed}, {at(7, Unjudged, 33_00), fact.EpisodeConfirmed},
		{at(8, Fever, 38_00), fact.EpisodeConfirmed}, {at(1, Fever, 38_00), fact.EpisodeConfirmed},
		{other(at(9, Normal, 36_50)), fact.EpisodeConfirmed}} {
		if _, step, fresh := b.Judge(after(0), "", wang, c.e); step != c.step || fresh {
			t.Errorf("%+v: %s %t", c.e, step, fresh)
		}
	}
	if un := b.Lapse(after(2*time.Hour - 1)); len(un) > 0 || len(b.All()) != 1 {
		t.Errorf("%+v", un)
	}
	if un := b.Lapse(after(2 * time.Hour)); len(un) > 0 || len(b.All()) != 0 {
		t.Errorf("%+v", un) // it is settled: nobody must hear of it
	}
}

func TestTheFirstMeasurementOnceMore(t *testing.T) {
	b := opened(t, rules, alone)
	for _, c := range []struct {
		value, first fact.Temp
	}{{38_60, 38_60}, {38_00, 38_60}} {
		e, step, fresh := b.Judge(after(time.Second), "", wang, at(1, Fever, c.value))
		if step != fact.EpisodeOpened || fresh || e.First != c.first || e.Person != wang {
			t.Errorf("%+v %s %t", e, step, fresh)
		}
	}
	if all := b.All(); len(all) != 1 {
		t.Errorf("%+v", all)
	}
}

func TestWhoseEpisodeItIs(t *testing.T) {
	zhao := Person{Credential: "zhao", Lane: "west"}
	b := opened(t, rules, wang)
	b.Judge(after(0), "", alone, at(2, Fever, 38_00))
	b.Judge(after(0), "", alone, at(3, Fever, 38_10))
	if e, _, _ := b.Judge(after(time.Second), "e3", alone, at(9, Unjudged, 33_00)); e.ID != "e3" {
		t.Errorf("the picked one: %+v", e)
	}
	if e, _, _ := b.Judge(after(time.Second), "e3", zhao, at(9, Unjudged, 33_00)); e.ID != "e3" || e.Person != zhao {
		t.Errorf("named: %+v", e)
	}
	if e, _, _ := b.Judge(after(time.Second), "e2", wang, at(9, Unjudged, 33_00)); e.ID != "e1" || e.Person != wang {
		t.Errorf("the card goes first: %+v", e)
	}
	// Measured before the card: e4 is of somebody who has an episode.
	b.Judge(after(time.Minute), "", alone, at(4, Fever, 38_30))
	if e, step, _ := b.Judge(after(time.Minute), "", wang, at(4, Fever, 38_30)); e.ID != "e1" ||
		step != fact.EpisodeEarly {
		t.Errorf("%+v %s", e, step)
	}
	if _, open := b.Find("e4"); open || len(b.All()) != 3 {
		t.Errorf("%+v", b.All())
	}
	if _, found := b.Of(""); found {
		t.Error("nobody has a card that is none")
	}
}

func TestWhereSomebodyStands(t *testing.T) {
	b := opened(t, rules, wang)
	for _, c := range []struct {
		after time.Duration
		want  fact.EpisodeStep
	}{{0, fact.EpisodeEarly}, {10*time.Minute - 1, fact.EpisodeEarly}, {10 * time.Minute, fact.EpisodeDue}} {
		e, _ := b.Of("wang")
		if got := e.Stands(after(c.after)); got != c.want {
			t.Errorf("%s: %s", c.after, got)
		}
	}
	b.Judge(after(time.Minute), "", wang, contact(at(2, Fever, 38_00)))
	e, _ := b.Of("wang")
	if got := e.Stands(after(2 * time.Minute)); got != fact.EpisodeConfirmed {
		t.Error(got)
	}
}

func TestAnEpisodeEnds(t *testing.T) {
	b := opened(t, rules, wang)
	b.Judge(after(time.Minute), "", alone, at(2, Fever, 38_00))
	if next, ok := b.Next(); !ok || next != 3*time.Hour {
		t.Errorf("%s %t", next, ok)
	}
	if un := b.Lapse(after(2*time.Hour - 1)); len(un) > 0 {
		t.Errorf("%+v", un)
	}
	un := b.Lapse(after(2 * time.Hour))
	if len(un) != 1 || un[0].ID != "e1" || len(b.All()) != 1 {
		t.Errorf("%+v", un)
	}
	b.End("e2")
	if _, ok := b.Next(); ok || len(b.All()) > 0 {
		t.Error("nothing is left")
	}
	// What has ended does not begin again with the reading that opened it.
	if _, step, _ := b.Judge(after(2*time.Hour), "", wang, at(2, Fever, 38_00)); step != "" {
		t.Error(step)
	}
}

func TestTheOldestEndsWhenThereAreTooMany(t *testing.T) {
	b := New(rules)
	for i := range uint64(Most) {
		b.Judge(after(time.Duration(i)), "", alone, at(1+i, Fever, 38_00))
	}
	b.Judge(after(0), "e1", alone, contact(at(500, Fever, 38_00)))
	if un := b.Lapse(after(time.Minute)); len(un) > 0 || len(b.All()) != Most {
		t.Errorf("%d ended, %d are open", len(un), len(b.All()))
	}
	for i := range uint64(2) {
		b.Judge(after(time.Minute), "", alone, at(601+i, Fever, 38_00))
	}
	un := b.Lapse(after(time.Minute))
	if len(un) != 1 || un[0].ID != "e2" || len(b.All()) != Most { // e1 was settled
		t.Errorf("%d ended, %d are open", len(un), len(b.All()))
	}
	for i := range uint64(3 * Most) {
		b.Judge(after(time.Minute), "", wang, contact(at(1000+i, Fever, 38_00)))
		b.Judge(after(time.Minute), "", wang, contact(at(9000+i, Normal, 36_00)))
	}
	if len(b.ended) != Most {
		t.Errorf("%d that have ended are remembered", len(b.ended))
	}
}

func TestAStepOnTheWire(t *testing.T) {
	b := opened(t, rules, wang)
	e, _ := b.Of("wang")
	got := e.Wire(after(3*time.Minute), fact.EpisodeEarly)
	want := &wire.EpisodeStep{ID: "e1", Step: fact.EpisodeEarly, First: 38_40, With: "t", Since: wire.At(start),
		Ready: wire.At(start.Add(10 * time.Minute)), Until: wire.At(start.Add(2 * time.Hour))}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}
