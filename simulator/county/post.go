package county

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/retry"
	"gatehouse/simulator/world"
)

// played is what has been played at a gate.
type played struct {
	takes  int          // scenes that have begun; busy is held
	fevers atomic.Int64 // people with a fever who came for pokes
	away   atomic.Bool  // the guard has walked away
}

// manned reports whether a simulated guard signs in at a gate: where scenes play, but for
// the standalone gate, whose guard is who sits in front of its screen.
func (c *County) manned(id string) bool { return slices.Contains(c.cfg.Stage.Gates, id) }

// rules gives a gate at which scenes play its policy, and a manned one its guard.
func (c *County) rules(x *gate, dir string, cfg *agent.Config) error {
	switch {
	case !x.Stage:
		return nil
	case !c.manned(x.ID):
		cfg.Policy = filepath.Join(c.cfg.Dir, stageRules)
		return nil
	}
	cfg.Policy = filepath.Join(c.cfg.Dir, mannedRules)
	cfg.Guards = filepath.Join(dir, "guards.csv")
	text, err := policy.FormatGuards([]policy.Guard{{ID: world.GuardID, Card: x.Cast().Guard}})
	if err != nil {
		return fmt.Errorf("write the guards: %w", err)
	}
	return os.WriteFile(cfg.Guards, text, 0o600)
}

// looksUp is how often a guard looks at what the screen asks.
const looksUp = time.Second

// attend plays that the guard of a manned gate is at the post: signs in, and answers
// whether they are still there, unless they have walked away.
func (c *County) attend(ctx context.Context, g *gate) {
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, 5*looksUp)
		p, err := g.guard.AwaitPost(wait, func(p kiosk.Post) bool {
			return !g.away.Load() && len(p.Guards) > 0 && (p.On == "" || p.Asked != nil)
		})
		cancel()
		switch {
		case err != nil: // nothing is asked
			continue
		case p.On == "":
			err = g.hw.Tap(ctx, readerName, g.Cast().Guard)
		default:
			err = g.guard.StillHere(ctx)
		}
		if err != nil && ctx.Err() == nil {
			c.cfg.Log.Debug("the guard", "gate", g.ID, "err", err)
		}
		retry.Sleep(ctx, looksUp)
	}
}

// signedIn waits until the guard of a manned gate has signed in.
func (a *act) signedIn(ctx context.Context) error {
	if !a.c.manned(a.ID) {
		return nil
	}
	wait, cancel := context.WithTimeout(ctx, seenWithin)
	defer cancel()
	if _, err := a.guard.AwaitPost(wait, func(p kiosk.Post) bool { return p.On != "" }); err != nil {
		return fmt.Errorf("no guard has signed in within %s", seenWithin)
	}
	return nil
}
