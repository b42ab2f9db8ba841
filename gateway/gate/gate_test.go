package gate

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

type plain struct{}

func (plain) Pseudonym(_, code string) string { return strings.TrimLeft(code, "0") }

const (
	resident  = "A1"
	resident2 = "A2"
	visitor   = "B1"
	lost      = "C1"
	inward    = "D1" // may only go in
	stranger  = "E1" // not in the roster
)

func rules(t interface{ Fatal(...any) }) *policy.Rules {
	p, err := policy.Parse([]byte(`version: "1"
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}
classes:
  resident: {fever: go-home, directions: [in, out]}
  visitor: {fever: turn-away, directions: [in, out]}
  delivery: {fever: turn-away, directions: [in]}
`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := policy.ParseRoster(p, strings.NewReader(`card,class,status,household,from,until
00000000A1,resident,active,,,
00000000A2,resident,active,,,
00000000B1,visitor,active,,,
00000000C1,resident,lost,,,
00000000D1,delivery,active,,,
00000000F1,resident,active,,,2020-02-14
00000000F2,resident,active,,2020-02-15,
`), plain{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newGate(t interface{ Fatal(...any) }) *Gate {
	return New(Config{Rules: rules(t), Zone: time.UTC, Lanes: []Lane{{Measures: true, Thermometers: []string{"t"}, Readers: []string{"r"}}}})
}

// step is one reading, or something else that happens, at a time in seconds.
type step struct {
	at   float64
	card string
	t    *wire.Temperature
	do   func(*Gate) []Event
}

// broken, mended and begun happen to a device; answer is the guard's to a
// passage that used a reading.
func broken(at float64, device string) step {
	return step{at: at, do: func(g *Gate) []Event { return g.SetWorks(device, false) }}
}

func mended(at float64, device string) step {
	return step{at: at, do: func(g *Gate) []Event { return g.SetWorks(device, true) }}
}

func begun(at float64, device string) step {
	return step{at: at, do: func(g *Gate) []Event { g.Begun(moment(at), device); return nil }}
}

func answer(at float64, reading uint64) step {
	return step{at: at, do: func(g *Gate) []Event { g.Answered([]uint64{reading}); return nil }}
}

func tapped(at float64, c string) step { return step{at: at, card: c} }

func temperature(at float64, screening fact.Temp, change ...func(*wire.Temperature)) step {
	t := &wire.Temperature{Object: screening - 320, Offset: 320, Screening: screening, Ambient: 2000, Background: 2000,
		RatedMin: 1600, RatedMax: 3500, Samples: 5, Settled: true}
	for _, c := range change {
		c(t)
	}
	return step{at: at, t: t}
}

func wait(at float64) step { return step{at: at} }

func unsettled(t *wire.Temperature)  { t.Settled = false }
func cold(t *wire.Temperature)       { t.Ambient = -500 }
func warm(t *wire.Temperature)       { t.Ambient = 3600 }
func hot(t *wire.Temperature)        { t.Hot = true }
func supersedes(t *wire.Temperature) { t.Supersedes = true }

func moment(s float64) clock.Moment {
	d := time.Duration(s * float64(time.Second))
	return clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC).Add(d), Boot: time.Hour + d}
}

// run plays steps; the reading of step i has seq i+1.
func run(g *Gate, steps []step) (out []Event) {
	for i, s := range steps {
		out = append(out, run1(g, s, uint64(i+1))...)
	}
	return out
}

// brief is an event in a line: verdict, reasons, readings, what is told.
func brief(e Event) string {
	p := e.Passage
	s := fmt.Sprintf("%s %s %v %s", p.Verdict, fact.JoinReasons(p.Reasons, "+"), p.Readings, p.Instruction)
	if p.Class != "" {
		s += " " + p.Class
	}
	if p.Amends {
		s += " amends"
	}
	if e.Alarm {
		s += " ALARM"
	}
	return s
}

func TestDecisions(t *testing.T) {
	for name, c := range map[string]struct {
		steps []step
		want  []string
	}{
		"card, then temperature": {[]step{tapped(0, resident), temperature(2, 3650)}, []string{"pass normal [1 2] go resident"}},
		"temperature, then card": {[]step{temperature(0, 3650), tapped(2, resident)}, []string{"pass normal [1 2] go resident"}},
		"just below the limit":   {[]step{tapped(0, resident), temperature(2, 3729)}, []string{"pass normal [1 2] go resident"}},
		"at the limit":           {[]step{tapped(0, resident), temperature(2, 3730)}, []string{"fever fever [1 2] go-home resident ALARM"}},
		"a visitor with fever":   {[]step{tapped(0, visitor), temperature(2, 3840)}, []string{"fever fever [1 2] turn-away visitor ALARM"}},
		"fever without a card":   {[]step{temperature(0, 3840), wait(20)}, []string{"fever fever [1] turn-away ALARM"}},
		"fever, then its card": {[]step{temperature(0, 3840), tapped(2, resident), wait(20)},
			[]string{"fever fever [1] turn-away ALARM", "fever fever [1 2] go-home resident amends"}},
		"fever, and the card unknown": {[]step{tapped(0, stranger), temperature(2, 3840)},
			[]string{"refuse unknown-card [1] check-identity", "fever fever+unknown-card [1 2] turn-away amends ALARM"}},
		"fever in the cold":   {[]step{tapped(0, resident), temperature(2, 3840, cold)}, []string{"fever fever+ambient-low [1 2] go-home resident ALARM"}},
		"fever, unsettled":    {[]step{tapped(0, resident), temperature(2, 3840, unsettled)}, []string{"fever fever+unsettled [1 2] go-home resident ALARM"}},
		"too cold to judge":   {[]step{tapped(0, resident), temperature(2, 3499)}, []string{"invalid too-cold [1 2] warm-up resident"}},
		"just warm enough":    {[]step{tapped(0, resident), temperature(2, 3500)}, []string{"pass normal [1 2] go resident"}},
		"too cold an ambient": {[]step{tapped(0, resident), temperature(2, 3650, cold)}, []string{"invalid ambient-low [1 2] warm-up resident"}},
		"too warm an ambient": {[]step{tapped(0, resident), temperature(2, 3650, warm)}, []string{"invalid ambient-high [1 2] warm-up resident"}},
		"a hot background":    {[]step{tapped(0, resident), temperature(2, 3650, hot)}, []string{"invalid hot-background [1 2] warm-up resident"}},
		"cold in every way":   {[]step{temperature(0, 3300, cold)}, []string{"invalid too-cold+ambient-low [1] warm-up"}},
		"not settled":         {[]step{tapped(0, resident), temperature(2, 3650, unsettled)}, []string{"retest unsettled [1 2] measure-again resident"}},
		"cold, then the card, then measured again": {[]step{temperature(0, 3400), tapped(2, resident), temperature(4, 3600), wait(20)},
			[]string{"invalid too-cold [1] warm-up", "pass normal [2 3] go resident"}},
		"measured again, as told, then the card": {[]step{temperature(0, 3650, unsettled), temperature(2, 3650), tapped(3, resident)},
			[]string{"retest unsettled [1] measure-again", "pass normal [2 3] go resident"}},
		"somebody passed by, then a resident": {[]step{temperature(0, 3650, unsettled), tapped(2, resident), temperature(4, 3600)},
			[]string{"retest unsettled [1] measure-again", "pass normal [2 3] go resident"}},
		"sent back, and tapped and measured again": {[]step{tapped(0, resident), temperature(2, 3650, unsettled), tapped(7, resident), temperature(9, 3650)},
			[]string{"retest unsettled [1 2] measure-again resident", "pass normal [3 4] go resident"}},
		"sent back, and the next one is measured": {[]step{tapped(0, resident), temperature(2, 3400), temperature(4, 3650), tapped(5, visitor), wait(20)},
			[]string{"invalid too-cold [1 2] warm-up resident", "pass normal [3 4] go visitor"}},
		"the next in line after one who was sent back": {[]step{tapped(0, resident), temperature(1, 3400), tapped(3, visitor), temperature(4, 3650)},
			[]string{"invalid too-cold [1 2] warm-up resident", "pass normal [3 4] go visitor"}},
		"card alone":        {[]step{tapped(0, resident), wait(8)}, []string{"retest no-temperature [1] measure resident"}},
		"temperature alone": {[]step{temperature(0, 3650), wait(8)}, []string{"refuse no-card [1] check-identity"}},
		"too late a card": {[]step{temperature(0, 3650), tapped(8, resident), temperature(9, 3650)},
			[]string{"refuse no-card [1] check-identity", "pass normal [2 3] go resident"}},
		"an unknown card":        {[]step{tapped(0, stranger), wait(20)}, []string{"refuse unknown-card [1] check-identity"}},
		"a lost card":            {[]step{tapped(0, lost), temperature(2, 3650)}, []string{"refuse lost-card [1] turn-away resident", "refuse lost-card [1 2] turn-away resident amends"}},
		"a lost card, too cold":  {[]step{tapped(0, lost), temperature(2, 3400)}, []string{"refuse lost-card [1] turn-away resident", "refuse lost-card [1 2] turn-away resident amends"}},
		"measured, then refused": {[]step{temperature(0, 3650), tapped(2, lost), wait(20)}, []string{"refuse lost-card [1 2] turn-away resident"}},
		"the wrong direction":    {[]step{tapped(0, inward)}, []string{"refuse direction [1] turn-away delivery"}},
		"one temperature, two cards": {[]step{temperature(0, 3650), tapped(1, resident), tapped(2, visitor), temperature(3, 3660)},
			[]string{"pass normal [1 2] go resident", "pass normal [3 4] go visitor"}},
		"tapped twice":            {[]step{tapped(0, resident), tapped(5, resident), temperature(12, 3650)}, []string{"pass normal [1 2 3] go resident"}},
		"tapped again at the bar": {[]step{tapped(0, resident), temperature(1, 3650), tapped(2, resident), temperature(3, 3660), tapped(4, visitor)}, []string{"pass normal [1 2] go resident", "pass normal [4 5] go visitor"}},
		"tapped again while the next is measured": {[]step{tapped(0, resident), temperature(1, 3650), temperature(2, 3840), tapped(2.4, resident)},
			[]string{"pass normal [1 2] go resident", "fever fever [3] turn-away ALARM"}},
		"tapped again before the next one's card": {[]step{tapped(0, resident), temperature(1, 3650), temperature(2, 3660), tapped(2.4, resident), tapped(4, visitor)},
			[]string{"pass normal [1 2] go resident", "pass normal [3 5] go visitor"}},
		"back soon": {[]step{tapped(0, resident), temperature(1, 3650), tapped(4, resident), temperature(5, 3660)}, []string{"pass normal [1 2] go resident", "pass normal [3 4] go resident"}},
		"a refused card's temperature serves nobody else": {[]step{tapped(0, stranger), temperature(1, 3650), tapped(2, resident), wait(20)},
			[]string{"refuse unknown-card [1] check-identity", "refuse unknown-card [1 2] check-identity amends", "retest no-temperature [3] measure resident"}},

		// Two people in one lane.
		"two measured, the second with fever": {[]step{temperature(0, 3660), temperature(1.5, 3840), tapped(3, resident), tapped(4, visitor), wait(20)},
			[]string{"retest one-at-a-time [1] measure-again", "fever fever+one-at-a-time [2] measure-again ALARM",
				"retest one-at-a-time [3] measure-again resident", "retest one-at-a-time [4] measure-again visitor"}},
		"two measured, the first with fever": {[]step{temperature(0, 3840), temperature(1.5, 3660), tapped(3, resident), wait(20)},
			[]string{"fever fever [1] turn-away ALARM", "retest one-at-a-time [2] measure-again", "retest one-at-a-time [3] measure-again resident"}},
		"two cards, then a fever": {[]step{tapped(0, resident), tapped(1, visitor), temperature(2, 3840), wait(20)},
			[]string{"retest one-at-a-time [1] measure-again resident", "retest one-at-a-time [2] measure-again visitor", "fever fever+one-at-a-time [3] measure-again ALARM"}},
		"two cards, then two temperatures": {[]step{tapped(0, resident), tapped(1, visitor), temperature(2, 3650), temperature(4, 3660)},
			[]string{"retest one-at-a-time [1] measure-again resident", "retest one-at-a-time [2] measure-again visitor",
				"retest one-at-a-time [3] measure-again", "retest one-at-a-time [4] measure-again"}},
		"mixed, then one at a time": {[]step{tapped(0, resident), tapped(1, visitor), tapped(9, resident), temperature(10, 3650), tapped(11, visitor), temperature(12, 3650)},
			[]string{"retest one-at-a-time [1] measure-again resident", "retest one-at-a-time [2] measure-again visitor",
				"pass normal [3 4] go resident", "pass normal [5 6] go visitor"}},
		"mixed, and too early again": {[]step{tapped(0, resident), tapped(1, visitor), tapped(8, resident), temperature(9, 3650), wait(40)},
			[]string{"retest one-at-a-time [1] measure-again resident", "retest one-at-a-time [2] measure-again visitor",
				"retest one-at-a-time [1 3] measure-again resident amends", "retest one-at-a-time [4] measure-again"}},
		"a stranger's card, then another's": {[]step{tapped(0, stranger), tapped(1, resident), temperature(2, 3650)},
			[]string{"refuse unknown-card [1] check-identity", "retest one-at-a-time [2] measure-again resident", "retest one-at-a-time [3] measure-again"}},
		"a card, then a stranger's": {[]step{tapped(0, resident), tapped(1, stranger)},
			[]string{"retest one-at-a-time [1] measure-again resident", "refuse unknown-card [2] check-identity"}},
		"two measured, the second too cold": {[]step{temperature(0, 3650), temperature(2, 3400), tapped(3, resident)},
			[]string{"retest one-at-a-time [1] measure-again", "retest one-at-a-time+too-cold [2] measure-again", "retest one-at-a-time [3] measure-again resident"}},

		// Visits that are over.
		"a stranger's fever, then a resident": {[]step{temperature(0, 3840), tapped(8, resident), temperature(9, 3650)},
			[]string{"fever fever [1] turn-away ALARM", "pass normal [2 3] go resident"}},
		"a stranger's fever, answered, then a resident": {[]step{temperature(0, 3840), answer(1, 1), tapped(5, resident), temperature(6, 3650)},
			[]string{"fever fever [1] turn-away ALARM", "pass normal [3 4] go resident"}},
		"a stranger's card, answered, then a resident": {[]step{tapped(0, stranger), answer(1, 1), temperature(4, 3650), tapped(5, resident)},
			[]string{"refuse unknown-card [1] check-identity", "pass normal [3 4] go resident"}},
		"an answer does not part who is mixed": {[]step{temperature(0, 3660), temperature(1, 3840), answer(2, 2), tapped(3, resident)},
			[]string{"retest one-at-a-time [1] measure-again", "fever fever+one-at-a-time [2] measure-again ALARM", "retest one-at-a-time [4] measure-again resident"}},
		"an answer to something else": {[]step{temperature(0, 3840), answer(1, 77), tapped(5, resident)},
			[]string{"fever fever [1] turn-away ALARM", "fever fever [1 3] go-home resident amends"}},

		// The same person, or one close behind, is seen higher.
		"a fever that shows after the pass": {[]step{tapped(0, resident), temperature(1, 3650), temperature(2, 3760, supersedes), tapped(3, visitor)},
			[]string{"pass normal [1 2] go resident", "fever fever+one-at-a-time [3] measure-again ALARM", "retest one-at-a-time [4] measure-again visitor"}},
		"a fever that shows before the card": {[]step{temperature(1, 3650), temperature(2, 3760, supersedes), tapped(3, resident)},
			[]string{"fever fever+one-at-a-time [1 2] measure-again ALARM", "retest one-at-a-time [3] measure-again resident"}},
		"a fever that shows when the next has tapped": {[]step{tapped(0, resident), temperature(1, 3650), tapped(2, visitor), temperature(3, 3760, supersedes)},
			[]string{"pass normal [1 2] go resident", "fever fever+one-at-a-time [4] measure-again ALARM", "retest one-at-a-time [3] measure-again visitor"}},
		"a little warmer after the pass serves nobody": {[]step{tapped(0, resident), temperature(1, 3650), temperature(2, 3690, supersedes), tapped(3, visitor), wait(20)},
			[]string{"pass normal [1 2] go resident", "retest no-temperature [4] measure visitor"}},
		"a little warmer before the card": {[]step{temperature(1, 3650), temperature(2, 3690, supersedes), tapped(3, resident)},
			[]string{"pass normal [1 2 3] go resident"}},
		"worse conditions before the card": {[]step{temperature(1, 3650), temperature(2, 3660, supersedes, cold), tapped(3, resident), wait(20)},
			[]string{"invalid ambient-low [1 2] warm-up", "retest no-temperature [3] measure resident"}},
		"a higher fever is no second alarm": {[]step{tapped(0, resident), temperature(1, 3760), temperature(2, 3800, supersedes)},
			[]string{"fever fever [1 2] go-home resident ALARM", "fever fever [1 2 3] go-home resident amends"}},
		"a higher fever before the card": {[]step{temperature(1, 3760), temperature(2, 3800, supersedes), tapped(3, resident)},
			[]string{"fever fever [1] turn-away ALARM", "fever fever [1 2] turn-away amends", "fever fever [1 2 3] go-home resident amends"}},
		"a higher fever after the answer is another's": {[]step{tapped(0, resident), temperature(1, 3760), answer(2, 1), temperature(3, 3840, supersedes)},
			[]string{"fever fever [1 2] go-home resident ALARM", "fever fever+one-at-a-time [4] measure-again ALARM"}},
		"a stranger's higher fever after the answer": {[]step{temperature(1, 3760), answer(2, 1), temperature(3, 3840, supersedes)},
			[]string{"fever fever [1] turn-away ALARM", "fever fever+one-at-a-time [3] measure-again ALARM"}},
		"a higher fever when the next has tapped": {[]step{tapped(0, resident), temperature(1, 3760), tapped(2, visitor), temperature(3, 3840, supersedes)},
			[]string{"fever fever [1 2] go-home resident ALARM", "fever fever+one-at-a-time [4] measure-again ALARM", "retest one-at-a-time [3] measure-again visitor"}},
		"a higher fever in a mixed lane": {[]step{tapped(0, resident), tapped(1, visitor), temperature(2, 3760), temperature(3, 3800, supersedes)},
			[]string{"retest one-at-a-time [1] measure-again resident", "retest one-at-a-time [2] measure-again visitor",
				"fever fever+one-at-a-time [3] measure-again ALARM", "fever fever+one-at-a-time [3 4] measure-again amends"}},
		"too cold, another taps, and it warms up": {[]step{temperature(0, 3480), tapped(3, visitor), temperature(4, 3560, supersedes), wait(30)},
			[]string{"invalid too-cold [1] warm-up", "retest no-temperature [2] measure visitor"}},
		"too late a card, and a little warmer": {[]step{temperature(0, 3650), tapped(9, resident), temperature(10, 3690, supersedes), temperature(12, 3690)},
			[]string{"refuse no-card [1] check-identity", "pass normal [2 4] go resident"}},
		"a fever answered after the next one's visit": {[]step{tapped(0, resident), temperature(1, 3760), tapped(2, visitor), wait(10), answer(11, 1), temperature(12, 3840, supersedes)},
			[]string{"fever fever [1 2] go-home resident ALARM", "retest no-temperature [3] measure visitor", "fever fever+one-at-a-time [6] measure-again ALARM"}},
		"a higher fever after the next one's visit": {[]step{tapped(0, resident), temperature(1, 3760), tapped(2, visitor), wait(10), temperature(11, 3840, supersedes)},
			[]string{"fever fever [1 2] go-home resident ALARM", "retest no-temperature [3] measure visitor", "fever fever+one-at-a-time [5] measure-again ALARM"}},
		"tapped again after a glance of the next": {[]step{tapped(0, resident), temperature(1, 3650), temperature(1.5, 3650, unsettled), temperature(2.2, 3840), tapped(2.4, resident)},
			[]string{"pass normal [1 2] go resident", "retest unsettled [3] measure-again", "fever fever [4] turn-away ALARM"}},
		"an unsteady fever that settles is one alarm": {[]step{temperature(0, 3740, unsettled), temperature(1, 3760, supersedes)},
			[]string{"fever fever+unsettled [1] turn-away ALARM", "fever fever [1 2] turn-away amends"}},
		"an unsteady fever that settles lower stays one": {[]step{temperature(0, 3740, unsettled), temperature(1, 3690, supersedes), tapped(2, resident)},
			[]string{"fever fever+unsettled [1] turn-away ALARM", "fever fever+unsettled [1 3] go-home resident amends"}},
		"warming up for longer than the window": {[]step{tapped(0, resident), temperature(1, 3480), temperature(10, 3560, supersedes), wait(30)},
			[]string{"invalid too-cold [1 2] warm-up resident"}},
		"warming up with a lost card": {[]step{tapped(0, lost), temperature(1, 3400), temperature(2, 3560, supersedes)},
			[]string{"refuse lost-card [1] turn-away resident", "refuse lost-card [1 2] turn-away resident amends"}},
		"a mixed lane whose thermometer breaks stays mixed": {[]step{tapped(0, resident), tapped(1, visitor), broken(2, "t"), mended(3, "t"), tapped(4, resident)},
			[]string{"retest one-at-a-time [1] measure-again resident", "retest one-at-a-time [2] measure-again visitor",
				"retest one-at-a-time [1 5] measure-again resident amends"}},
		"warming up in front of the sensor, or one close behind": {[]step{tapped(0, resident), temperature(1, 3480), temperature(4, 3560, supersedes)},
			[]string{"invalid too-cold [1 2] warm-up resident"}},
		"warming up before the card": {[]step{temperature(1, 3480), temperature(4, 3560, supersedes), tapped(5, resident)},
			[]string{"invalid too-cold [1] warm-up", "pass normal [2 3] go resident"}},
		"warming up while the next taps": {[]step{tapped(0, resident), temperature(1, 3480), tapped(3, visitor), temperature(4, 3560, supersedes), temperature(6, 3650)},
			[]string{"invalid too-cold [1 2] warm-up resident", "pass normal [3 5] go visitor"}},

		// What does not work.
		"the reader is broken":              {[]step{broken(0, "r"), temperature(1, 3650)}, []string{"refuse no-reader [2] check-identity"}},
		"the reader is broken, a fever":     {[]step{broken(0, "r"), temperature(1, 3840), temperature(4, 3650)}, []string{"fever fever [2] turn-away ALARM", "refuse no-reader [3] check-identity"}},
		"warming up, the reader is broken":  {[]step{broken(0, "r"), temperature(1, 3400), temperature(2, 3600, supersedes)}, []string{"invalid too-cold [2] warm-up", "refuse no-reader [3] check-identity"}},
		"the reader breaks meanwhile":       {[]step{temperature(0, 3650), broken(1, "r"), wait(20)}, []string{"refuse no-reader [1] check-identity"}},
		"the thermometer is broken":         {[]step{broken(0, "t"), tapped(1, resident), tapped(2, visitor)}, []string{"retest no-thermometer [2] measure-by-hand resident", "retest no-thermometer [3] measure-by-hand visitor"}},
		"the thermometer breaks meanwhile":  {[]step{tapped(0, resident), broken(1, "t"), wait(20)}, []string{"retest no-thermometer [1] measure-by-hand resident"}},
		"a lost card, no thermometer":       {[]step{broken(0, "t"), tapped(1, lost), wait(20)}, []string{"refuse lost-card [2] turn-away resident"}},
		"the thermometer is mended":         {[]step{broken(0, "t"), mended(1, "t"), tapped(2, resident), temperature(3, 3650)}, []string{"pass normal [3 4] go resident"}},
		"in front of it when time runs out": {[]step{tapped(0, resident), begun(7.5, "t"), wait(8), temperature(12, 3650)}, []string{"pass normal [1 4] go resident"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range run(newGate(t), c.steps) {
				got = append(got, brief(e))
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

func TestAPassageCarriesAllItWasDecidedOn(t *testing.T) {
	events := run(newGate(t), []step{tapped(0, resident), temperature(2, 3650)})
	p := events[0].Passage
	want := wire.Passage{Verdict: fact.VerdictPass, Reasons: []fact.Reason{fact.ReasonNormal}, Instruction: fact.InstructGo, Direction: "out",
		Class: "resident", Credential: resident, Temperature: temperature(0, 3650).t, Readings: []uint64{1, 2}, Policy: "1",
		Limits: wire.Limits{Fever: 3730, InvalidBelow: 3500, PairingMS: 8000}}
	if !reflect.DeepEqual(p, want) {
		t.Fatalf("got  %+v\nwant %+v", p, want)
	}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
}

// The days of a card are the county's: at 16:30 UTC it is half past midnight
// there.
func TestTheDaysOfACardAreTheCountys(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for card, want := range map[string]string{"F1": "refuse expired", "F2": "pass normal"} {
		g := New(Config{Rules: rules(t), Zone: zone, Lanes: []Lane{{Measures: true, Thermometers: []string{"t"}, Readers: []string{"r"}}}})
		events := run(g, []step{temperature(0, 3650), tapped(10.5*3600, card), temperature(10.5*3600+1, 3650)})
		if got := brief(events[len(events)-1]); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", card, got, want)
		}
	}
}

func TestTheGateSaysWhenItIsDue(t *testing.T) {
	g := newGate(t)
	if _, ok := g.Next(); ok {
		t.Fatal("an empty gate is due")
	}
	run(g, []step{tapped(0, resident), wait(1), tapped(3, resident)})
	if at, ok := g.Next(); !ok || at != moment(11).Boot {
		t.Fatalf("due at %s, %v", at, ok)
	}
	g.Tick(moment(11))
	if _, ok := g.Next(); ok {
		t.Fatal("an empty gate is due")
	}
}

// draw makes a day at a gate.
func draw(t *rapid.T) []step {
	var steps []step
	at := 0.0
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		at += rapid.Float64Range(0, 6).Draw(t, "gap")
		if rapid.Bool().Draw(t, "tap") {
			steps = append(steps, tapped(at, rapid.SampledFrom([]string{resident, resident2, visitor, lost, inward, stranger}).Draw(t, "card")))
			continue
		}
		s := temperature(at, fact.Temp(rapid.IntRange(3300, 4000).Draw(t, "screening")))
		s.t.Settled = rapid.IntRange(0, 5).Draw(t, "settled") > 0
		s.t.Supersedes = rapid.IntRange(0, 4).Draw(t, "supersedes") == 0
		s.t.Ambient = fact.Temp(rapid.IntRange(1000, 3800).Draw(t, "ambient"))
		steps = append(steps, s)
	}
	return append(steps, wait(at+100))
}

func TestWhateverComesTheRulesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := draw(t)
		g := newGate(t)
		used := map[uint64]bool{}
		passes := map[uint64]string{}      // temperature reading to the card it let pass
		passedJustNow := map[uint64]bool{} // taps of a card that passed less than passAgain ago
		passedAt := map[string]float64{}
		for i, s := range steps {
			seq := uint64(i + 1)
			if at, ok := passedAt[s.card]; ok && s.at-at < passAgain.Seconds() {
				passedJustNow[seq] = true
			}
			events := run1(g, s, seq)
			if s.t != nil && s.t.Screening >= 3730 {
				e, ok := feverOf(events, seq)
				if !ok {
					t.Fatalf("a fever of %s gave no fever at once: %v", s.t.Screening, events)
				}
				if !e.Alarm && !s.t.Supersedes {
					t.Fatalf("a fever of %s raised no alarm", s.t.Screening)
				}
			}
			for _, e := range events {
				p := e.Passage
				if err := p.Check(); err != nil {
					t.Fatal(err)
				}
				for _, seq := range p.Readings {
					used[seq] = true
				}
				if e.Alarm != (e.Alarm && p.Verdict == fact.VerdictFever) {
					t.Fatalf("an alarm for %s", brief(e))
				}
				if p.Verdict == fact.VerdictPass {
					checkPass(t, steps, p, passes)
					passedAt[p.Credential] = s.at
				}
			}
		}
		for i, s := range steps {
			superseded, again := s.t != nil && s.t.Supersedes, s.card != "" && passedJustNow[uint64(i+1)]
			if !superseded && !again && (s.t != nil || s.card != "") && !used[uint64(i+1)] {
				t.Fatalf("reading %d was never used", i+1)
			}
		}
		if _, ok := g.Next(); ok || len(g.Prompts()) != 0 {
			t.Fatalf("somebody is left at the gate: %+v", g.Prompts())
		}
	})
}

func run1(g *Gate, s step, seq uint64) []Event {
	r := wire.Reading{Device: "t", Type: fact.ReadingTemperature, Temperature: s.t}
	switch {
	case s.card != "":
		r = wire.Reading{Device: "r", Type: fact.ReadingCard, Credential: s.card, Direction: "out"}
	case s.do != nil:
		return s.do(g)
	case s.t == nil:
		return g.Tick(moment(s.at))
	}
	return g.Observe(moment(s.at), seq, r)
}

func feverOf(events []Event, seq uint64) (Event, bool) {
	for _, e := range events {
		if e.Passage.Verdict == fact.VerdictFever && slices.Contains(e.Passage.Readings, seq) {
			return e, true
		}
	}
	return Event{}, false
}

func checkPass(t *rapid.T, steps []step, p wire.Passage, passes map[uint64]string) {
	cards, temps := 0, 0
	var newest *wire.Temperature
	for _, seq := range p.Readings {
		s := steps[seq-1]
		if s.card != "" {
			cards++
			if s.card != p.Credential || slices.Contains([]string{lost, inward, stranger}, s.card) {
				t.Fatalf("card %s passes as %s", s.card, p.Credential)
			}
			continue
		}
		temps++
		if temps > 1 && !s.t.Supersedes {
			t.Fatalf("a pass on the measurements of two: %v", p.Readings)
		}
		newest = s.t
		if other, ok := passes[seq]; ok {
			t.Fatalf("temperature %d lets %s and %s pass", seq, other, p.Credential)
		}
		passes[seq] = p.Credential
	}
	if cards == 0 || temps == 0 {
		t.Fatalf("a pass with %d cards and %d temperatures", cards, temps)
	}
	if s := newest; s.Screening >= 3730 || s.Screening < 3500 || !s.Settled || s.Ambient < 1600 || s.Ambient > 3500 || *p.Temperature != *s {
		t.Fatalf("a pass on %+v", s)
	}
}
func TestTheSameReadingsGiveTheSameDecisions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := draw(t)
		if a, b := run(newGate(t), steps), run(newGate(t), steps); !reflect.DeepEqual(a, b) {
			t.Fatalf("%v\n%v", a, b)
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	g := newGate(b)
	t := temperature(0, 3650).t
	b.ReportAllocs()
	for i := range b.N {
		at := clock.Moment{Boot: time.Duration(i) * 10 * time.Second}
		g.Observe(at, uint64(2*i+1), wire.Reading{Device: "r", Type: fact.ReadingCard, Credential: resident})
		if e := g.Observe(at, uint64(2*i+2), wire.Reading{Device: "t", Type: fact.ReadingTemperature, Temperature: t}); len(e) != 1 {
			b.Fatal(e)
		}
	}
}
