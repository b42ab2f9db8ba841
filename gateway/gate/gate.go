// Package gate decides who may pass. It is pure: readings that the journal
// holds, rules and time go in, verdicts come out, so that every decision can
// be made again from its record.
package gate

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// Reasons of verdicts besides those of package policy, as they stand in
// passages.
const (
	ReasonNormal        = "normal"         // settled, in range, below the limit
	ReasonFever         = "fever"          // screening at or above the limit
	ReasonUnsettled     = "unsettled"      // the value did not settle, or the person left too soon
	ReasonTooCold       = "too-cold"       // screening below what can be judged
	ReasonAmbientLow    = "ambient-low"    // colder than the thermometer is rated for
	ReasonAmbientHigh   = "ambient-high"   // warmer than that
	ReasonHotBackground = "hot-background" // something as warm as a person stands behind them
	ReasonNoTemperature = "no-temperature" // a card, and nobody was measured within the window
	ReasonNoCard        = "no-card"        // a measurement, and no card within the window
)

// Config is what a gate decides by.
type Config struct {
	Rules *policy.Rules
	Zone  *time.Location // the county's, for the days that cards are valid
}

// Event is one decision. The agent fills in Passage.LatencyUS, journals it and
// shows it; when Alarm is set it raises a fever alarm that names it.
type Event struct {
	Passage wire.Passage
	Alarm   bool
}

// Gate pairs cards and temperatures. It is for one goroutine.
type Gate struct {
	cfg    Config
	window time.Duration
	limits wire.Limits
	cards  []*card  // waiting for a temperature, oldest first
	temps  []*temp  // normal, waiting for a card, oldest first
	fevers []*temp  // told already, waiting for the card that says whose, oldest first
	last   lastTemp // what became of the newest temperature, by device
}

// card is a tap that waits.
type card struct {
	seqs       []uint64
	credential string
	direction  wire.Direction
	standing   policy.Standing
	told       int // how many of its taps a passage names
	until      time.Duration
}

// temp is a measurement that waits.
type temp struct {
	seqs  []uint64
	value *wire.Temperature
	until time.Duration
}

// decided is what became of a thermometer's newest measurement.
type decided struct {
	seqs    []uint64
	card    *card // it was decided with, or nil
	verdict wire.Verdict
	waiting *temp // not decided yet
}

type lastTemp map[string]*decided

// New makes a gate at which nobody is.
func New(cfg Config) *Gate {
	l := cfg.Rules.Limits
	return &Gate{cfg: cfg, window: l.Pairing, last: lastTemp{}, limits: wire.Limits{
		Fever: wire.Temp(l.Fever), InvalidBelow: wire.Temp(l.InvalidBelow), PairingMS: l.Pairing.Milliseconds()}}
}

// Observe takes a reading that the journal holds under seq. Readings come in
// the order of at; the boot clock drives the pairing window.
func (g *Gate) Observe(at clock.Moment, seq uint64, r wire.Reading) []Event {
	events := g.Tick(at)
	switch r.Type {
	case wire.TypeTemperature:
		if r.Temperature != nil {
			events = append(events, g.temperature(at, seq, r)...)
		}
	case wire.TypeCard, wire.TypeCode:
		events = append(events, g.tap(at, seq, r)...)
	}
	return events
}

// temperature decides on a measurement, or lets it wait for its card.
func (g *Gate) temperature(at clock.Moment, seq uint64, r wire.Reading) []Event {
	t := r.Temperature
	verdict, reasons := g.judge(t)
	before := g.last[r.Device]
	now := &decided{seqs: []uint64{seq}, verdict: verdict}
	if t.Supersedes && before != nil {
		switch {
		case verdict == wire.VerdictFever:
			return g.late(r.Device, now, before, t, reasons)
		case before.waiting != nil && verdict == wire.VerdictPass:
			// The same person still waits for a card: the later value counts.
			before.seqs = append(before.seqs, seq)
			before.waiting.value, before.waiting.seqs = t, before.seqs
			return nil
		case before.waiting != nil:
			// The same person still waits for a card, and no card may pass with
			// what came before: this is told instead of it.
			g.withdraw(before.waiting)
			now.seqs = append(slices.Clone(before.seqs), seq)
		case before.verdict == wire.VerdictPass || before.verdict == wire.VerdictRefuse || before.verdict == wire.VerdictFever:
			// Decided already, and no worse for it. It must not wait: another
			// card would pair with a person who has gone.
			return nil
		}
	}
	g.last[r.Device] = now
	if verdict == wire.VerdictPass {
		c := g.take()
		if c == nil {
			now.waiting = &temp{seqs: now.seqs, value: t, until: at.Boot + g.window}
			g.temps = append(g.temps, now.waiting)
			return nil
		}
		now.card = c
		e := g.paired(c, now.seqs, t)
		now.verdict = e.Passage.Verdict
		return []Event{e}
	}
	c := g.first()
	now.card = c
	e := g.event(verdict, reasons, c, now.seqs, t)
	switch {
	case verdict == wire.VerdictFever:
		e.Alarm = true
		if c != nil {
			g.drop(c)
		} else {
			g.fevers = append(g.fevers, &temp{seqs: now.seqs, value: t, until: at.Boot + g.window})
		}
	case c != nil:
		// Warm up or measure again: the card need not be tapped again.
		c.until = at.Boot + g.window
	}
	return []Event{e}
}

// late is a fever that shows after the same presence was measured lower.
func (g *Gate) late(device string, now, before *decided, t *wire.Temperature, reasons []string) []Event {
	now.seqs = append(slices.Clone(before.seqs), now.seqs...)
	now.card = before.card
	if before.waiting != nil {
		g.withdraw(before.waiting)
		now.card = g.first()
	}
	if now.card != nil {
		g.drop(now.card)
	}
	g.last[device] = now
	e := g.event(wire.VerdictFever, reasons, now.card, now.seqs, t)
	e.Passage.Amends = before.waiting == nil
	e.Alarm = before.verdict != wire.VerdictFever
	return []Event{e}
}

// judge holds a temperature against the limits. Fever comes first: no bad
// condition excuses it. A verdict of pass means normal here; without a card
// nobody passes.
func (g *Gate) judge(t *wire.Temperature) (wire.Verdict, []string) {
	var conditions []string
	if t.Ambient < t.RatedMin {
		conditions = append(conditions, ReasonAmbientLow)
	}
	if t.Ambient > t.RatedMax {
		conditions = append(conditions, ReasonAmbientHigh)
	}
	if t.Hot {
		conditions = append(conditions, ReasonHotBackground)
	}
	unsettled := conditions
	if !t.Settled {
		unsettled = append(slices.Clone(conditions), ReasonUnsettled)
	}
	switch {
	case t.Screening >= g.limits.Fever:
		return wire.VerdictFever, append([]string{ReasonFever}, unsettled...)
	case !t.Settled:
		return wire.VerdictRetest, append([]string{ReasonUnsettled}, conditions...)
	case t.Screening < g.limits.InvalidBelow:
		return wire.VerdictInvalid, append([]string{ReasonTooCold}, conditions...)
	case len(conditions) > 0:
		return wire.VerdictInvalid, conditions
	}
	return wire.VerdictPass, []string{ReasonNormal}
}

// tap decides on a card, or lets it wait for its temperature.
func (g *Gate) tap(at clock.Moment, seq uint64, r wire.Reading) []Event {
	c := g.again(r)
	waits := c != nil
	if waits {
		c.seqs, c.until = append(c.seqs, seq), at.Boot+g.window
	} else {
		g.next()
		c = &card{seqs: []uint64{seq}, credential: r.Credential, direction: r.Direction, until: at.Boot + g.window,
			standing: g.cfg.Rules.Standing(r.Credential, r.Direction, at.Wall.In(g.cfg.Zone))}
	}
	switch {
	case len(g.fevers) > 0:
		f := g.fevers[0]
		g.fevers = g.fevers[1:]
		g.drop(c)
		_, reasons := g.judge(f.value)
		e := g.event(wire.VerdictFever, reasons, c, f.seqs, f.value)
		e.Passage.Amends = true
		return []Event{e}
	case len(g.temps) > 0:
		t := g.temps[0]
		g.temps = g.temps[1:]
		e := g.paired(c, t.seqs, t.value)
		for _, d := range g.last {
			if d.waiting == t {
				d.waiting, d.card, d.verdict = nil, c, e.Passage.Verdict
			}
		}
		return []Event{e}
	}
	if !waits {
		g.cards = append(g.cards, c)
	}
	if c.standing.Allowed {
		return nil
	}
	return []Event{g.event(wire.VerdictRefuse, nil, c, nil, nil)}
}

// next makes room for the next person: whoever was sent back to warm up or to
// measure again taps again when it is their turn. Otherwise their card would
// take the next person's temperature.
func (g *Gate) next() {
	g.cards = slices.DeleteFunc(g.cards, func(c *card) bool { return c.standing.Allowed && c.told == len(c.seqs) })
}

// again finds the same card waiting since an earlier tap.
func (g *Gate) again(r wire.Reading) *card {
	for _, c := range g.cards {
		if c.credential == r.Credential && c.direction == r.Direction {
			return c
		}
	}
	return nil
}

// first is the card that has waited longest, or nil.
func (g *Gate) first() *card {
	if len(g.cards) == 0 {
		return nil
	}
	return g.cards[0]
}

// take takes the card that has waited longest away.
func (g *Gate) take() *card {
	c := g.first()
	if c != nil {
		g.cards = g.cards[1:]
	}
	return c
}

// withdraw takes a measurement away that waits for its card.
func (g *Gate) withdraw(t *temp) {
	g.temps = slices.DeleteFunc(g.temps, func(x *temp) bool { return x == t })
}

func (g *Gate) drop(c *card) {
	g.cards = slices.DeleteFunc(g.cards, func(x *card) bool { return x == c })
}

// paired decides on a card and a normal temperature.
func (g *Gate) paired(c *card, seqs []uint64, t *wire.Temperature) Event {
	g.drop(c)
	verdict, reasons := wire.VerdictPass, []string{ReasonNormal}
	if !c.standing.Allowed {
		verdict, reasons = wire.VerdictRefuse, nil
	}
	return g.event(verdict, reasons, c, seqs, t)
}
