package gate

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func draw(t *rapid.T) []step {
	var steps []step
	at := 0.0
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		at += rapid.Float64Range(0, 6).Draw(t, "gap")
		if rapid.Bool().Draw(t, "tap") {
			steps = append(steps, tapped(at, rapid.SampledFrom([]string{resident, resident2, visitor, lost, inward,
				stranger}).Draw(t, "card")))
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
	if s := newest; s.Screening >= 3730 || s.Screening < 3500 || !s.Settled || s.Ambient < 1600 || s.Ambient > 3500 ||
		*p.Temperature != *s {
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
