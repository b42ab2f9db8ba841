package gate

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

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
	return New(Config{Rules: rules(t), Zone: time.UTC,
		Lanes: []Lane{{Measures: true, Thermometers: []string{"t"}, Readers: []string{"r"}}}})
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
func drifts(t *wire.Temperature)     { t.Drift = true }
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

// brief is an event in a line: verdict, reasons, readings, instruction.
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

func TestAPassageCarriesAllItWasDecidedOn(t *testing.T) {
	events := run(newGate(t), []step{tapped(0, resident), temperature(2, 3650)})
	p := events[0].Passage
	want := wire.Passage{Verdict: fact.VerdictPass, Reasons: []fact.Reason{fact.ReasonNormal},
		Instruction: fact.InstructGo, Direction: "out",
		Class: "resident", Credential: resident, Temperature: temperature(0, 3650).t, Readings: []uint64{1, 2},
		Policy: "1", Basis: &wire.Basis{Rule: "classes.resident"},
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
		g := New(Config{Rules: rules(t), Zone: zone,
			Lanes: []Lane{{Measures: true, Thermometers: []string{"t"}, Readers: []string{"r"}}}})
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
func BenchmarkObserve(b *testing.B) {
	g := newGate(b)
	t := temperature(0, 3650).t
	b.ReportAllocs()
	for i := range b.N {
		at := clock.Moment{Boot: time.Duration(i) * 10 * time.Second}
		g.Observe(at, uint64(2*i+1), wire.Reading{Device: "r", Type: fact.ReadingCard, Credential: resident})
		if e := g.Observe(at, uint64(2*i+2), wire.Reading{Device: "t", Type: fact.ReadingTemperature,
			Temperature: t}); len(e) != 1 {
			b.Fatal(e)
		}
	}
}
