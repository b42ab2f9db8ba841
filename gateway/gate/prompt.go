package gate

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Wants says what a visit waits for.
type Wants string

// What a visit can wait for.
const (
	WantsTemperature Wants = "temperature" // a permitted card was tapped
	WantsCard        Wants = "card"        // a normal temperature was measured
	WantsApart       Wants = "apart"       // it is mixed: everybody steps back until it is over
	WantsCode        Wants = "unread"      // a code that can't be read was shown: once more, or another
	WantsNothing     Wants = ""            // a verdict was given; the visit waits in case its other half comes
)

// Prompt is what the people in a lane are asked to do until it is too late.
type Prompt struct {
	Lane       string
	Wants      Wants
	Since      clock.Moment   // when the visit began
	Until      time.Duration  // boot clock
	Reading    uint64         // the first reading of the visit: tells one visit from the next
	Screening  *fact.Temp     // what was measured; nil: nothing yet
	Credential string         // pseudonym of the card; empty: none, or not listed
	Class      string         // of the card
	Direction  fact.Direction // of the card
	Episode    string         // id of the fever episode that the guard has picked; empty: none
}

// Prompts returns what the visits in the lanes wait for, in the lanes' order.
func (g *Gate) Prompts() []Prompt {
	var out []Prompt
	for _, l := range g.lanes {
		v := l.visit
		if v == nil {
			continue
		}
		p := Prompt{Lane: l.Name, Since: v.since, Until: v.until, Reading: v.first(), Episode: v.episode}
		switch {
		case v.mixed:
			p.Wants = WantsApart
		case len(v.temps) == 1 && v.temps[0].verdict == fact.VerdictPass:
			screening := v.temps[0].screening()
			p.Wants, p.Screening = WantsCard, &screening
		case len(v.cards) == 0 && len(v.temps) == 0:
			p.Wants = WantsTemperature // of somebody whom the guard has sent
		case len(v.cards) == 1 && v.cards[0].decision.Allowed && v.cards[0].why == "":
			c := v.cards[0]
			p.Wants, p.Class, p.Direction = WantsTemperature, c.decision.Class, c.direction
			p.Credential = c.credential
		}
		out = append(out, p)
	}
	return out
}

// first returns the oldest reading of a visit; of one without any, that of its fever
// episode.
func (v *visit) first() uint64 {
	if all := v.readings(); len(all) > 0 {
		return slices.Min(all)
	}
	return wire.EpisodeReading(v.episode)
}
