// Package prove starts the real programs as processes of their own, drives them
// in bytes, kills them at random, lets all come to rest, and holds what was
// parsed against what is stored.
package prove

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gatehouse/simulator/bench"
	"gatehouse/simulator/county"
	"gatehouse/simulator/fleet"
	"gatehouse/simulator/world"
)

// Config says what is proved.
type Config struct {
	Gatehouse string // path of the program
	Gates     int
	For       time.Duration // of load and kills
	Seed      uint64
	Store     string   // sqlite or influx
	Broker    string   // embedded or mosquitto
	Kill      []string // of agent, collector, broker
	Machines  bool     // drones and fogging machines work, too
	Dir       string   // for everything; must be empty or missing
	Progress  io.Writer
}

// Quantiles are of durations, in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// Result is what the proof found.
type Result struct {
	Gates       int       `json:"gates"`
	Seed        uint64    `json:"seed"`
	Parsed      int       `json:"parsed"`            // readings that agents completed
	Stored      int       `json:"stored"`            // readings in the store
	Quarantined int       `json:"quarantined"`       // records in quarantine
	Holes       int       `json:"holes"`             // seqs in recorded holes
	Counted     int       `json:"counted,omitempty"` // readings that are gone as the fault allows, each one known
	Lost        int       `json:"lost"`
	Duplicated  int       `json:"duplicated"`
	Kills       int       `json:"kills"`
	Verdict     Quantiles `json:"verdict_ms"` // last byte of a reading to verdict
	Commit      Quantiles `json:"commit_ms"`  // append to acknowledgement, outages included
	Runs        *Runs     `json:"runs,omitempty"`
}

// Failed tells that something is not as it must be.
func (r Result) Failed() bool {
	return r.Lost != 0 || r.Duplicated != 0 || r.Runs != nil && r.Runs.failed()
}

// Check tells what is wrong with the configuration.
func (c Config) Check() error {
	if c.Gates < 1 || c.Gates > world.Compounds {
		return fmt.Errorf("--gates %d: 1 to %d, please", c.Gates, world.Compounds)
	}
	if c.For < time.Second {
		return fmt.Errorf("--for %s: a second at least, please", c.For)
	}
	if c.Store != "sqlite" && c.Store != "influx" {
		return fmt.Errorf("--store %q: sqlite or influx, please", c.Store)
	}
	if c.Broker != "embedded" && c.Broker != "mosquitto" {
		return fmt.Errorf("--broker %q: embedded or mosquitto, please", c.Broker)
	}
	for _, k := range c.Kill {
		if !slices.Contains([]string{"agent", "collector", "broker"}, k) {
			return fmt.Errorf("--kill %q: agent, collector, broker, please", k)
		}
	}
	return nil
}

// proof is one run.
type proof struct {
	Config
	rnd              *rand.Rand
	gates            []world.Gate
	hw               []*bench.Hardware
	agents           []*process
	agentIDs         []string
	fleet            *fleet.Fleet // or nil
	collector        *process
	broker           *process // nil when the collector embeds it
	influx           *process
	brokerURL        string
	agentURL         string // what agents connect to
	influxURL        string
	storeURL         string // what the collector takes for InfluxDB
	kills            atomic.Int64
	apart            bool // the broker is a process of its own
	desk             bool // the collector serves a desk
	page             *deskPage
	ears             *ears
	readers          []bench.Reader
	brokerArgv       []string     // before the broker's own
	brokerDir        string       // instead of a folder of its own
	collectorProgram string       // instead of Gatehouse
	agentArgs        []string     // besides the usual
	spared           map[Sum]bool // readings that a fault's own witness saw go
	order
}

// Run runs the proof. Problems are words about what was lost or duplicated.
func Run(ctx context.Context, cfg Config) (Result, []string, error) {
	p := &proof{Config: cfg, rnd: rand.New(rand.NewPCG(cfg.Seed, 4)), gates: world.New(cfg.Seed).Gates[:cfg.Gates]}
	defer p.stopAll()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := p.prepare(ctx); err != nil {
		return Result{}, nil, err
	}
	var hardware sync.WaitGroup
	defer hardware.Wait()
	defer cancel()
	for _, g := range p.hw {
		hardware.Go(func() { g.Run(ctx) })
	}
	if p.fleet != nil {
		hardware.Go(func() { p.fleet.Run(ctx) })
	}
	ears := listenTo(ctx, p.brokerURL)
	defer ears.wait()
	defer cancel()
	if err := p.startAgents(); err != nil {
		return Result{}, nil, err
	}
	p.say("%d gates, %s store, %s broker; load and kills for %s", p.Gates, p.Store, p.Broker, p.For)
	p.load(ctx)
	p.say("killed %d times; waiting until all is at rest", p.kills.Load())
	if err := p.rest(ctx, ears); err != nil {
		return Result{}, nil, err
	}
	p.stopPrograms()
	return p.settle(ctx, ears)
}

func (p *proof) say(format string, args ...any) { fmt.Fprintf(p.Progress, format+"\n", args...) }

// load lets people come to all gates and kills programs, for the time asked.
func (p *proof) load(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.For)
	defer cancel()
	var wg sync.WaitGroup
	for i, g := range p.gates {
		rnd := rand.New(rand.NewPCG(p.Seed, uint64(100+i)))
		wg.Go(func() { people(ctx, rnd, g, p.hw[i]) })
	}
	for len(p.Kill) > 0 && pause(ctx, time.Duration(1000+p.rnd.IntN(2500))*time.Millisecond) {
		victim := p.victim()
		victim.kill()
		p.kills.Add(1)
		pause(ctx, time.Duration(p.rnd.IntN(1500))*time.Millisecond)
		if err := victim.start(); err != nil {
			p.say("%v", err)
		}
	}
	wg.Wait()
}

func (p *proof) victim() *process {
	switch p.Kill[p.rnd.IntN(len(p.Kill))] {
	case "collector":
		return p.collector
	case "broker":
		return p.broker
	}
	return p.agents[p.rnd.IntN(len(p.agents))]
}

// people come to a gate as fast as it can take them, without regard to the
// time of day; every tenth has something wrong.
func people(ctx context.Context, rnd *rand.Rand, g world.Gate, hw *bench.Hardware) {
	day := g.Day(8 * time.Hour)
	pause(ctx, time.Duration(rnd.IntN(3000))*time.Millisecond)
	for ctx.Err() == nil {
		a := day.Next()
		p := bench.Person{Screening: a.Screening, Card: a.Card, Reader: "reader-in"}
		if a.Code != "" {
			p.Card, p.Reader = a.Code, "scanner"
		}
		switch rnd.IntN(20) {
		case 0:
			p.Screening = 3840
		case 1:
			p.Reader = ""
		}
		if p.Card == "" {
			p.Reader = ""
		}
		_ = hw.Present(ctx, p) // a port that is being re-opened loses bytes; that is nobody's reading
		pause(ctx, time.Duration(800+rnd.IntN(1500))*time.Millisecond)
	}
}

// restFor bounds how long the programs may take to deliver everything.
const restFor = 3 * time.Minute

// rest waits until every agent says that all it has is acknowledged, twice in
// a row and after the pairing windows have closed.
func (p *proof) rest(ctx context.Context, ears *ears) error {
	ctx, cancel := context.WithTimeout(ctx, restFor)
	defer cancel()
	if p.fleet != nil {
		p.fleet.Finish(ctx)
		pause(ctx, fleet.Pause) // then every run is closed
	}
	pause(ctx, 12*time.Second)
	since := time.Now()
	for {
		waiting := 0
		for _, id := range p.agentIDs {
			if b, at := ears.beat(id); at.Before(since) || b.Last != b.Through {
				waiting++
			}
		}
		if waiting == 0 {
			return nil
		}
		for _, x := range p.programs() {
			if x.died() {
				return fmt.Errorf("%s ended by itself:\n%s", x.name, x.tail())
			}
		}
		if !pause(ctx, 250*time.Millisecond) {
			return fmt.Errorf("%d of %d agents did not deliver everything within %s; logs are in %s",
				waiting, len(p.agentIDs), restFor, p.Dir)
		}
	}
}

func (p *proof) programs() []*process {
	all := slices.Clone(p.agents)
	for _, x := range []*process{p.collector, p.broker, p.influx} {
		if x != nil {
			all = append(all, x)
		}
	}
	return all
}

// stopPrograms ends agents and collector as an operator does.
func (p *proof) stopPrograms() {
	var wg sync.WaitGroup
	for _, a := range p.agents {
		wg.Go(func() { a.end(syscall.SIGTERM, 10*time.Second) })
	}
	wg.Wait()
	p.collector.end(syscall.SIGTERM, 10*time.Second)
}

func (p *proof) stopAll() {
	for _, x := range p.programs() {
		x.kill()
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (p *proof) newHardware() error {
	for _, g := range p.gates {
		g.Thermometer = "gy-mcu90614" // an I²C bus does not reach another process
		readers := p.readers
		if readers == nil {
			readers = county.Readers(g)
		}
		hw, err := bench.New(filepath.Join(p.Dir, g.ID, "ports"), bench.Spec{Thermometer: g.Thermometer,
			Readers: readers, Offset: g.Offset, Ambient: 2000})
		if err != nil {
			return err
		}
		p.hw = append(p.hw, hw)
	}
	return nil
}

func (p *proof) mkdir() error {
	if entries, err := os.ReadDir(p.Dir); err == nil && len(entries) > 0 {
		return errors.New("the folder for the proof is not empty: " + p.Dir)
	}
	return os.MkdirAll(p.Dir, 0o700)
}
