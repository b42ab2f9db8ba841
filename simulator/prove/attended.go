package prove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/help"
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/guard"
	"gatehouse/simulator/world"
)

// attended is a gate with a guard at its screen. Only the fault lets people come to it.
type attended struct {
	guard  *guard.Guard
	guards []policy.Guard // who may sign in; none: nobody need
}

// attendedPolicy lets somebody with a fever wait for ten seconds, the least that may be.
const attendedPolicy = `version: attended
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}
classes:
  resident: {fever: go-home, directions: [in, out]}
  visitor: {fever: turn-away, directions: [in, out]}
  worker: {fever: turn-away, directions: [in, out]}
episode: {wait: 10s, expires: 30m, second: any}
`

// attend gives the last gate a screen, and guards with these PINs.
func attend(pins map[string]string) func(ctx context.Context, r *rig) error {
	return func(ctx context.Context, r *rig) error {
		listen, err := loopback.Free(ctx)
		if err != nil {
			return err
		}
		r.attended = &attended{guard: guard.New(listen)}
		for id, pin := range pins {
			hash, err := policy.NewGuardPIN(pin)
			if err != nil {
				return err
			}
			r.attended.guards = append(r.attended.guards, policy.Guard{ID: id, Hash: hash})
		}
		return nil
	}
}

// write writes the files of the gate in dir, and names them in its configuration.
func (a *attended) write(dir string, cfg *agent.Config) error {
	cfg.Policy = filepath.Join(dir, "policy.yaml")
	cfg.Kiosk = agent.Kiosk{Listen: a.guard.Address(), Title: "attended"}
	cfg.Contacts = []help.Contact{{Role: fact.RoleDoctor, Phone: "0000 000 1120"}}
	err := os.WriteFile(cfg.Policy, []byte(attendedPolicy), 0o600)
	if err != nil || len(a.guards) == 0 {
		return err
	}
	list, err := policy.FormatGuards(a.guards)
	if err != nil {
		return err
	}
	cfg.Guards = filepath.Join(dir, "guards.csv")
	return os.WriteFile(cfg.Guards, list, 0o600)
}

// post is the attended gate of a rig, as the guard and those who come know it.
type post struct {
	*rig
	*guard.Guard

	gate world.Gate
	hw   *bench.Hardware
}

// atPost returns the attended gate, when its screen is there.
func (r *rig) atPost(ctx context.Context) (*post, error) {
	last := len(r.gates) - 1
	p := &post{rig: r, Guard: r.attended.guard, gate: r.gates[last], hw: r.hw[last]}
	return p, p.back(ctx)
}

// shownWithin is how long the screen may take to show what must follow.
const shownWithin = 20 * time.Second

// sees waits until the screen shows what is true of.
func (p *post) sees(ctx context.Context, what string, is func(kiosk.View) bool) (kiosk.View, error) {
	ctx, cancel := context.WithTimeout(ctx, shownWithin)
	defer cancel()
	v, err := p.Await(ctx, is)
	if err != nil {
		return v, fmt.Errorf("the guard does not see %s within %s, but %s %s %v", what, shownWithin, v.Look, v.ID,
			v.Reasons)
	}
	return v, nil
}

// sees waits until the screen is there and says of the post what is true of.
func (p *post) seesOfPost(ctx context.Context, what string, is func(kiosk.Post) bool) error {
	ctx, cancel := context.WithTimeout(ctx, shownWithin)
	defer cancel()
	if x, err := p.AwaitPost(ctx, is); err != nil {
		return fmt.Errorf("the screen does not say %s within %s, but %+v", what, shownWithin, x)
	}
	return nil
}

// back waits until the screen is there and the thermometer has seen the empty gate.
func (p *post) back(ctx context.Context) error {
	if _, err := p.sees(ctx, "the screen", func(v kiosk.View) bool { return v.Look != "" }); err != nil {
		return err
	}
	p.wait(ctx, time.Second)
	return nil
}

// killed kills the agent of the gate, and waits until it is back.
func (p *post) killed(ctx context.Context) error {
	return p.killedWhile(ctx, func() error { retry.Sleep(ctx, 300*time.Millisecond); return nil })
}

// killedWhile kills the agent of the gate, and starts it again when something is done.
func (p *post) killedWhile(ctx context.Context, do func() error) error {
	a := p.agents[len(p.agents)-1]
	a.kill()
	p.kills.Add(1)
	if err := do(); err != nil {
		return err
	}
	if err := a.start(); err != nil {
		return err
	}
	return p.back(ctx)
}

// resident returns the card of a resident who may pass.
func (p *post) resident() (string, error) {
	for _, c := range p.gate.Cards {
		if c.Class == "resident" && c.Status == "active" {
			return c.Code, nil
		}
	}
	return "", errors.New("no resident of the gate may pass")
}

// comes lets somebody stand before the thermometer until the guard sees a verdict; an
// empty card is not tapped.
func (p *post) comes(ctx context.Context, card string, screening fact.Temp) (kiosk.View, error) {
	before := p.View().ID
	p.hw.Stand(bench.Surface(screening, p.gate.Offset), shownWithin)
	defer p.hw.Leave()
	if card != "" {
		if err := p.hw.Tap(ctx, "reader-in", card); err != nil {
			return kiosk.View{}, err
		}
	}
	return p.sees(ctx, "a verdict on "+screening.String(), func(v kiosk.View) bool {
		return v.ID != before && v.Screening != nil && *v.Screening == screening && len(v.Reasons) > 0
	})
}

// kept returns what the journal of the gate holds, in order.
func (p *post) kept() (out []wire.Body, err error) {
	all, err := entries(p.journalDir(p.gate.ID))
	if err != nil {
		return nil, err
	}
	for _, rec := range all {
		body, err := rec.DecodeBody()
		if err != nil {
			return nil, err
		}
		out = append(out, body)
	}
	return out, nil
}

// keptAlarms counts the alarms of a type that the gate has raised.
func (p *post) keptAlarms(t fact.AlarmType) (n int, err error) {
	all, err := p.kept()
	for _, b := range all {
		if al, is := b.(*wire.Alarm); is && al.Type == t && al.State == fact.AlarmRaised {
			n++
		}
	}
	return n, err
}
