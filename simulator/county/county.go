// Package county runs the gates of a simulated county in one process: for each
// the production agent on simulated hardware, with people who come according to
// the world's timetable.
package county

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	program *program // or nil
	line    *faults.Proxy
	busy    sync.Mutex // held while a person is at the gate
}

// New returns the county; nothing runs yet. ctx bounds the lines' lifetime.
func New(ctx context.Context, cfg Config) (*County, error) {
	c := &County{cfg: cfg, gates: map[string]*gate{}}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the county's folder: %w", err)
	}
	rules := filepath.Join(cfg.Dir, "policy.yaml")
	if err := os.WriteFile(rules, world.Policy(), 0o600); err != nil {
		return nil, fmt.Errorf("write the policy: %w", err)
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
		x, err := c.newGate(ctx, g, rules, agent.Options{
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

const readerName = "reader-in"

// Readers returns the readers of a simulated gate: a card reader, and at some
// gates a scanner.
func Readers(g world.Gate) []bench.Reader {
	r := []bench.Reader{{Name: readerName, Model: "rdm6300", Direction: fact.DirectionIn}}
	if g.Scanner {
		r = append(r, bench.Reader{Name: "scanner", Model: "qr-scanner", Direction: fact.DirectionIn})
	}
	return r
}

func (c *County) newGate(ctx context.Context, g world.Gate, rules string, opts agent.Options) (*gate, error) {
	dir := filepath.Join(c.cfg.Dir, g.ID)
	hw, err := bench.New(filepath.Join(dir, "ports"), bench.Spec{
		Thermometer: g.Thermometer,
		Readers:     Readers(g),
		Outputs:     true,
		Offset:      g.Offset,
		Ambient:     g.Ambient(c.cfg.From),
	})
	if err != nil {
		return nil, err
	}
	roster := filepath.Join(dir, "roster.csv")
	if err := os.WriteFile(roster, g.Roster(), 0o600); err != nil {
		return nil, err
	}
	u, err := url.Parse(c.cfg.Broker)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	line, err := faults.NewProxy(ctx, u.Host)
	if err != nil {
		return nil, err
	}
	opts.Ports = hw.Ports(port.NewHost())
	cfg := agent.Config{
		County:       world.CountyID,
		Agent:        g.ID,
		Dir:          filepath.Join(dir, "journal"),
		Broker:       mqtt.Broker{URL: "tcp://" + line.Addr()},
		CollectorKey: c.cfg.CollectorKey,
		SiteKey:      c.cfg.SiteKey,
		Policy:       rules,
		Roster:       roster,
		Station:      station.Config{Devices: hw.Devices()},
	}
	x := &gate{Gate: g, hw: hw, line: line}
	if c.cfg.Standalone.Gate == g.ID {
		cfg.Kiosk = agent.Kiosk{Listen: c.cfg.Standalone.Kiosk, Title: g.Compound + " · 1号门"}
		x.program, err = newProgram(c.cfg.Standalone, dir, cfg, c.cfg.Log)
		x.agent = x.program
	} else {
		x.agent, err = agent.New(cfg, opts)
	}
	if err != nil {
		line.Close()
		return nil, err
	}
	return x, nil
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
	}
	wg.Wait()
	c.pokes.Wait()
	c.Close()
	return errors.Join(errs...)
}

// Close closes the gates' lines. Run does it at its end.
func (c *County) Close() {
	for _, g := range c.gates {
		g.line.Close()
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
		g.hw.SetAmbient(g.Ambient(a.At))
		p := bench.Person{Screening: a.Screening, Card: a.Card, Reader: readerName}
		switch {
		case a.Code != "":
			p.Card, p.Reader = a.Code, "scanner"
		case a.Card == "":
			p.Reader = ""
		}
		g.present(ctx, c.cfg.Log, p)
	}
}

func (g *gate) present(ctx context.Context, log *slog.Logger, p bench.Person) {
	g.busy.Lock()
	defer g.busy.Unlock()
	if err := g.hw.Present(ctx, p); err != nil && ctx.Err() == nil {
		log.Error("simulate a person", "gate", g.ID, "err", err)
	}
	retry.Sleep(ctx, personGap)
}
