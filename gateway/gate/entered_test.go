package gate

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func showed(code string) wire.Reading {
	return wire.Reading{Device: "r", Type: fact.ReadingCard, Credential: code, Direction: fact.DirectionIn}
}

func measured(c fact.Temp, ambient fact.Temp) wire.Reading {
	t := &wire.Temperature{Object: c, Screening: c, Ambient: ambient, RatedMin: 16_00, RatedMax: 35_00, Settled: true}
	return wire.Reading{Device: "t", Type: fact.ReadingTemperature, Temperature: t}
}

func byHand(c fact.Temp, of ...uint64) wire.Reading {
	return wire.Reading{Device: "contact", Type: fact.ReadingEntered,
		Entered: &wire.Entered{Value: c, With: fact.HandHeldContact, Of: of}}
}

// play gives readings to the gate a second apart; their seqs count from 1.
func play(g *Gate, readings ...wire.Reading) (events []Event) {
	for i, r := range readings {
		events = append(events, g.Observe(moment(float64(i)), uint64(i+1), r)...)
	}
	return events
}

func verdicts(events []Event) (out []fact.Verdict) {
	for _, e := range events {
		out = append(out, e.Passage.Verdict)
	}
	return out
}

const (
	passes  = fact.VerdictPass
	invalid = fact.VerdictInvalid
	fever   = fact.VerdictFever
	retest  = fact.VerdictRetest
	refuse  = fact.VerdictRefuse
)

func TestAnEnteredValueIsJudgedForThePersonItIsOf(t *testing.T) {
	cold := measured(33_40, 4_00)
	type (
		rs = []wire.Reading
		vs = []fact.Verdict
	)
	for name, c := range map[string]struct {
		readings []wire.Reading
		want     []fact.Verdict
	}{
		"the card was invalid":           {rs{showed(resident), cold, byHand(36_60, 1)}, vs{invalid, passes}},
		"named by its measurement":       {rs{showed(resident), cold, byHand(36_60, 2)}, vs{invalid, passes}},
		"cold first, then the card":      {rs{cold, byHand(36_60, 1), showed(resident)}, vs{invalid, passes}},
		"cold, the card, then the value": {rs{cold, showed(resident), byHand(36_60, 2)}, vs{invalid, passes}},
		"a card that waits":              {rs{showed(resident), byHand(36_60, 1)}, vs{passes}},
		"the value before the card":      {rs{byHand(36_60), showed(resident)}, vs{passes}},
		"a fever by hand":                {rs{showed(resident), cold, byHand(38_60, 1)}, vs{invalid, fever}},
		"a fever without a card":         {rs{byHand(38_60)}, vs{fever}},
		"too cold by hand":               {rs{showed(resident), byHand(34_50, 1)}, vs{invalid}},
		"too cold, then once more": {rs{showed(resident), byHand(34_50, 1), byHand(36_60, 1)},
			vs{invalid, passes}},
		"a lost card": {rs{showed(lost), byHand(36_60, 1)}, vs{refuse, refuse}},
		"a measured fever stays": {rs{showed(resident), measured(38_60, 20_00), byHand(36_60, 1)},
			vs{fever}},
		"somebody else is in the lane": {rs{showed(resident), cold, showed(visitor), byHand(36_60, 1)},
			vs{invalid}},
		"for nobody, while somebody waits": {rs{showed(resident), byHand(36_60)}, nil},
		"has passed already": {rs{showed(resident), byHand(36_60, 1), byHand(36_60, 1)},
			vs{passes}},
		"passed in another visit": {rs{showed(resident), cold, showed(resident), measured(36_60, 20_00),
			byHand(36_60, 1)}, vs{invalid, passes}},
		"two people":    {rs{showed(resident), showed(visitor), byHand(36_60, 1)}, vs{retest, retest}},
		"never was one": {rs{byHand(36_60, 99)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			events := play(newGate(t), c.readings...)
			if got := verdicts(events); !slices.Equal(got, c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			for _, e := range events {
				if (e.Passage.Verdict == fever) != e.Alarm {
					t.Errorf("%s: alarm %t", e.Passage.Verdict, e.Alarm)
				}
			}
		})
	}
}

func TestAnEnteredValueAmendsAndKeepsWhatWasMeasured(t *testing.T) {
	events := play(newGate(t), showed(resident), measured(33_40, 4_00), byHand(36_60, 1))
	p := events[1].Passage
	if !p.Amends || !slices.Equal(p.Readings, []uint64{1, 2, 3}) || p.Temperature.Screening != 33_40 ||
		p.Entered == nil || p.Entered.Value != 36_60 || *p.Screening() != 36_60 || p.Instruction != fact.InstructGo {
		t.Errorf("%+v", p)
	}
}

// A thermometer that is broken keeps nobody out who was measured by hand.
func TestAGateWithoutAThermometerPassesByHand(t *testing.T) {
	g := newGate(t)
	g.SetWorks("t", false)
	got := verdicts(play(g, showed(resident), byHand(36_60, 1), byHand(36_60), showed(resident2)))
	if want := []fact.Verdict{retest, passes, passes}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAValueIsEnteredInTime(t *testing.T) {
	for name, c := range map[string]struct {
		after float64
		want  error
	}{"a minute later": {60, nil}, "just in time": {600, nil}, "too late": {600.001, ErrTooLate}} {
		g := newGate(t)
		g.Observe(moment(0), 1, showed(resident))
		g.Observe(moment(1), 2, measured(33_40, 4_00))
		if err := g.Enterable(moment(c.after), "", []uint64{1}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	g := newGate(t)
	for i := range uint64(heldMost + 1) { // the oldest is forgotten, the next is not
		g.Observe(moment(float64(i)), 10+i, measured(33_40, 4_00))
	}
	if err := g.Enterable(moment(20), "", []uint64{10}); !errors.Is(err, ErrTooLate) {
		t.Error(err)
	}
	if err := g.Enterable(moment(20), "", []uint64{11}); err != nil {
		t.Error(err)
	}
}

func TestWhyAValueIsNotTaken(t *testing.T) {
	for name, c := range map[string]struct {
		readings []wire.Reading
		of       []uint64
		lane     string
		want     error
	}{
		"another lane":  {nil, nil, "west", ErrTooLate},
		"mixed":         {[]wire.Reading{showed(resident), showed(visitor)}, []uint64{1}, "", ErrMixed},
		"mixed, nobody": {[]wire.Reading{showed(resident), showed(visitor)}, nil, "", ErrMixed},
		"occupied":      {[]wire.Reading{showed(resident)}, nil, "", ErrOccupied},
		"fever":         {[]wire.Reading{measured(38_60, 20_00)}, []uint64{1}, "", ErrFever},
		"free":          {nil, nil, "", nil},
	} {
		g := newGate(t)
		play(g, c.readings...)
		if err := g.Enterable(moment(5), c.lane, c.of); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	g := New(Config{Rules: rules(t), Zone: time.UTC, Lanes: []Lane{{Readers: []string{"r"}}}})
	if err := g.Enterable(moment(0), "", nil); !errors.Is(err, ErrNotMeasured) {
		t.Error(err)
	}
}

// Whatever happens, nobody passes on a value that can't be judged, each entry lets at
// most one person pass, and the same readings give the same verdicts.
func TestNobodyPassesOnAnInvalidEntry(t *testing.T) {
	r := rules(t)
	rapid.Check(t, func(rt *rapid.T) {
		lane := []Lane{{Measures: true, Thermometers: []string{"t"}, Readers: []string{"r"}}}
		cfg := Config{Rules: r, Zone: time.UTC, Lanes: lane}
		g, again := New(cfg), New(cfg)
		passed := map[uint64]bool{}
		now := 0.0
		for seq := uint64(1); seq <= 30; seq++ {
			now += rapid.Float64Range(0, 10).Draw(rt, "wait")
			reading := rapid.OneOf(
				rapid.Map(rapid.SampledFrom([]string{resident, resident2, visitor, lost, stranger}), showed),
				rapid.Map(rapid.SampledFrom([]fact.Temp{33_40, 36_60, 38_00}), func(c fact.Temp) wire.Reading {
					return measured(c, 20_00)
				}),
				rapid.Custom(func(rt *rapid.T) wire.Reading {
					value := fact.Temp(rapid.Int32Range(34_00, 42_90).Draw(rt, "value"))
					return byHand(value, rapid.SliceOfN(rapid.Uint64Range(1, seq), 0, 1).Draw(rt, "of")...)
				})).Draw(rt, "reading")
			events := g.Observe(moment(now), seq, reading)
			if !slices.EqualFunc(events, again.Observe(moment(now), seq, reading), sameEvent) {
				rt.Fatal("the same readings give other verdicts")
			}
			for _, e := range events {
				p := e.Passage
				if p.Verdict != passes {
					continue
				}
				if c := p.Screening(); c == nil || *c < 35_00 || *c >= 37_30 || p.Credential == "" {
					rt.Fatalf("passed on %v: %+v", c, p)
				}
				for _, s := range p.Readings {
					if passed[s] {
						rt.Fatalf("reading %d lets pass twice", s)
					}
					passed[s] = true
				}
			}
		}
	})
}

func sameEvent(a, b Event) bool {
	return a.Alarm == b.Alarm && a.Passage.Verdict == b.Passage.Verdict &&
		slices.Equal(a.Passage.Readings, b.Passage.Readings)
}

// Each lane has its own people: a value goes to the lane that was chosen, or to that of
// the person it is of.
func TestAValueIsEnteredInItsLane(t *testing.T) {
	g := New(Config{Rules: rules(t), Zone: time.UTC, Lanes: []Lane{
		{Name: "west", Measures: true, Thermometers: []string{"t"}, Readers: []string{"r"}},
		{Name: "east", Measures: true, Thermometers: []string{"t2"}, Readers: []string{"r2"}}}})
	east := showed(resident2)
	east.Device = "r2"
	chosen := byHand(36_70)
	chosen.Lane = "west"
	events := play(g, east, chosen, showed(resident), byHand(36_60, 1))
	if got := verdicts(events); !slices.Equal(got, []fact.Verdict{passes, passes}) {
		t.Fatalf("%+v", events)
	}
	west, other := events[0].Passage, events[1].Passage
	if west.Lane != "west" || other.Lane != "east" || other.Credential != resident2 {
		t.Errorf("%+v", events)
	}
	if !slices.Contains(events[0].Passage.Reasons, fact.ReasonEntered) {
		t.Errorf("reasons %v do not say that it was entered", events[0].Passage.Reasons)
	}
}

// The first and the last value that is judged one way.
func TestTheEdgesOfAnEnteredValue(t *testing.T) {
	for value, want := range map[fact.Temp]fact.Verdict{34_99: invalid, 35_00: passes, 37_29: passes, 37_30: fever} {
		if got := verdicts(play(newGate(t), showed(resident), byHand(value, 1))); !slices.Equal(got,
			[]fact.Verdict{want}) {
			t.Errorf("%s: %v, want %s", value, got, want)
		}
	}
}

// A value entered before the card joins what was measured before, and takes nothing away
// from others who were sent back.
func TestAnEnteredValueJoinsOneVisit(t *testing.T) {
	g := newGate(t)
	play(g, measured(33_40, 20_00), measured(33_60, 20_00), byHand(36_60, 1))
	events := g.Observe(moment(3), 4, showed(resident))
	if len(events) != 1 || !slices.Equal(events[0].Passage.Readings, []uint64{1, 3, 4}) ||
		events[0].Passage.Temperature == nil || events[0].Passage.Temperature.Screening != 33_40 {
		t.Fatalf("%+v", events)
	}
	if err := g.Enterable(moment(4), "", []uint64{2}); err != nil {
		t.Errorf("the other one who was sent back: %v", err)
	}
}
