package county

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/simulator/clerk"
	"gatehouse/simulator/guard"
	"gatehouse/simulator/world"
)

// Stage says at which gates scenes play, besides the standalone one. A scene is people,
// weather and a guard who play together what a rule is made for.
type Stage struct {
	Gates []string      // ids
	Kiosk string        // address of the screen of the first one; the others have free ports
	Every time.Duration // a scene begins by itself at the first one after such a pause; 0: only when poked
	Pace  time.Duration // pause after each step, in which somebody can look at the screen
	Out   io.Writer     // scenes are announced here; nil: nowhere
	Desk  *clerk.Clerk  // answers calls of guards; nil: scenes with a call do not play
}

// screen is the guard's screen of a gate whose agent runs in this process.
type screen struct {
	*kiosk.Kiosk
	listener net.Listener
}

// equip gives a gate what it has besides its hardware: a place for scenes, and where
// the guard enters values, or scenes play, a screen.
func (c *County) equip(ctx context.Context, x *gate, cfg *agent.Config, opts *agent.Options) (err error) {
	x.Stage = c.plays(x.ID)
	address := "127.0.0.1:0"
	switch {
	case c.cfg.Standalone.Gate == x.ID:
		cfg.Kiosk = agent.Kiosk{Listen: c.cfg.Standalone.Kiosk, Title: x.title()}
		if cfg.Kiosk.Listen != "" {
			x.guard = guard.New(cfg.Kiosk.Listen)
		}
		return nil
	case x.Heated && !x.Stage:
		return nil
	case c.cfg.Stage.Kiosk != "" && x.ID == c.cfg.Stage.Gates[0]:
		address = c.cfg.Stage.Kiosk
	}
	x.screen = &screen{}
	if x.screen.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address); err != nil {
		return fmt.Errorf("serve the guard's screen: %w", err)
	}
	x.guard = guard.New(x.screen.listener.Addr().String())
	x.screen.Kiosk, err = kiosk.New(kiosk.Options{Title: x.title(), Agent: x.ID, Version: opts.Version,
		Clock: opts.Clock, Log: opts.Log})
	opts.Screen = x.screen
	return err
}

func (g *gate) title() string { return g.Compound + " · 1号门" }

// plays reports whether scenes play at a gate.
func (c *County) plays(id string) bool {
	return slices.Contains(c.cfg.Stage.Gates, id) || id == c.cfg.Standalone.Gate && c.cfg.Standalone.Kiosk != ""
}

// Where lists the gates at which scenes play, with the addresses of their screens.
func (c *County) Where() string {
	var out []string
	for _, g := range c.cfg.Gates {
		if x := c.gates[g.ID]; x.Stage {
			out = append(out, fmt.Sprintf("%s http://%s", x.ID, x.guard.Address()))
		}
	}
	return strings.Join(out, ", ")
}

// How long the guard looks at a screen before acting: whoever answers an alarm within a
// second has not read it.
const (
	readsAlarm = 2 * time.Second
	measures   = 700 * time.Millisecond
)

// answers are the buttons that the guard presses outside scenes.
var answers = map[kiosk.Look]string{kiosk.LookFever: kiosk.ActionIsolate, kiosk.LookSealed: kiosk.ActionSentBack,
	kiosk.LookUnknown: kiosk.ActionTurnedAway, kiosk.LookFault: kiosk.ActionNoted, kiosk.LookOffline: kiosk.ActionNoted}

// duty plays the guard of a gate outside scenes until ctx is done: alarms are answered,
// and who can't be judged, such as in the cold, is measured by hand.
func (c *County) duty(ctx context.Context, g *gate) {
	rnd := rand.New(rand.NewPCG(uint64(len(g.Cards)), 4)) //nolint:gosec // not for security
	last := ""
	for {
		v, err := g.guard.Await(ctx, func(v kiosk.View) bool {
			return v.ID != "" && v.ID != last && (answers[v.Look] != "" || measuresByHand(v))
		})
		if err != nil {
			return
		}
		last = v.ID
		looks := measures
		if answers[v.Look] != "" {
			looks = readsAlarm
		}
		if !retry.Sleep(ctx, looks) {
			return
		}
		g.post.Lock() // during a scene its guard acts
		if action := answers[v.Look]; action != "" {
			err = g.guard.Press(ctx, v, action)
		} else {
			err = g.guard.Enter(ctx, v, fact.Temp(3620+10*rnd.IntN(7)), fact.HandHeldContact)
		}
		g.post.Unlock()
		if err != nil && ctx.Err() == nil { // the screen shows something else by now
			c.cfg.Log.Debug("the guard", "gate", g.ID, "err", err)
		}
	}
}

// measuresByHand reports whether the guard can enter a value for the person shown.
func measuresByHand(v kiosk.View) bool {
	return (v.Look == kiosk.LookInvalid || v.Look == kiosk.LookRetest) && slices.Contains(v.Actions, kiosk.ActionEnter)
}

// act is a scene that plays at a gate. Nobody else comes to the gate meanwhile.
type act struct {
	*gate
	c     *County
	cast  world.Cast
	take  int       // how many scenes have played at the gate before: each has its own people
	began time.Time // when the scene did
	last  string    // id of what the screen showed before somebody came
}

// Play plays a scene at a gate and returns when it is over, with what did not happen as
// it should.
func (c *County) Play(ctx context.Context, id, name string) error {
	g := c.gates[id]
	s, err := c.find(id, name)
	if err != nil {
		return err
	}
	g.busy.Lock()
	defer g.busy.Unlock()
	g.post.Lock()
	defer g.post.Unlock()
	a := &act{gate: g, c: c, cast: g.Cast(), take: g.takes, began: time.Now()}
	g.takes++
	c.say("\n场景 %s · %s · http://%s\n  %s\n  %s\n", s.name, g.ID, g.guard.Address(), s.zh, s.en)
	if err = a.signedIn(ctx); err == nil {
		err = s.play(ctx, a)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		c.say("  %s %s 没有演成 / failed: %v\n", g.ID, s.name, err)
		return fmt.Errorf("scene %s at %s: %w", name, id, err)
	}
	c.say("  %s %s 演完 / is over\n", g.ID, s.name)
	return nil
}

// find returns the scene with a name, or why it does not play at a gate.
func (c *County) find(id, name string) (scene, error) {
	i := slices.IndexFunc(scenes, func(s scene) bool { return s.name == name })
	switch g := c.gates[id]; {
	case i < 0 || g == nil || !g.Stage:
		return scene{}, fmt.Errorf("scene %q at %s: scenes play at %s", name, id, c.Where())
	case scenes[i].manned && !c.manned(id):
		return scene{}, fmt.Errorf("scene %s plays where a simulated guard signs in: %s; at %s the guard is who sits "+
			"in front of http://%s", name, strings.Join(c.cfg.Stage.Gates, ", "), id, g.guard.Address())
	}
	return scenes[i], nil
}

// say announces something.
func (c *County) say(format string, args ...any) {
	if c.cfg.Stage.Out != nil {
		fmt.Fprintf(c.cfg.Stage.Out, format, args...)
	}
}

// playAll plays one scene after the other at the first gate of the stage until ctx is
// done.
func (c *County) playAll(ctx context.Context) {
	for {
		for _, s := range scenes {
			if !retry.Sleep(ctx, c.cfg.Stage.Every) {
				return
			}
			_ = c.Play(ctx, c.cfg.Stage.Gates[0], s.name) // said, if it failed
		}
	}
}
