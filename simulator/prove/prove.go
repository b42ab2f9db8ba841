// Package prove tests that nothing is lost: it starts the real programs as
// processes of their own, on simulated hardware, kills them or injects faults,
// waits until everything is delivered, and reconciles what the agents parsed
// with what is stored.
package prove

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gatehouse/gateway/county/retention"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/retry"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/clerk"
	"gatehouse/simulator/fleet"
	"gatehouse/simulator/world"
)

// Config are the options of a proof.
type Config struct {
	Gatehouse string // path of the program
	Gates     int
	For       time.Duration // of load and kills
	Seed      uint64
	Store     string    // sqlite, influx (1.8) or influx2
	Broker    string    // embedded or mosquitto
	Kill      []string  // of agent, collector, broker
	Machines  bool      // simulate drones and fogging machines, too
	Dir       string    // for all files; must be empty or missing
	Progress  io.Writer // gets a line per step
}

// Quantiles are quantiles of durations, in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// Result is the result of a proof.
type Result struct {
	Gates       int       `json:"gates"`
	Seed        uint64    `json:"seed"`
	Parsed      int       `json:"parsed"`            // readings that agents completed
	Stored      int       `json:"stored"`            // readings in the store
	Quarantined int       `json:"quarantined"`       // records in quarantine
	Holes       int       `json:"holes"`             // seqs in recorded holes
	Counted     int       `json:"counted,omitempty"` // readings that the fault may lose and that are accounted for
	Expired     int       `json:"expired,omitempty"` // readings that were removed because they were old
	Lost        int       `json:"lost"`
	Duplicated  int       `json:"duplicated"`
	Leaks       int       `json:"leaks"` // cards and keys in files where they may not be
	Kills       int       `json:"kills"`
	Verdict     Quantiles `json:"verdict_ms"` // last byte of a reading to verdict
	Commit      Quantiles `json:"commit_ms"`  // append to acknowledgement, outages included
	Runs        *Runs     `json:"runs,omitempty"`
}

// Failed reports whether something was lost, duplicated, wrong or where it may not be.
func (r Result) Failed() bool {
	return r.Lost != 0 || r.Duplicated != 0 || r.Leaks != 0 || r.Runs != nil && r.Runs.failed()
}

// Check returns an error if an option is invalid.
func (c Config) Check() error {
	if c.Gates < 1 || c.Gates > world.Compounds {
		return fmt.Errorf("--gates %d: must be 1 to %d", c.Gates, world.Compounds)
	}
	if c.For < time.Second {
		return fmt.Errorf("--for %s: must be at least a second", c.For)
	}
	if !slices.Contains([]string{sqliteStore, influxStore, influx2Store}, c.Store) {
		return fmt.Errorf("--store %q: must be sqlite, influx or influx2", c.Store)
	}
	if c.Broker != "embedded" && c.Broker != "mosquitto" {
		return fmt.Errorf("--broker %q: must be embedded or mosquitto", c.Broker)
	}
	for _, k := range c.Kill {
		if !slices.Contains([]string{"agent", "collector", "broker"}, k) {
			return fmt.Errorf("--kill %q: must be of agent, collector, broker", k)
		}
	}
	return nil
}

// proof is one run on one county.
type proof struct {
	Config
	variant
	programs
	addresses
	rnd   *rand.Rand
	gates []world.Gate
	hw    []*bench.Hardware
	fleet *fleet.Fleet // or nil
	kills atomic.Int64
	clerk *clerk.Clerk // of the desk; or nil
	// enrolled is how the gates were put into service by codes; nil: by hand.
	enrolled *enrolled
	evidence
}

// evidence is what a proof compares with the store, besides journals and ledgers.
type evidence struct {
	listener  *listener
	knownLost map[Sum]bool // readings that the fault is known to have lost
	order
}

// variant is how a county differs from the usual one.
type variant struct {
	separateBroker   bool              // the broker is a process of its own
	desk             bool              // the collector serves a desk
	readers          []bench.Reader    // of every gate; nil: those of the world
	brokerArgv       []string          // put before the broker's command line
	brokerDir        string            // empty: a folder of its own
	collectorProgram string            // empty: Gatehouse
	agentArgs        []string          // added to the agents' command lines
	mosquittoLines   string            // added to the configuration of a Mosquitto
	retention        *retention.Config // nil: nothing may expire
	env              []string          // added to the environment of the programs
	pipedLogs        bool              // programs print into pipes, which others read
	attended         *attended         // the last gate has a guard, and people whom the fault sends; or nil
}

// programs are the processes of a county.
type programs struct {
	agents    []*process
	agentIDs  []string
	collector *process
	broker    *process // nil: the collector embeds it
	influxd   *process // or nil
	// elsewhere is the collector's folder after it was restored on another computer.
	elsewhere atomic.Pointer[string]
}

// addresses are the URLs and addresses of a county's programs.
type addresses struct {
	brokerURL string
	agentURL  string         // that agents connect to: the broker's or a proxy's
	database  influx.Options // of the InfluxDB; without a URL: there is none
	storeURL  string         // that the collector uses for InfluxDB: its own or a proxy's
}

// Run runs a proof. The problems describe what was lost or duplicated.
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
	at, err := p.reader(ctx)
	if err != nil {
		return Result{}, nil, err
	}
	if p.listener, err = listen(ctx, at); err != nil {
		return Result{}, nil, err
	}
	defer p.listener.wait()
	defer cancel()
	if err := p.startAgents(ctx); err != nil {
		return Result{}, nil, err
	}
	p.progress("%d gates, %s store, %s broker; load and kills for %s", p.Gates, p.Store, p.Broker, p.For)
	p.load(ctx)
	p.progress("killed %d times; waiting until everything is delivered", p.kills.Load())
	if err := p.awaitBeats(ctx); err != nil {
		return Result{}, nil, err
	}
	p.stopPrograms()
	return p.evaluate(ctx)
}

func (p *proof) progress(format string, args ...any) { fmt.Fprintf(p.Progress, format+"\n", args...) }

// load simulates people at all gates and kills programs, for the configured
// time.
func (p *proof) load(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.For)
	defer cancel()
	var wg sync.WaitGroup
	for i, g := range p.gates {
		rnd := rand.New(rand.NewPCG(p.Seed, uint64(100+i)))
		wg.Go(func() { people(ctx, rnd, g, p.hw[i]) })
	}
	for len(p.Kill) > 0 && retry.Sleep(ctx, time.Duration(1000+p.rnd.IntN(2500))*time.Millisecond) {
		victim := p.victim()
		victim.kill()
		p.kills.Add(1)
		retry.Sleep(ctx, time.Duration(p.rnd.IntN(1500))*time.Millisecond)
		if err := victim.start(); err != nil {
			p.progress("%v", err)
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

// deliverWithin is how long the programs may take to deliver everything.
const deliverWithin = 3 * time.Minute

// awaitBeats waits until the pairing windows have closed and then every agent's
// heartbeat says that all its records are acknowledged.
func (p *proof) awaitBeats(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deliverWithin)
	defer cancel()
	if p.fleet != nil {
		p.fleet.Finish(ctx)
		retry.Sleep(ctx, fleet.Pause) // until every run is closed
	}
	retry.Sleep(ctx, 12*time.Second)
	since := time.Now()
	for {
		waiting := 0
		for _, id := range p.agentIDs {
			if b, at := p.listener.beat(id); at.Before(since) || b.Last != b.Through {
				waiting++
			}
		}
		if waiting == 0 {
			return nil
		}
		if err := p.anyDied(); err != nil {
			return err
		}
		if !retry.Sleep(ctx, 250*time.Millisecond) {
			return fmt.Errorf("%d of %d agents did not deliver everything within %s; logs are in %s",
				waiting, len(p.agentIDs), deliverWithin, p.Dir)
		}
	}
}

// all returns the processes.
func (p *programs) all() []*process {
	all := slices.Clone(p.agents)
	for _, x := range []*process{p.collector, p.broker, p.influxd} {
		if x != nil {
			all = append(all, x)
		}
	}
	return all
}

// anyDied returns an error if a process has ended by itself.
func (p *programs) anyDied() error {
	for _, x := range p.all() {
		if x.died() {
			return fmt.Errorf("%s ended by itself:\n%s", x.Name, x.tail())
		}
	}
	return nil
}

// stopPrograms ends agents and collector with SIGTERM.
func (p *proof) stopPrograms() {
	var wg sync.WaitGroup
	for _, a := range p.agents {
		wg.Go(func() { a.end(syscall.SIGTERM, 10*time.Second) })
	}
	wg.Wait()
	p.collector.end(syscall.SIGTERM, 10*time.Second)
}

func (p *proof) stopAll() {
	for _, x := range p.all() {
		x.kill()
	}
}
