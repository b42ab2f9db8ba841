package versions

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

// Whatever gates do and somebody at the desk does: no more are upgraded at once than may be, no
// gate is asked while an earlier wave is not over, or while the rollout is not running, or twice.
func TestARolloutKeepsItsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var waves [][]string
		for i := range rapid.IntRange(1, 3).Draw(t, "waves") {
			var gates []string
			for j := range rapid.IntRange(1, 12).Draw(t, "gates") {
				gates = append(gates, fmt.Sprintf("%d-%d", i, j))
			}
			waves = append(waves, gates)
		}
		c := newCounty(waves...)
		ends := []fact.UpgradeState{"", "", "", fact.UpgradeBack, fact.UpgradeUnchanged, fact.UpgradeStuck}
		for _, g := range c.gates {
			g.fails = rapid.SampledFrom(ends).Draw(t, "ends")
			g.seen.Online = rapid.IntRange(0, 5).Draw(t, "away") > 0
		}
		for range rapid.IntRange(1, 120).Draw(t, "turns") {
			before, was, asked := c.r, c.r.current(), len(c.asked)
			switch rapid.IntRange(0, 30).Draw(t, "does") {
			case 0:
				c.r = c.r.GoOn(c.now)
			case 1:
				c.r = c.r.Stop(c.now)
			case 2:
				c.r = c.r.LeaveOut(c.now)
			case 3:
				c.gates[rapid.SampledFrom(slices.Concat(waves...)).Draw(t, "gate")].seen.Online = true
			}
			running := c.r.State == Running
			c.turn(time.Duration(rapid.IntRange(1, 300).Draw(t, "s")) * time.Second)
			if !running && len(c.asked) > asked {
				t.Fatalf("asked while it was %s", before.State)
			}
			for _, a := range c.asked[asked:] {
				if int(a[0]-'0') != was {
					t.Fatalf("%s is asked while wave %d is on", a, was)
				}
			}
			busy := 0
			for i, w := range c.r.Waves {
				for _, g := range w.Gates {
					if g.busy() {
						busy++
					}
					if i > c.r.current() && c.r.current() >= 0 && g.State != Waits {
						t.Fatalf("%+v is of a wave to come", g)
					}
				}
			}
			seen := slices.Compact(slices.Sorted(slices.Values(c.asked)))
			if busy > AtOnce || len(seen) != len(c.asked) {
				t.Fatalf("%d at once; asked %v", busy, c.asked)
			}
		}
	})
}
