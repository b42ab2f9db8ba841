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
	at   float64
	who  int
	tap  bool // or is measured
	come bool // to the thermometer; what they are measured with follows
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
// or a pairing window old, or until the next card is shown after a refused one and
// nobody has come to the thermometer.
type open struct {
	act
	seq     uint64
	refused bool
}

func (o open) is(now float64) bool {
	if o.come {
		return now < o.at+measuredWithin.Seconds()
	}
	return now < o.at+8
}

// TestNobodyPassesOnAnothersTemperature plays people whose identity is known
// through every order of what they do.
func TestNobodyPassesOnAnothersTemperature(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 2).Draw(t, "lanes")
		people := drawPeople(t, rapid.IntRange(2, 4).Draw(t, "people"), n)
		var acts []act
		for range rapid.IntRange(1, 2).Draw(t, "rounds") {
			for i := range people {
				acts = append(acts, act{who: i, tap: true}, act{who: i}, act{who: i, come: true})
			}
		}
		acts = comeFirst(rapid.Permutation(acts).Draw(t, "order"))
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
			if a.come {
				g.Tick(moment(at)) // as the agent does when it is due
				g.Begun(moment(at), fmt.Sprint("t", p.lane))
				opened[p.lane] = append(opened[p.lane], open{act: a, seq: seq})
				continue
			}
			r := wire.Reading{Device: fmt.Sprint("t", p.lane), Type: fact.ReadingTemperature, Temperature: p.t}
			if a.tap {
				r = wire.Reading{Device: fmt.Sprint("r", p.lane), Type: fact.ReadingCard, Credential: p.card}
			}
			if !a.tap { // whoever came has been measured
				opened[p.lane] = slices.DeleteFunc(opened[p.lane], func(o open) bool { return o.come })
			}
			if last, ok := passed[a.who]; !a.tap || !ok || at-last >= passAgain.Seconds() {
				opened[p.lane] = append(makeWay(opened[p.lane], a, at), open{act: a, seq: seq})
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

// comeFirst lets each person come to the thermometer before they are measured.
func comeFirst(acts []act) []act {
	there := map[int]bool{}
	for i, a := range acts {
		if a.tap {
			continue
		}
		if a.come == there[a.who] {
			other := func(x act) bool { return x.who == a.who && !x.tap && x.come != a.come }
			later := slices.IndexFunc(acts[i:], other)
			acts[i], acts[i+later] = acts[i+later], acts[i]
		}
		there[a.who] = acts[i].come
	}
	return acts
}

// makeWay closes what is open of one refused person when somebody else taps.
func makeWay(list []open, a act, now float64) []open {
	still := slices.DeleteFunc(list, func(o open) bool { return !o.is(now) })
	if !a.tap || slices.ContainsFunc(still, func(o open) bool { return !o.refused || o.who != still[0].who }) {
		return still
	}
	return slices.DeleteFunc(still, func(o open) bool { return o.who != a.who })
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
	if p.Verdict == fact.VerdictRefuse && p.Temperature == nil {
		for _, list := range opened {
			for i := range list {
				list[i].refused = list[i].refused || slices.Contains(p.Readings, list[i].seq)
			}
		}
	}
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
		case !o.is(now), o.come:
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
				acts = append(acts, act{at: at, who: len(people), tap: tapFirst})
				at += rapid.Float64Range(0, 7.9).Draw(t, "second")
				acts = append(acts, act{at: at, who: len(people), tap: !tapFirst})
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
