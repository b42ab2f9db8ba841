package prove

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

// rig is a small county on which one fault strikes: gates under load, a line
// between them and the broker that can be disturbed, and somebody who watches
// that no agent forgets what the store does not have.
type rig struct {
	*proof
	fault    Fault
	long     bool
	lasts    time.Duration // how long a fault that has no end goes on
	earlier  string        // program of an earlier version
	chaos    *faults.Chaos
	influx   *faults.Influx // in front of the database, or nil
	cage     *faults.Cage   // or nil
	disk     *faults.Disk   // or nil
	open     int            // descriptors of the first agent at the beginning
	cloneDir string         // journal of the copy
	undo     []func()       // at the end, the last first

	mu    sync.Mutex
	notes []string // what was measured, for people
	broke []string // invariants that did not hold
}

// newRig makes the county of a fault; nothing runs yet.
func newRig(f Fault, c Matrix, seed uint64, dir string) *rig {
	cfg := Config{
		Gatehouse: c.Gatehouse,
		Gates:     max(2, f.gates),
		For:       time.Minute,
		Seed:      seed,
		Store:     "sqlite",
		Broker:    "embedded",
		Dir:       dir,
		Progress:  io.Discard,
	}
	if f.influx {
		cfg.Store = "influx"
	}
	p := &proof{
		Config: cfg,
		rnd:    rand.New(&shared{from: rand.NewPCG(seed, 4)}),
		gates:  world.New(seed).Gates[:cfg.Gates],
		apart:  true,
		desk:   true,
		spared: map[Sum]bool{},
		readers: []bench.Reader{
			{Name: "reader-in", Model: "rdm6300", Direction: "in"},
			{Name: "scanner", Model: "qr-scanner", Direction: "in"},
		},
	}
	return &rig{proof: p, fault: f, long: c.Long, lasts: cmp.Or(c.For, 20*time.Second), earlier: c.Earlier}
}

// shared is a source of random numbers for strikes that strike together.
type shared struct {
	mu   sync.Mutex
	from rand.Source
}

func (s *shared) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.from.Uint64()
}

// wait lets d pass, four times as long in a long run.
func (r *rig) wait(ctx context.Context, d time.Duration) {
	if r.long {
		d *= 4
	}
	pause(ctx, d)
}

// note keeps a figure for the row's line.
func (r *rig) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// broken notes an invariant that does not hold, once.
func (r *rig) broken(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := fmt.Sprintf(format, args...); len(r.broke) < maxProblems && !contains(r.broke, text) {
		r.broke = append(r.broke, text)
	}
}

func (r *rig) prepare(ctx context.Context) error {
	if err := r.mkdir(); err != nil {
		return err
	}
	if r.fault.before != nil {
		if err := r.fault.before(ctx, r); err != nil {
			return err
		}
	}
	up, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	if err := r.newHardware(); err != nil {
		return err
	}
	listen, err := loopback.Free(up)
	if err != nil {
		return err
	}
	r.brokerURL = "tcp://" + listen
	if err := r.startBroker(up, listen); err != nil {
		return err
	}
	if r.chaos, err = faults.NewChaos(ctx, listen, r.Seed); err != nil {
		return err
	}
	r.undo = append(r.undo, r.chaos.Close)
	r.agentURL = "tcp://" + r.chaos.Addr()
	if r.Store == "influx" {
		if err := r.startInflux(up); err != nil {
			return err
		}
		if r.influx, err = faults.NewInflux(ctx, r.influxURL); err != nil {
			return err
		}
		r.undo = append(r.undo, r.influx.Close)
		r.storeURL = r.influx.URL()
	}
	return r.startCollector(up, listen)
}

// strike runs the fault: load, fault, load, rest, reconciliation.
func (r *rig) strike(ctx context.Context) (result Result, problems []string, err error) {
	defer func() {
		r.stopAll()
		for i := len(r.undo) - 1; i >= 0; i-- {
			r.undo[i]()
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := r.prepare(ctx); err != nil {
		return Result{}, nil, err
	}
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	for _, g := range r.hw {
		background.Go(func() { g.Run(ctx) })
	}
	ears := listenTo(ctx, r.brokerURL)
	defer ears.wait()
	defer cancel()
	r.ears = ears
	if err := r.startAgents(); err != nil {
		return Result{}, nil, err
	}
	background.Go(func() { r.watch(ctx) })
	if err := r.underLoad(ctx, func(ctx context.Context) error { return r.fault.strike(ctx, r) }); err != nil {
		return Result{}, nil, err
	}
	if err := r.atRest(ctx); err != nil {
		return Result{}, nil, err
	}
	if r.fault.after != nil {
		if err := r.fault.after(ctx, r); err != nil {
			return Result{}, nil, err
		}
	}
	r.stopPrograms()
	return r.settle(ctx, ears)
}

// warm is how long people come before and after the fault.
const warm = 2500 * time.Millisecond

// underLoad lets people come while the fault strikes, and a little before and
// after.
func (r *rig) underLoad(ctx context.Context, strike func(context.Context) error) error {
	load, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for i, g := range r.gates {
		rnd := rand.New(rand.NewPCG(r.Seed, uint64(100+i)))
		wg.Go(func() { people(load, rnd, g, r.hw[i]) })
		wg.Go(func() { scans(load, r.Seed, i, r.hw[i]) })
	}
	defer wg.Wait()
	defer stop()
	pause(ctx, warm)
	if err := strike(ctx); err != nil {
		return err
	}
	pause(ctx, warm)
	return nil
}

// scans shows codes to a scanner, several a second: load.
func scans(ctx context.Context, seed uint64, gate int, hw *bench.Hardware) {
	for n := 0; ctx.Err() == nil; n++ {
		_ = hw.Tap(ctx, "scanner",
			fmt.Sprintf("X%d-%d-%d", seed%1e6, gate, n)) // a port that is being re-opened loses bytes
		pause(ctx, 150*time.Millisecond)
	}
}

// atRest waits until the store has all that is in the journals.
func (r *rig) atRest(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, restFor)
	defer cancel()
	quiet, last := 0, ""
	for quiet < 3 {
		waiting, at := "", ""
		for _, g := range r.gates {
			v, err := journal.Look(r.journalDir(g.ID))
			if err != nil {
				waiting = g.ID
				continue
			}
			v.Close()
			at += fmt.Sprint(v.JID, v.Last)
			if through, ok := r.stored(ctx, v.JID); !ok || through < v.Last {
				waiting = g.ID
			}
		}
		quiet++
		if waiting != "" || at != last {
			quiet = 0
		}
		last = at
		for _, x := range r.programs() {
			if x.died() {
				return fmt.Errorf("%s ended by itself:\n%s", x.name, x.tail())
			}
		}
		if !pause(ctx, 300*time.Millisecond) {
			return fmt.Errorf("%s did not deliver everything within %s; the collector says:\n%s",
				waiting, restFor, r.collector.tail())
		}
	}
	return nil
}

// until polls what every 50 ms, at most within, and tells how long it took.
func (r *rig) until(ctx context.Context, within time.Duration, what func() bool) (time.Duration, bool) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for !what() {
		if !pause(ctx, 50*time.Millisecond) {
			return within, false
		}
	}
	return time.Since(begin), true
}

// restart kills programs, waits, and starts them again.
func (r *rig) restart(ctx context.Context, down time.Duration, all ...*process) error {
	for _, p := range all {
		p.kill()
		r.kills.Add(1)
	}
	pause(ctx, down)
	for _, p := range all {
		if err := p.start(); err != nil {
			return err
		}
	}
	return nil
}

// freeze stops a program for a while, as a host that swaps does.
func (r *rig) freeze(ctx context.Context, p *process, d time.Duration) {
	p.signal(syscall.SIGSTOP)
	r.wait(ctx, d)
	p.signal(syscall.SIGCONT)
}
