package gate

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func ambient(v fact.Temp) func(*wire.Temperature) { return func(t *wire.Temperature) { t.Ambient = v } }

// The last value that is judged one way, and the first that is judged the other.
func TestTheEdgesOfADecision(t *testing.T) {
	for name, c := range map[string]decision{
		"as cold as rated": {[]step{tapped(0, resident), temperature(2, 3650, ambient(1600))},
			[]string{"pass normal [1 2] go resident"}},
		"colder": {[]step{tapped(0, resident), temperature(2, 3650, ambient(1599))},
			[]string{"invalid ambient-low [1 2] measure-by-hand resident"}},
		"as warm as rated": {[]step{tapped(0, resident), temperature(2, 3650, ambient(3500))},
			[]string{"pass normal [1 2] go resident"}},
		"warmer": {[]step{tapped(0, resident), temperature(2, 3650, ambient(3501))},
			[]string{"invalid ambient-high [1 2] measure-by-hand resident"}},
		"all at once": {[]step{temperature(0, 3400, ambient(3501), hot, unsettled)},
			[]string{"retest unsettled+ambient-high+hot-background [1] measure-again"}},
		"at the bar, just in time": {[]step{tapped(0, resident), temperature(1, 3650), tapped(2.499, resident),
			wait(20)}, []string{"pass normal [1 2] go resident"}},
		"at the bar, too late": {[]step{tapped(0, resident), temperature(1, 3650), tapped(2.5, resident),
			wait(20)}, []string{"pass normal [1 2] go resident", "retest no-temperature [3] measure resident"}},
		"just in the window": {[]step{temperature(0, 3650), tapped(7.999, resident)},
			[]string{"pass normal [1 2] go resident"}},
		"who began in the window has six seconds": {[]step{tapped(0, resident), begun(7, "t"), wait(12.999),
			temperature(12.999, 3650)}, []string{"pass normal [1 4] go resident"}},
		"and no more": {[]step{tapped(0, resident), begun(7, "t"), temperature(13, 3650), wait(40)},
			[]string{"retest no-temperature [1] measure resident", "refuse no-card [3] check-identity"}},
		"who began early loses nothing": {[]step{tapped(0, resident), begun(1, "t"), temperature(7.999, 3650)},
			[]string{"pass normal [1 3] go resident"}},
		"who begins when it has run out is another": {[]step{tapped(0, resident), begun(8, "t"), temperature(9, 3650),
			wait(40)}, []string{"retest no-temperature [1] measure resident", "refuse no-card [3] check-identity"}},
		"begun at a thermometer of no lane": {[]step{tapped(0, resident), begun(7, "x"), wait(8)},
			[]string{"retest no-temperature [1] measure resident"}},
		"a device of no lane breaks": {[]step{tapped(0, resident), broken(1, "x"), temperature(2, 3650)},
			[]string{"pass normal [1 3] go resident"}},
		"the reader breaks after the tap": {[]step{tapped(0, resident), broken(1, "r"), temperature(2, 3650)},
			[]string{"pass normal [1 3] go resident"}},
		"the thermometer breaks after it has measured": {[]step{temperature(0, 3650), broken(1, "t"),
			tapped(2, resident)}, []string{"pass normal [1 3] go resident"}},
		"the reader breaks after a fever": {[]step{temperature(0, 3840), broken(1, "r"), wait(20)},
			[]string{"fever fever [1] turn-away ALARM"}},
		"the thermometer breaks after a refusal": {[]step{tapped(0, lost), broken(1, "t"), wait(20)},
			[]string{"refuse lost-card [1] turn-away resident"}},
		"answered by the card's reading": {[]step{temperature(0, 3840), tapped(1, lost), answer(2, 2),
			temperature(3, 3860, supersedes)},
			[]string{"fever fever [1] turn-away ALARM",
				"fever fever+lost-card [1 2] go-home resident amends",
				"fever fever+one-at-a-time [4] measure-again ALARM"}},
		"an answer to another passage": {[]step{tapped(0, resident), answer(1, 7), temperature(2, 3650)},
			[]string{"pass normal [1 3] go resident"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range run(newGate(t), c.steps) {
				got = append(got, brief(e))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A gate of two lanes is due when the first of the visits in them is over.
func TestTheFirstOfTwoLanesIsDue(t *testing.T) {
	for name, c := range map[string]struct {
		first, second float64 // when somebody taps in the lane
		due           float64
	}{
		"the first lane": {0, 1, 8}, "the second": {1, 0, 8}, "both": {2, 2, 10},
	} {
		g := New(Config{Rules: rules(t), Zone: time.UTC, Lanes: []Lane{
			{Name: "a", Measures: true, Thermometers: []string{"ta"}, Readers: []string{"ra"}},
			{Name: "b", Measures: true, Thermometers: []string{"tb"}, Readers: []string{"rb"}}}})
		tap := func(at float64, seq uint64, reader, card string) {
			g.Observe(moment(at), seq, wire.Reading{Device: reader, Type: fact.ReadingCard, Credential: card})
		}
		tap(c.first, 1, "ra", resident)
		tap(c.second, 2, "rb", visitor)
		if due, ok := g.Next(); !ok || due != moment(c.due).Boot {
			t.Errorf("%s: due at %s, %v", name, due, ok)
		}
		if e := g.Tick(moment(c.due)); len(e) == 0 {
			t.Errorf("%s: nothing is over", name)
		}
		g.Tick(moment(20))
		if _, ok := g.Next(); ok {
			t.Errorf("%s: a free gate is due", name)
		}
	}
}

// The first reading of a visit is its oldest, whatever came first.
func TestAVisitIsNamedByItsOldestReading(t *testing.T) {
	for name, c := range map[string]struct {
		steps []step
		want  string
	}{
		"cards, then a temperature": {[]step{wait(0), tapped(1, resident), tapped(2, visitor),
			temperature(3, 3650)}, "apart 2"},
		"a temperature, then others": {[]step{wait(0), temperature(1, 3650), temperature(2, 3650),
			tapped(3, resident)}, "apart 2"},
	} {
		g := newGate(t)
		run(g, c.steps)
		got := ""
		for _, p := range g.Prompts() {
			got += fmt.Sprint(p.Wants, " ", p.Reading)
		}
		if got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A code and a card of one person are the same tap.
func TestACodeIsATapAsACardIs(t *testing.T) {
	var got []string
	for _, kind := range []fact.ReadingType{fact.ReadingCard, fact.ReadingCode} {
		g := newGate(t)
		g.Observe(moment(0), 1, wire.Reading{Device: "r", Type: kind, Credential: resident})
		for _, e := range run1(g, temperature(1, 3650), 2) {
			got = append(got, brief(e))
		}
	}
	if len(got) != 2 || got[0] != got[1] {
		t.Errorf("%q", got)
	}
}
