package county

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/world"
)

// Kinds are the things that Poke can make happen.
var Kinds = []string{"pass", "fever", "cold", "hurry", "unknown-card", "lost-card", "sealed", "tap", "measure", "two",
	"sensor-fault", "unplug", "unplug-reader", "cut", "kill"}

// How long a poked fault lasts.
const (
	faultFor = 15 * time.Second
	cutFor   = 30 * time.Second
)

// Poke makes something happen at a gate and returns a line that says what. It
// returns when it has begun; faults end by themselves.
func (c *County) Poke(ctx context.Context, id, kind string) (string, error) {
	g := c.gates[id]
	if g == nil {
		return "", fmt.Errorf("there is no gate %q; there are %d, such as %s", id, len(c.gates), c.cfg.Gates[0].ID)
	}
	switch kind {
	case "pass", "fever", "cold", "unknown-card", "lost-card", "sealed":
		return c.pokePerson(ctx, g, kind)
	case "tap", "measure", "two", "hurry":
		return c.pokeIncomplete(ctx, g, kind)
	case "sensor-fault", "unplug", "unplug-reader", "cut", "kill":
		return c.pokeFault(ctx, g, kind)
	}
	if slices.Contains(SceneNames(), kind) {
		return c.pokeScene(ctx, g, kind)
	}
	return "", fmt.Errorf("%q can't be made to happen; these can: %s, %s", kind, strings.Join(Kinds, ", "),
		strings.Join(SceneNames(), ", "))
}

// pokeScene plays a scene.
func (c *County) pokeScene(ctx context.Context, g *gate, name string) (string, error) {
	if _, err := c.find(g.ID, name); err != nil {
		return "", err
	}
	c.pokes.Go(func() { _ = c.Play(ctx, g.ID, name) }) // said, if it failed
	return fmt.Sprintf("%s (%s): the scene %s begins when nobody else is at the gate; watch http://%s", g.ID,
		g.Compound, name, g.guard.Address()), nil
}

// pokePerson lets one person come who is measured and taps a card.
func (c *County) pokePerson(ctx context.Context, g *gate, kind string) (string, error) {
	screening, card, who, reader := fact.Temp(3650), g.Cards[0].Code, "a resident", readerName
	switch kind {
	case "fever":
		screening, card = 3840, g.nextFeverish()
	case "cold":
		screening, who = 3340, "a resident from the frost,"
	case "unknown-card":
		card, who = world.UnknownCard(uint64(len(g.ID))), "somebody with a card of no roster,"
	case "lost-card", "sealed":
		status, _, _ := strings.Cut(kind, "-")
		i := slices.IndexFunc(g.Cards, func(c world.Card) bool { return c.Status == status })
		if i < 0 {
			return "", fmt.Errorf("%s has no such card in its roster", g.ID)
		}
		card, who = g.Cards[i].Code, "somebody whose card is "+status+","
		if kind == "sealed" && g.Stage { // its rules let them come home
			who, reader = who+" on the way out,", exitName
		}
	}
	p := bench.Person{Screening: screening, Card: card, Reader: reader}
	c.pokes.Go(func() { g.present(ctx, c.cfg.Log, p, func() {}) })
	return fmt.Sprintf("%s (%s): %s of %s °C", g.ID, g.Compound, who, screening), nil
}

// nextFeverish returns the card of another resident each time: whoever has a fever waits
// before they are measured again. It is never one of the first two cards, whose holders
// come for other pokes.
func (g *gate) nextFeverish() string {
	others := slices.DeleteFunc(slices.Clone(g.Cards[2:]), func(c world.Card) bool {
		return c.Status != "active" || c.Class != "resident"
	})
	return others[(g.fevers.Add(1)-1)%int64(len(others))].Code
}

// visit lets a person come with a card, who is measured unless screening is 0
// and taps unless card is empty.
func (c *County) visit(ctx context.Context, g *gate, screening fact.Temp, card string) {
	p := bench.Person{Screening: screening, Card: card}
	if card != "" {
		p.Reader = readerName
	}
	g.present(ctx, c.cfg.Log, p, func() {})
}

// pokeIncomplete lets people come who bring only half of what a gate needs, or
// two at once who could have swapped temperatures.
func (c *County) pokeIncomplete(ctx context.Context, g *gate, kind string) (string, error) {
	var act func()
	var text string
	switch kind {
	case "tap":
		act = func() { c.visit(ctx, g, 0, g.Cards[0].Code) }
		text = "a resident taps a card, and is not measured"
	case "measure":
		act = func() { c.visit(ctx, g, 3650, "") }
		text = "somebody is measured, and taps no card"
	case "hurry":
		act = func() { g.hw.Stand(bench.Surface(3650, g.Offset), 350*time.Millisecond) }
		text = "somebody walks past the thermometer"
	case "two":
		act = func() {
			c.visit(ctx, g, 3660, "")
			c.visit(ctx, g, 3840, "")
			c.visit(ctx, g, 0, g.Cards[0].Code)
			c.visit(ctx, g, 0, g.Cards[1].Code)
		}
		text = "two people at once, one of them with 38.40 °C"
	}
	c.pokes.Go(act)
	return fmt.Sprintf("%s (%s): %s", g.ID, g.Compound, text), nil
}

// pokeFault injects a fault for a while.
func (c *County) pokeFault(ctx context.Context, g *gate, kind string) (string, error) {
	later := func(d time.Duration, end func()) {
		c.pokes.Go(func() {
			retry.Sleep(ctx, d)
			end()
		})
	}
	switch kind {
	case "sensor-fault":
		g.hw.SetFault(bench.FaultBroken)
		later(faultFor, func() { g.hw.SetFault(bench.FaultNone) })
		return fmt.Sprintf("%s: its thermometer is broken for %s", g.ID, faultFor), nil
	case "cut":
		g.line.Cut(true)
		later(cutFor, func() { g.line.Cut(false) })
		return fmt.Sprintf("%s: its line to the county is cut for %s; it decides and keeps on its own", g.ID, cutFor),
			nil
	case "kill":
		if g.program == nil {
			return "", fmt.Errorf("%s runs inside the simulator; only %s is a process of its own",
				g.ID, c.cfg.Standalone.Gate)
		}
		g.program.kill()
		return fmt.Sprintf("%s: its agent is killed; it comes back after %s", g.ID, restartAfter), nil
	}
	devices := []string{g.hw.Thermometer()}
	if kind == "unplug-reader" {
		devices = []string{readerName}
		if g.Stage {
			devices = append(devices, exitName)
		}
	}
	for _, d := range devices {
		if err := g.hw.Unplug(d); err != nil {
			return "", err
		}
		later(faultFor, func() { _ = g.hw.Plug(d) })
	}
	return fmt.Sprintf("%s: unplugged for %s: %s", g.ID, faultFor, strings.Join(devices, ", ")), nil
}
