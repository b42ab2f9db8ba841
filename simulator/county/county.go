// Package county runs the gates of a simulated county in one process: for each
// the production agent on simulated hardware, with people who come according to
// the world's timetable.
package county

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/retry"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/guard"
	"gatehouse/simulator/world"
)

// Config are the options of a county.
type Config struct {
	Gates        []world.Gate
	Dir          string // for journals, rosters, ports; created if missing
	Broker       string // tcp://host:port
	CollectorKey string // file
	SiteKey      string // file
	// Speed compresses the timetable of arrivals: with 60 the arrivals of an
	// hour come within a minute. Bytes, settling and clocks stay real.
	Speed      float64
	From       time.Duration // simulated time of day at the start
	Standalone Standalone
	Stage      Stage
	Log        *slog.Logger
}

// County is a simulated county. Make it with New and run it with Run; Poke and
// Serve may be called from other goroutines meanwhile.
type County struct {
	cfg   Config
	began time.Time
	gates map[string]*gate
	pokes sync.WaitGroup // what Poke has begun
}

// gate is one gate with its hardware, agent and line.
type gate struct {
	world.Gate
	hw    *bench.Hardware
	agent interface {
		Run(ctx context.Context) error
	}
	inside  *agent.Agent // the agent, if it runs in this process
	program *program     // or nil
	line    *faults.Proxy
	guard   *guard.Guard // nil: has no screen
	screen  *screen      // of an agent in this process, if it has one
	busy    sync.Mutex   // held while a person is at the gate
	post    sync.Mutex   // held while the guard acts
	played
}

// New returns the county; nothing runs yet. ctx bounds the lines' lifetime.
func New(ctx context.Context, cfg Config) (*County, error) {
	c := &County{cfg: cfg, gates: map[string]*gate{}}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the county's folder: %w", err)
	}
	for name, text := range map[string][]byte{countyRules: world.Policy(), stageRules: world.StagePolicy(),
		mannedRules: world.MannedPolicy()} {
		if err := os.WriteFile(filepath.Join(cfg.Dir, name), text, 0o600); err != nil {
			return nil, fmt.Errorf("write the policy: %w", err)
		}
	}
	boot, err := clock.BootID()
	if err != nil {
		return nil, err
	}
	host, err := identity.HostID(cfg.Dir)
	if err != nil {
		return nil, err
	}
	for _, g := range cfg.Gates {
		x, err := c.newGate(ctx, g, agent.Options{
			Clock:   clock.System{},
			BootID:  boot,
			HostID:  host,
			Version: "simulated",
			Log:     cfg.Log,
		})
		if err != nil {
			c.Close()
			return nil, fmt.Errorf("gate %s: %w", g.ID, err)
		}
		c.gates[g.ID] = x
	}
	return c, nil
}

// The files of the policies.
const countyRules, stageRules, mannedRules = "policy.yaml", "policy-scenes.yaml", "policy-post.yaml"

const readerName = "reader-in"

// Readers returns the readers of a simulated gate: a card reader, and at some
// gates a scanner.
func Readers(g world.Gate) []bench.Reader {
	r := []bench.Reader{{Name: readerName, Model: "rdm6300", Direction: fact.DirectionIn}}
	if g.Stage {
		r = append(r, bench.Reader{Name: exitName, Model: "rdm6300", Direction: fact.DirectionOut})
	}
	if g.Scanner {
		r = append(r, bench.Reader{Name: "scanner", Model: "qr-scanner", Direction: fact.DirectionIn})
	}
	return r
}

func (c *County) newGate(ctx context.Context, g world.Gate, opts agent.Options) (*gate, error) {
	dir := filepath.Join(c.cfg.Dir, g.ID)
	x := &gate{Gate: g}
	cfg := agent.Config{
		County:       world.CountyID,
		Agent:        g.ID,
		Dir:          filepath.Join(dir, "journal"),
		CollectorKey: c.cfg.CollectorKey,
		SiteKey:      c.cfg.SiteKey,
		Policy:       filepath.Join(c.cfg.Dir, countyRules),
		Roster:       filepath.Join(dir, "roster.csv"),
		Contacts:     contacts(),
	}
	if err := c.equip(ctx, x, &cfg, &opts); err != nil {
		return nil, err
	}
	if err := c.connect(ctx, x, dir, &cfg); err != nil {
		return nil, errors.Join(err, x.close())
	}
	opts.Ports = x.hw.Ports(port.NewHost())
	var err error
	if c.cfg.Standalone.Gate == g.ID {
		x.program, err = newProgram(c.cfg.Standalone, dir, cfg, c.cfg.Log)
		x.agent = x.program
	} else {
		x.inside, err = agent.New(cfg, opts)
		x.agent = x.inside
	}
	if err != nil {
		return nil, errors.Join(err, x.close())
	}
	return x, nil
}

// connect makes the gate's hardware, its roster and its line to the county, and writes
// them into its agent's configuration.
func (c *County) connect(ctx context.Context, x *gate, dir string, cfg *agent.Config) (err error) {
	x.hw, err = bench.New(filepath.Join(dir, "ports"), bench.Spec{
		Thermometer: x.Thermometer,
		Readers:     Readers(x.Gate),
		Outputs:     true,
		Offset:      x.Offset,
		Ambient:     x.Ambient(c.cfg.From),
	})
	if err != nil {
		return err
	}
	cfg.Station = station.Config{Devices: x.hw.Devices()}
	if err := os.WriteFile(cfg.Roster, x.Roster(), 0o600); err != nil {
		return err
	}
	if err := c.rules(x, dir, cfg); err != nil {
		return err
	}
	u, err := url.Parse(c.cfg.Broker)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if x.line, err = faults.NewProxy(ctx, u.Host); err != nil {
		return err
	}
	cfg.Broker = mqtt.Broker{URL: "tcp://" + x.line.Addr()}
	return nil
}

// close closes the gate's line and screen.
func (g *gate) close() error {
	if g.line != nil {
		g.line.Close()
	}
	if g.screen == nil {
		return nil
	}
	err := g.screen.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil // the screen was served
	}
	return err
}

// Run runs all gates until ctx is done and returns what failed.
func (c *County) Run(ctx context.Context) error {
	c.began = time.Now()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, g := range c.gates {
		wg.Go(func() { g.hw.Run(ctx) })
		wg.Go(func() {
			if err := g.agent.Run(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("gate %s: %w", g.ID, err))
			}
		})
		wg.Go(func() { c.people(ctx, g) })
		c.runGuard(ctx, &wg, g)
	}
	if len(c.cfg.Stage.Gates) > 0 && c.cfg.Stage.Every > 0 {
		wg.Go(func() { c.playAll(ctx) })
	}
	wg.Wait()
	c.pokes.Wait()
	c.Close()
	return errors.Join(errs...)
}

// runGuard runs the gate's screen and its guard until ctx is done.
func (c *County) runGuard(ctx context.Context, wg *sync.WaitGroup, g *gate) {
	if g.guard == nil {
		return
	}
	wg.Go(func() { g.guard.Run(ctx) })
	if g.screen == nil {
		return // somebody in front of the standalone gate's screen is its guard outside scenes
	}
	wg.Go(func() { c.duty(ctx, g) })
	if c.manned(g.ID) {
		wg.Go(func() { c.attend(ctx, g) })
	}
	wg.Go(func() {
		if err := g.screen.Serve(ctx, g.screen.listener, g.inside, g.inside.Board()); err != nil && ctx.Err() == nil {
			c.cfg.Log.Error("serve the guard's screen", "gate", g.ID, "err", err)
		}
	})
}

// Close closes the gates' lines and screens. Run does it at its end.
func (c *County) Close() {
	for _, g := range c.gates {
		_ = g.close() // nothing is written there
	}
}

// personGap is the time between two people at one gate: one steps away, the
// next steps up.
const personGap = 2 * time.Second

// people simulates the arrivals of the gate's timetable.
func (c *County) people(ctx context.Context, g *gate) {
	day := g.Day(c.cfg.From)
	for ctx.Err() == nil {
		a := day.Next()
		due := c.began.Add(time.Duration(float64(a.At-c.cfg.From) / c.cfg.Speed))
		if !retry.Sleep(ctx, time.Until(due)) {
			return
		}
		p := bench.Person{Screening: a.Screening, Card: a.Card, Reader: readerName}
		switch {
		case a.Code != "":
			p.Card, p.Reader = a.Code, "scanner"
		case a.Card == "":
			p.Reader = ""
		}
		g.present(ctx, c.cfg.Log, p, func() { g.hw.SetAmbient(g.Ambient(a.At)) })
	}
}

// present lets a person come when nobody else is at the gate, and calls before then.
func (g *gate) present(ctx context.Context, log *slog.Logger, p bench.Person, before func()) {
	g.busy.Lock()
	defer g.busy.Unlock()
	before()
	if err := g.hw.Present(ctx, p); err != nil && ctx.Err() == nil {
		log.Error("simulate a person", "gate", g.ID, "err", err)
	}
	retry.Sleep(ctx, personGap)
}
