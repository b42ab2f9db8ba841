package gate

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// person has a card and a temperature of their own.
type person struct {
	card string
	t    *wire.Temperature
	lane int
}

// act is one thing that a person does.
type act struct {
	at  float64
	who int
	tap bool // or is measured
}

// lanes returns a gate with n lanes, each with a thermometer t0, t1 and a reader
// r0, r1.
func lanes(t *rapid.T, n int) *Gate {
	cfg := Config{Rules: rules(t), Zone: time.UTC}
	for i := range n {
		cfg.Lanes = append(cfg.Lanes, Lane{Name: fmt.Sprint("lane-", i), Measures: true,
			Thermometers: []string{fmt.Sprint("t", i)}, Readers: []string{fmt.Sprint("r", i)}})
	}
	return New(cfg)
}

func drawPeople(t *rapid.T, n, lanes int) []person {
	cards := []string{resident, resident2, visitor, stranger}
	var out []person
	for i := range n {
		screening := rapid.SampledFrom([]fact.Temp{3620, 3680, 3840, 3400}).Draw(t, "screening")
		out = append(out, person{card: cards[i], t: temperature(0, screening).t,
			lane: rapid.IntRange(0, lanes-1).Draw(t, "lane")})
	}
	return out
}

// open is the test's own account of what is open in a lane: a tap or a
// measurement is, until it was decided together with its counterpart, answered,
// or a pairing window old.
type open struct {
	act
	seq uint64
}

func (o open) is(now float64) bool { return now < o.at+8 }

// TestNobodyPassesOnAnothersTemperature plays people whose identity is known
// through every order of what they do.
func TestNobodyPassesOnAnothersTemperature(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 2).Draw(t, "lanes")
		people := drawPeople(t, rapid.IntRange(2, 4).Draw(t, "people"), n)
		var acts []act
		for range rapid.IntRange(1, 2).Draw(t, "rounds") {
			for i := range people {
				acts = append(acts, act{who: i, tap: true}, act{who: i})
			}
		}
		acts = rapid.Permutation(acts).Draw(t, "order")
		g := lanes(t, n)
		at := 0.0
		did := map[uint64]act{}
		passed := map[int]float64{} // by person: whoever passed may tap again at the barrier
		opened := make([][]open, n)
		for i, a := range acts {
			at += rapid.Float64Range(0, 10).Draw(t, "gap")
			a.at = at
			p, seq := people[a.who], uint64(i+1)
			did[seq] = a
			r := wire.Reading{Device: fmt.Sprint("t", p.lane), Type: fact.ReadingTemperature, Temperature: p.t}
			if a.tap {
				r = wire.Reading{Device: fmt.Sprint("r", p.lane), Type: fact.ReadingCard, Credential: p.card}
			}
			if last, ok := passed[a.who]; !a.tap || !ok || at-last >= passAgain.Seconds() {
				opened[p.lane] = append(opened[p.lane], open{a, seq})
			}
			for _, e := range g.Observe(moment(at), seq, r) {
				checkIdentity(t, e, people, did, opened, at)
				if e.Passage.Verdict == fact.VerdictPass {
					passed[slices.IndexFunc(people, func(x person) bool { return x.card == e.Passage.Credential })] = at
				}
				if e.Passage.Verdict == fact.VerdictFever && rapid.Bool().Draw(t, "answered") {
					g.Answered(e.Passage.Readings)
					if !slices.Contains(e.Passage.Reasons, fact.ReasonOneAtATime) {
						closeReadings(opened, e.Passage.Readings)
					}
				}
			}
		}
	})
}

func closeReadings(opened [][]open, readings []uint64) {
	for i := range opened {
		opened[i] = slices.DeleteFunc(opened[i], func(o open) bool { return slices.Contains(readings, o.seq) })
	}
}

// checkIdentity holds a decision against who the people are. What was decided
// with both halves is not open any more.
func checkIdentity(t *rapid.T, e Event, people []person, did map[uint64]act, opened [][]open, now float64) {
	p := e.Passage
	holder, measured := -1, -1
	for _, seq := range p.Readings {
		if a := did[seq]; a.tap {
			holder = a.who
		} else {
			measured = a.who
		}
	}
	if holder < 0 || measured < 0 {
		if p.Verdict == fact.VerdictPass {
			t.Fatalf("a pass without both: %s", brief(e))
		}
		if p.Temperature != nil && p.Credential != "" {
			t.Fatalf("whose is it? %s", brief(e))
		}
		if p.Verdict == fact.VerdictInvalid {
			closeReadings(opened, p.Readings) // told to measure again
		}
		return
	}
	lane := people[holder].lane
	if people[measured].lane != lane {
		t.Fatalf("a measurement of lane %d in lane %d: %s", people[measured].lane, lane, brief(e))
	}
	cards, temps := map[int]bool{}, 0
	for _, o := range opened[lane] {
		switch {
		case !o.is(now):
		case o.tap:
			cards[o.who] = true
		default:
			temps++
		}
	}
	wrong := holder != measured && (p.Verdict == fact.VerdictPass || p.Verdict == fact.VerdictFever &&
		p.Credential != "")
	if wrong && (len(cards) > 1 || temps > 1) {
		t.Fatalf("%d decided with the temperature of %d while %d cards and %d measurements were open: %s", holder,
			measured, len(cards), temps, brief(e))
	}
	closeReadings(opened, p.Readings)
}

// TestWhoComesAloneIsNeverAskedTwice plays people who come one at a time in each
// lane, card or temperature first.
func TestWhoComesAloneIsNeverAskedTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 2).Draw(t, "lanes")
		g := lanes(t, n)
		var acts []act
		var people []person
		for lane := range n {
			at := 0.0
			for range rapid.IntRange(1, 4).Draw(t, "people") {
				at += rapid.Float64Range(0, 10).Draw(t, "apart")
				tapFirst := rapid.Bool().Draw(t, "tap first")
				acts = append(acts, act{at, len(people), tapFirst})
				at += rapid.Float64Range(0, 7.9).Draw(t, "second")
				acts = append(acts, act{at, len(people), !tapFirst})
				card := []string{resident, resident2, visitor, inward}[len(people)%4]
				people = append(people, person{card: card,
					t: temperature(0, fact.Temp(rapid.IntRange(3500, 3729).Draw(t, "screening"))).t, lane: lane})
			}
		}
		slices.SortStableFunc(acts, func(a, b act) int {
			if a.at < b.at {
				return -1
			}
			return 1
		})
		got := map[string]int{}
		for i, a := range acts {
			p := people[a.who]
			r := wire.Reading{Device: fmt.Sprint("t", p.lane), Type: fact.ReadingTemperature, Temperature: p.t}
			if a.tap {
				r = wire.Reading{Device: fmt.Sprint("r", p.lane), Type: fact.ReadingCard, Credential: p.card,
					Direction: "in"}
			}
			for _, e := range g.Observe(moment(a.at), uint64(i+1), r) {
				if e.Passage.Verdict != fact.VerdictPass || e.Passage.Lane != fmt.Sprint("lane-", p.lane) {
					t.Fatalf("%+v: %s", acts, brief(e))
				}
				got[e.Passage.Credential]++
			}
		}
		want := map[string]int{}
		for _, p := range people {
			want[p.card]++
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("passes %v, want %v", got, want)
		}
	})
}

func TestALaneThatDoesNotMeasure(t *testing.T) {
	g := New(Config{Rules: rules(t), Zone: time.UTC, Lanes: []Lane{
		{Name: "in", Measures: true, Thermometers: []string{"t"}, Readers: []string{"in"}}, {Name: "out",
			Readers: []string{"out"}}}})
	see := func(at float64, seq uint64, device, card string) (got []string) {
		for _, e := range g.Observe(moment(at), seq,
			wire.Reading{Device: device, Type: fact.ReadingCard, Credential: card, Direction: "out"}) {
			got = append(got, e.Passage.Lane+": "+brief(e))
		}
		return got
	}
	measured := func(at float64, seq uint64, screening fact.Temp) []Event {
		return g.Observe(moment(at), seq, wire.Reading{Device: "t", Type: fact.ReadingTemperature,
			Temperature: temperature(0, screening).t})
	}
	if e := measured(0, 1, 3650); len(e) != 0 {
		t.Fatalf("measured at the entry: %v", e)
	}
	if got := see(1, 2, "out", resident); !slices.Equal(got, []string{"out: pass not-measured [2] go resident"}) {
		t.Errorf("at the exit: %v", got)
	}
	if got := see(2, 3, "out", lost); !slices.Equal(got, []string{"out: refuse lost-card [3] turn-away resident"}) {
		t.Errorf("a lost card at the exit: %v", got)
	}
	if got := see(3, 4, "in", visitor); !slices.Equal(got, []string{"in: pass normal [1 4] go visitor"}) {
		t.Errorf("at the entry: %v", got)
	}
	if got := see(4, 5, "elsewhere", resident); got != nil {
		t.Errorf("a reader of no lane: %v", got)
	}
}

func TestPrompts(t *testing.T) {
	for name, c := range map[string]struct {
		steps []step
		want  string
	}{
		"nobody": {nil, ""},
		"a card": {[]step{tapped(0, resident)}, "temperature 8s reading 1 resident"},
		"a card, tapped again": {[]step{tapped(0, resident), tapped(3, resident)},
			"temperature 11s reading 1 resident"},
		"a normal temperature": {[]step{temperature(0, 3650)}, "card 8s reading 1 36.50"},
		"seen a little higher": {[]step{temperature(0, 3650), temperature(1, 3690, supersedes)},
			"card 9s reading 1 36.90"},
		"a card that may not": {[]step{tapped(0, lost)}, " 8s reading 1"},
		"a fever":             {[]step{temperature(0, 3840)}, " 8s reading 1"},
		"too cold":            {[]step{temperature(0, 3400)}, ""},
		"too cold, then not": {[]step{temperature(0, 3400), temperature(1, 3500, supersedes)},
			"card 9s reading 2 35.00"},
		"decided":                {[]step{tapped(0, resident), temperature(1, 3650)}, ""},
		"two":                    {[]step{tapped(0, resident), tapped(1, visitor)}, "apart 9s reading 1"},
		"too late":               {[]step{tapped(0, resident), wait(8)}, ""},
		"two, over":              {[]step{tapped(0, resident), tapped(1, visitor), wait(9)}, ""},
		"measured, and another":  {[]step{temperature(0, 3650), begun(7, "t")}, "card 8s reading 1 36.50"},
		"a measurement that has": {[]step{tapped(0, resident), begun(7, "t")}, "temperature 13s reading 1 resident"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t)
			run(g, c.steps)
			got := ""
			for _, p := range g.Prompts() {
				got += fmt.Sprintf("%s %s reading %d", p.Wants, p.Until-moment(0).Boot, p.Reading)
				if p.Class != "" {
					got += " " + p.Class
				}
				if p.Screening != nil {
					got += " " + p.Screening.String()
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
