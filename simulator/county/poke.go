package county

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/world"
)

// Kinds are what Poke can make happen.
var Kinds = []string{"pass", "fever", "cold", "hurry", "unknown-card", "lost-card", "sealed", "tap", "measure", "two",
	"sensor-fault", "unplug", "unplug-reader", "cut", "kill"}

// How long a poked fault lasts before it mends itself.
const (
	faultFor = 15 * time.Second
	cutFor   = 30 * time.Second
)

// Poke makes something happen at a gate and says what. It returns when it has
// begun; faults mend themselves.
func (c *County) Poke(ctx context.Context, id, kind string) (string, error) {
	g := c.gates[id]
	if g == nil {
		return "", fmt.Errorf("there is no gate %q; there are %d, such as %s", id, len(c.gates), c.cfg.Gates[0].ID)
	}
	card := g.Cards[0].Code
	later := func(d time.Duration, mend func()) {
		c.pokes.Go(func() {
			pause(ctx, d)
			mend()
		})
	}
	person := func(screening fact.Temp, card, who string) (string, error) {
		c.pokes.Go(func() {
			g.present(ctx, c.cfg.Log, bench.Person{Screening: screening, Card: card, Reader: readerName})
		})
		return fmt.Sprintf("%s (%s): %s of %s °C", g.ID, g.Compound, who, screening), nil
	}
	switch kind {
	case "fever":
		return person(3840, card, "a resident")
	case "cold":
		return person(3340, card, "a resident from the frost,")
	case "pass":
		return person(3650, card, "a resident")
	case "tap", "measure", "two":
		return c.halves(ctx, g, kind)
	case "hurry":
		c.pokes.Go(func() { g.hw.Stand(bench.Surface(3650, g.Offset), 350*time.Millisecond) })
		return fmt.Sprintf("%s (%s): somebody walks past the thermometer", g.ID, g.Compound), nil
	case "lost-card", "sealed":
		status, _, _ := strings.Cut(kind, "-")
		i := slices.IndexFunc(g.Cards, func(c world.Card) bool { return c.Status == status })
		if i < 0 {
			return "", fmt.Errorf("%s has no such card in its roster", g.ID)
		}
		return person(3650, g.Cards[i].Code, "somebody whose card is "+status+",")
	case "unknown-card":
		return person(3650, world.UnknownCard(uint64(len(id))), "somebody with a card of no roster,")
	case "sensor-fault":
		g.hw.SetFault(bench.FaultBroken)
		later(faultFor, func() { g.hw.SetFault(bench.FaultNone) })
		return fmt.Sprintf("%s: its thermometer is broken for %s", g.ID, faultFor), nil
	case "unplug", "unplug-reader":
		device := map[string]string{"unplug": g.hw.Thermometer(), "unplug-reader": readerName}[kind]
		if err := g.hw.Unplug(device); err != nil {
			return "", err
		}
		later(faultFor, func() { _ = g.hw.Plug(device) })
		return fmt.Sprintf("%s: its %s is unplugged for %s", g.ID, device, faultFor), nil
	case "cut":
		g.line.Cut(true)
		later(cutFor, func() { g.line.Cut(false) })
		return fmt.Sprintf("%s: its line to the county is cut for %s; it decides and keeps on its own", g.ID, cutFor),
			nil
	case "kill":
		if g.apart == nil {
			return "", fmt.Errorf("%s runs inside the simulator; only %s is a process of its own",
				g.ID, c.cfg.Apart.Gate)
		}
		g.apart.kill()
		return fmt.Sprintf("%s: its agent is killed; it comes back after %s", g.ID, backAfter), nil
	}
	return "", fmt.Errorf("%q can't be made to happen; these can: %s", kind, strings.Join(Kinds, ", "))
}

// halves lets people come who bring only half of what a gate needs, or two who
// stand there at once and could have swapped temperatures.
func (c *County) halves(ctx context.Context, g *gate, kind string) (string, error) {
	alone := func(screening fact.Temp, card string) {
		p := bench.Person{Screening: screening, Card: card}
		if card != "" {
			p.Reader = readerName
		}
		g.present(ctx, c.cfg.Log, p)
	}
	switch kind {
	case "tap":
		c.pokes.Go(func() { alone(0, g.Cards[0].Code) })
		return fmt.Sprintf("%s (%s): a resident taps a card, and is not measured", g.ID, g.Compound), nil
	case "measure":
		c.pokes.Go(func() { alone(3650, "") })
		return fmt.Sprintf("%s (%s): somebody is measured, and taps no card", g.ID, g.Compound), nil
	}
	c.pokes.Go(func() {
		alone(3660, "")
		alone(3840, "")
		alone(0, g.Cards[0].Code)
		alone(0, g.Cards[1].Code)
	})
	return fmt.Sprintf("%s (%s): two people at once, one of them with 38.40 °C", g.ID, g.Compound), nil
}
