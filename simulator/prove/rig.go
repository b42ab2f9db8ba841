package prove

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

// rig is a small county for one fault: gates under load, a proxy between them
// and the broker, and a watch that no agent removes what the store does not
// have.
type rig struct {
	*proof
	fault   Fault
	long    bool
	lasts   time.Duration // how long a fault without an end of its own lasts
	earlier string        // program of an earlier version
	undo    []func()      // run at the end, the last first

	means
	findings
}

// means are what faults use.
type means struct {
	chaos    *faults.Chaos  // between the agents and a broker without TLS
	line     *faults.Proxy  // between the agents and a broker with TLS
	influx   *faults.Influx // in front of the database; or nil
	cage     *faults.Cage   // or nil
	disk     *faults.Disk   // or nil
	open     int            // descriptors that the first agent had open before the fault
	cloneDir string         // of a cloned agent's journal
	between  int            // kills between keeping a set of rules and putting it into force
	rolls    time.Time      // when another epoch begins
	strays   atomic.Int64   // connections to a proxy that nobody may use
}

// newRig returns the county for a fault; nothing runs yet.
func newRig(f Fault, c Matrix, seed uint64, dir string) *rig {
	cfg := Config{
		Gatehouse: c.Gatehouse,
		Gates:     max(2, f.gates),
		For:       time.Minute,
		Seed:      seed,
		Store:     sqliteStore,
		Broker:    "embedded",
		Dir:       dir,
		Progress:  io.Discard,
	}
	if f.influx {
		cfg.Store = influxStore
	}
	p := &proof{
		Config: cfg,
		variant: variant{
			separateBroker: true,
			desk:           true,
			readers: []bench.Reader{
				{Name: "reader-in", Model: "rdm6300", Direction: "in"},
				{Name: "scanner", Model: "qr-scanner", Direction: "in"},
			},
		},
		rnd:      rand.New(&lockedSource{from: rand.NewPCG(seed, 4)}),
		gates:    world.New(seed).Gates[:cfg.Gates],
		evidence: evidence{knownLost: map[Sum]bool{}},
	}
	return &rig{proof: p, fault: f, long: c.Long, lasts: cmp.Or(c.For, 20*time.Second), earlier: c.Earlier}
}

// lockedSource is a source of random numbers for several goroutines.
type lockedSource struct {
	mu   sync.Mutex
	from rand.Source
}

func (s *lockedSource) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.from.Uint64()
}

// wait waits for d, or four times as long with Matrix.Long.
func (r *rig) wait(ctx context.Context, d time.Duration) {
	if r.long {
		d *= 4
	}
	retry.Sleep(ctx, d)
}

func (r *rig) prepare(ctx context.Context) error {
	if err := r.mkdir(); err != nil {
		return err
	}
	if r.fault.prepare != nil {
		if err := r.fault.prepare(ctx, r); err != nil {
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
	r.brokerURL = r.scheme() + listen
	if err := r.startBroker(up, listen); err != nil {
		return err
	}
	if err := r.startLine(ctx, listen); err != nil {
		return err
	}
	if err := r.startDatabase(up); err != nil {
		return err
	}
	if r.database.URL != "" {
		if r.influx, err = faults.NewInflux(ctx, r.database.URL); err != nil {
			return err
		}
		r.undo = append(r.undo, r.influx.Close)
		r.storeURL = r.influx.URL()
	}
	return r.startCollector(up, listen)
}

// strike runs the fault: load, fault, load, delivery, evaluation.
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
	at, err := r.reader(ctx)
	if err != nil {
		return Result{}, nil, err
	}
	if r.listener, err = listen(ctx, at); err != nil {
		return Result{}, nil, err
	}
	defer r.listener.wait()
	defer cancel()
	if err := r.startAgents(ctx); err != nil {
		return Result{}, nil, err
	}
	background.Go(func() { r.watch(ctx) })
	if r.attended != nil {
		background.Go(func() { r.attended.guard.Run(ctx) })
	}
	if err := r.withLoad(ctx, func(ctx context.Context) error { return r.fault.inject(ctx, r) }); err != nil {
		return Result{}, nil, err
	}
	if !r.fault.ends {
		if err := r.awaitDelivered(ctx); err != nil {
			return Result{}, nil, err
		}
	}
	if r.fault.after != nil {
		if err := r.fault.after(ctx, r); err != nil {
			return Result{}, nil, err
		}
	}
	r.stopPrograms()
	return r.evaluate(ctx)
}

// warmUp is how long people come before and after the fault.
const warmUp = 2500 * time.Millisecond

// withLoad calls inject while people come, and lets them come for warmUp before
// and after.
func (r *rig) withLoad(ctx context.Context, inject func(context.Context) error) error {
	load, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for i, g := range r.gates {
		if r.attended != nil && i == len(r.gates)-1 {
			continue
		}
		rnd := rand.New(rand.NewPCG(r.Seed, uint64(100+i)))
		wg.Go(func() { people(load, rnd, g, r.hw[i]) })
		wg.Go(func() { scanCodes(load, r.Seed, i, r.hw[i]) })
	}
	defer wg.Wait()
	defer stop()
	retry.Sleep(ctx, warmUp)
	if err := inject(ctx); err != nil {
		return err
	}
	retry.Sleep(ctx, warmUp)
	return nil
}

// scanCodes shows several codes a second to a scanner, until ctx is done.
func scanCodes(ctx context.Context, seed uint64, gate int, hw *bench.Hardware) {
	for n := 0; ctx.Err() == nil; n++ {
		code := fmt.Sprintf("X%d-%d-%d", seed%1e6, gate, n)
		_ = hw.Tap(ctx, "scanner", code) // a port that is being re-opened loses bytes
		retry.Sleep(ctx, 150*time.Millisecond)
	}
}

// awaitDelivered waits until the store has everything that is in the journals.
func (r *rig) awaitDelivered(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deliverWithin)
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
		if err := r.anyDied(); err != nil {
			return err
		}
		if !retry.Sleep(ctx, 300*time.Millisecond) {
			return fmt.Errorf("%s did not deliver everything within %s; the collector's log ends with:\n%s",
				waiting, deliverWithin, r.collector.tail())
		}
	}
	return nil
}

// poll calls what every 50 ms until it returns true, for the time within at most.
// It returns how long that took and whether what returned true.
func (r *rig) poll(ctx context.Context, within time.Duration, what func() bool) (time.Duration, bool) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for !what() {
		if !retry.Sleep(ctx, 50*time.Millisecond) {
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
	retry.Sleep(ctx, down)
	for _, p := range all {
		if err := p.start(); err != nil {
			return err
		}
	}
	return nil
}

// freeze stops a program for d, as on a host that swaps.
func (r *rig) freeze(ctx context.Context, p *process, d time.Duration) {
	p.signal(syscall.SIGSTOP)
	r.wait(ctx, d)
	p.signal(syscall.SIGCONT)
}
