package gate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/baseline"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// usualGate returns a gate that knows what is usual after 20 people, whose values are
// 36.3 to 36.7 °C: high is 37.1 and above.
func usualGate(t interface{ Fatal(...any) }, people int) *Gate {
	r := *rules(t)
	r.Baseline = &baseline.Rules{Readings: 20, Window: 100}
	g := New(Config{Rules: &r, Zone: time.UTC,
		Lanes: []Lane{{Measures: true, Thermometers: []string{"t"}, Readers: []string{"r"}}}})
	for i := range people {
		x := temperature(0, 3650+10*fact.Temp(i%3-1)).t
		g.RememberReading(&wire.Reading{Device: "t", Type: fact.ReadingTemperature, Temperature: x})
	}
	return g
}

func entered(at float64, value fact.Temp, of ...uint64) step {
	return step{at: at, do: func(g *Gate) []Event {
		return g.Observe(moment(at), 99, wire.Reading{Type: fact.ReadingEntered,
			Entered: &wire.Entered{Value: value, With: fact.HandHeldContact, Of: of}})
	}}
}

func TestAValueThatIsHighForTheGateIsMeasuredAgain(t *testing.T) {
	for name, c := range map[string]struct {
		people int
		steps  []step
		want   string
	}{
		"as the others":     {20, []step{tapped(0, resident), temperature(1, 3709)}, "pass normal [1 2] go resident"},
		"too few were read": {19, []step{tapped(0, resident), temperature(1, 3710)}, "pass normal [1 2] go resident"},
		"high": {20, []step{tapped(0, resident), temperature(1, 3710)},
			"retest high-for-gate [1 2] measure-again resident"},
		"high before the card": {20, []step{temperature(0, 3710)}, "retest high-for-gate [1] measure-again"},
		"a fever": {20, []step{tapped(0, resident), temperature(1, 3730)},
			"fever fever [1 2] go-home resident ALARM"},
		"in the cold it is invalid": {20, []step{tapped(0, resident), temperature(1, 3710, cold)},
			"invalid ambient-low [1 2] measure-by-hand resident"},
		"high, then not": {20, []step{tapped(0, resident), temperature(1, 3710), tapped(20, resident),
			temperature(21, 3660)},
			"retest high-for-gate [1 2] measure-again resident, pass normal [3 4] go resident"},
		"high twice": {20, []step{tapped(0, resident), temperature(1, 3710), tapped(20, resident),
			temperature(21, 3715)},
			"retest high-for-gate [1 2] measure-again resident, retest high-for-gate [3 4] measure-by-hand resident"},
		"high twice, then by hand": {20, []step{tapped(0, resident), temperature(1, 3710), tapped(20, resident),
			temperature(21, 3715), entered(60, 3680, 4), tapped(90, resident), temperature(91, 3712)},
			"retest high-for-gate [1 2] measure-again resident, " +
				"retest high-for-gate [3 4] measure-by-hand resident, " +
				"pass normal+entered [3 4 99] go resident amends, retest high-for-gate [6 7] measure-again resident"},
		"high twice, 10 minutes apart": {20, []step{tapped(0, resident), temperature(1, 3710), tapped(601, resident),
			temperature(602, 3715)},
			"retest high-for-gate [1 2] measure-again resident, retest high-for-gate [3 4] measure-again resident"},
		"high twice without a card, then with it": {20, []step{temperature(0, 3710), temperature(10, 3710),
			tapped(20, resident), temperature(21, 3710)}, "retest high-for-gate [1] measure-again, " +
			"retest high-for-gate [2] measure-by-hand, retest high-for-gate [3 4] measure-by-hand resident"},
		"somebody else in between": {20, []step{temperature(0, 3710), tapped(10, visitor), temperature(11, 3650),
			tapped(20, resident), temperature(21, 3710)}, "retest high-for-gate [1] measure-again, " +
			"pass normal [2 3] go visitor, retest high-for-gate [4 5] measure-again resident"},
		"somebody else in between, and the same card": {20, []step{tapped(0, resident), temperature(1, 3710),
			tapped(10, visitor), temperature(11, 3650), temperature(20, 3710), tapped(40, resident),
			temperature(41, 3710)},
			"retest high-for-gate [1 2] measure-again resident, pass normal [3 4] go visitor, " +
				"retest high-for-gate [5] measure-again, retest high-for-gate [6 7] measure-by-hand resident"},
		"two people": {20, []step{tapped(0, resident), temperature(1, 3710), tapped(20, visitor),
			temperature(21, 3715)},
			"retest high-for-gate [1 2] measure-again resident, retest high-for-gate [3 4] measure-again visitor"},
		"it rises while the person stands there": {20, []step{temperature(0, 3710), temperature(1, 3726, supersedes)},
			"retest high-for-gate [1] measure-again, retest high-for-gate [2] measure-again"},
		"two at once": {20, []step{tapped(0, resident), tapped(1, visitor), temperature(2, 3710), wait(30),
			tapped(40, resident), temperature(41, 3710)},
			"retest one-at-a-time [1] measure-again resident, retest one-at-a-time [2] measure-again visitor, " +
				"retest one-at-a-time+high-for-gate [3] measure-again, " +
				"retest high-for-gate [5 6] measure-again resident"},
	} {
		var got []string
		for _, e := range run(usualGate(t, c.people), c.steps) {
			got = append(got, brief(e))
		}
		if x := strings.Join(got, ", "); x != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, x, c.want)
		}
	}
}

func TestAPassageSaysWhatIsUsual(t *testing.T) {
	want := wire.Usual{Ambient: 2000, Readings: 20, Median: 3650, Spread: 20, High: 3710}
	for _, v := range []fact.Temp{3660, 3710} {
		p := run(usualGate(t, 20), []step{tapped(0, resident), temperature(1, v)})[0].Passage
		if p.Limits.Usual == nil || *p.Limits.Usual != want {
			t.Errorf("%s: %+v", v, p.Limits.Usual)
		}
	}
	for name, s := range map[string]step{"a fever": temperature(1, 3730), "in the cold": temperature(1, 3710, cold)} {
		if p := run(usualGate(t, 20), []step{s})[0].Passage; p.Limits.Usual != nil {
			t.Errorf("%s is compared with %+v", name, p.Limits.Usual)
		}
	}
}

// Fevers, what can't be judged, and a later value of the same person are not learned.
func TestOnlyWhatCanBeJudgedIsUsual(t *testing.T) {
	for name, s := range map[string]step{"a fever": temperature(0, 3730), "too cold": temperature(0, 3400),
		"cold air": temperature(0, 3650, cold), "warm air": temperature(0, 3650, warm), "hot": temperature(0,
			3650, hot),
		"unsettled": temperature(0, 3650, unsettled), "a later value": temperature(0, 3650, supersedes)} {
		g := usualGate(t, 19)
		run(g, []step{s})
		if _, known := g.meters.of("t").usual.Usual(*g.cfg.Rules.Baseline, 2000); known {
			t.Errorf("%s is learned", name)
		}
	}
	g := usualGate(t, 20)
	run(g, []step{temperature(0, 3712)})
	if u, _ := g.meters.of("t").usual.Usual(*g.cfg.Rules.Baseline, 2000); u.Readings != 21 {
		t.Errorf("what is high is not learned: %+v", u)
	}
	g = newGate(t)
	run(g, []step{temperature(0, 3650)})
	if g.Baselines(moment(1)) != nil {
		t.Error("without a rule something is learned")
	}
}

func TestADoubtedThermometerPassesNobodyAndStillFindsAFever(t *testing.T) {
	for name, c := range map[string]struct {
		steps []step
		want  string
	}{
		"normal": {[]step{tapped(0, resident), temperature(1, 3650)},
			"invalid doubtful [1 2] measure-by-hand resident"},
		"no card":   {[]step{temperature(1, 3650)}, "invalid doubtful [1] measure-by-hand"},
		"high":      {[]step{temperature(1, 3710)}, "invalid doubtful [1] measure-by-hand"},
		"low, cold": {[]step{temperature(1, 3450, cold)}, "invalid doubtful+ambient-low [1] measure-by-hand"},
		"unsettled": {[]step{temperature(1, 3650, unsettled)}, "invalid doubtful+unsettled [1] measure-by-hand"},
		"a fever": {[]step{tapped(0, resident), temperature(1, 3840)},
			"fever fever+doubtful [1 2] go-home resident ALARM"},
		"by hand": {[]step{tapped(0, resident), temperature(1, 3650), entered(60, 3660, 2)},
			"invalid doubtful [1 2] measure-by-hand resident, pass normal+entered [1 2 99] go resident amends"},
		"no doubt any more": {[]step{{at: 0, do: func(g *Gate) []Event { g.SetDoubted("t", false); return nil }},
			tapped(1, resident), temperature(2, 3650)}, "pass normal [2 3] go resident"},
	} {
		g := usualGate(t, 20)
		g.SetDoubted("t", true)
		var got []string
		for _, e := range run(g, c.steps) {
			got = append(got, brief(e))
		}
		if x := strings.Join(got, ", "); x != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, x, c.want)
		}
	}
}

func checked(at float64, is bool) step {
	return step{at: at, do: func(g *Gate) []Event { return g.SetChecked("t", is) }}
}

func TestDuringACheckTheThermometerPassesNobody(t *testing.T) {
	for name, c := range map[string]struct {
		steps []step
		want  string
	}{
		"a card": {[]step{checked(0, true), tapped(1, resident)}, "retest under-check [2] measure-by-hand resident"},
		"a card that waits": {[]step{tapped(0, resident), checked(1, true), checked(2, true)},
			"retest under-check [1] measure-by-hand resident"},
		"who is measured": {[]step{checked(0, true), temperature(1, 3650), tapped(2, resident)},
			"retest under-check [3] measure-by-hand resident"},
		"who is measured, alone": {[]step{checked(0, true), temperature(1, 3450), temperature(20, 3710)}, ""},
		"a fever": {[]step{checked(0, true), temperature(1, 3840)},
			"fever fever [2] turn-away ALARM"},
		"a value entered": {[]step{checked(0, true), tapped(1, resident), entered(9, 3660, 2)},
			"retest under-check [2] measure-by-hand resident, pass normal+entered [2 99] go resident amends"},
		"the check is over": {[]step{checked(0, true), checked(1, false), tapped(2, resident), temperature(3, 3650)},
			"pass normal [3 4] go resident"},
		"it breaks, and is checked": {[]step{broken(0, "t"), checked(1, true), checked(2, false), tapped(3, resident)},
			"retest no-thermometer [4] measure-by-hand resident"},
	} {
		var got []string
		for _, e := range run(newGate(t), c.steps) {
			got = append(got, brief(e))
		}
		if x := strings.Join(got, ", "); x != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, x, c.want)
		}
	}
}

func TestWhatIsUsualIsRecordedEvery50ReadingsAndOnceADay(t *testing.T) {
	g := usualGate(t, 0)
	at := 0.0
	read := func(n int) {
		for range n {
			at += 20
			run1(g, temperature(at, 3650), uint64(at))
		}
	}
	records := func(at clock.Moment) (n int) {
		for _, b := range g.Baselines(at) {
			if n += len(b.Values); b.Device != "t" || b.Ambient != 2000 || b.Check() != nil {
				t.Errorf("recorded %+v", b)
			}
		}
		return n
	}
	read(3)
	if n := records(moment(at)); n != 3 {
		t.Errorf("after the start %d", n)
	}
	read(49)
	if n := records(moment(at)); n != 0 {
		t.Errorf("after 49 readings %d", n)
	}
	read(1)
	if n := records(moment(at)); n != 53 {
		t.Errorf("after 50 readings %d", n)
	}
	if n := records(moment(60 + 24*3600)); n != 53 {
		t.Errorf("after a day %d", n)
	}
	g.SetDoubted("t", true)
	if n := records(moment(60 + 24*3600)); n != 53 {
		t.Errorf("when it is doubted %d", n)
	}
	g.SetDoubted("t", true)
	if n := records(moment(60 + 24*3600)); n != 0 {
		t.Errorf("again %d", n)
	}
}

// A gate that is restored from records and the readings since then decides the same, and
// nobody is asked to measure more than twice in a row.
func TestARestoredGateDecidesTheSameAndNobodyLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live, again, in := usualGate(t, 0), usualGate(t, 0), 0
		for i := range rapid.IntRange(20, 120).Draw(t, "people") {
			v := rapid.SampledFrom([]fact.Temp{3630, 3650, 3660, 3690, 3710, 3720, 3740, 3400}).Draw(t, "value")
			card := rapid.SampledFrom([]string{resident, resident2}).Draw(t, "card")
			at, seq := float64(30*i), uint64(2*i+1)
			var got []string
			for _, g := range []*Gate{live, again} {
				run1(g, tapped(at, card), seq)
				for _, e := range run1(g, temperature(at+1, v), seq+1) {
					got = append(got, brief(e))
				}
			}
			if got[0] != got[1] {
				t.Fatalf("person %d: %s, restored %s", i, got[0], got[1])
			}
			if in++; !strings.HasPrefix(got[0], "retest") || strings.Contains(got[0], "by-hand") {
				in = 0
			}
			if in > 2 {
				t.Fatalf("person %d: %s for the third time in a row", i, got[0])
			}
			bodies := live.Baselines(moment(at + 2))
			if again.Baselines(moment(at + 2)); rapid.Bool().Draw(t, "restart") && len(bodies) > 0 {
				highs := slices.Clone(again.meters.highs)
				again = usualGate(t, 0)
				again.meters.highs, again.meters.recorded = highs, moment(at+2).Boot
				for _, b := range bodies {
					again.RememberBaseline(b)
				}
			}
		}
	})
}
