package gate

import (
	"fmt"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
	"slices"
	"testing"
	"time"
)

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
