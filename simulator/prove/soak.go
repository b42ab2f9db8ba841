package prove

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"gatehouse/gateway/retry"
	"gatehouse/simulator/faults"
)

// Soak injects random pairs of faults, round after round. Each round ends when
// everything is delivered, and is reconciled. What a single fault expects besides
// (for example how soon it is noticed) is not checked.
type Soak struct {
	Gatehouse string
	For       time.Duration
	Seed      uint64
	Dir       string
}

const (
	soakPairs = 8 // of faults in a round
	soakGates = 4
)

// Run runs rounds until s.For is over, and calls report with each outcome.
func (s Soak) Run(ctx context.Context, report func(Outcome)) error {
	m := Matrix{Gatehouse: s.Gatehouse, Dir: s.Dir, timeout: 20 * time.Minute}
	end := time.Now().Add(s.For)
	for round := uint64(0); time.Now().Before(end) && ctx.Err() == nil; round++ {
		report(m.one(ctx, mixedFault(s.Seed+round), s.Seed+round))
	}
	return ctx.Err()
}

// mixedFault returns a fault that injects random pairs of others.
func mixedFault(seed uint64) Fault {
	rnd := rand.New(rand.NewPCG(seed, 11))
	var able []Fault
	for _, f := range Faults() {
		if f.combinable {
			able = append(able, f)
		}
	}
	return Fault{
		Name:       fmt.Sprintf("soak-%d", seed),
		gates:      soakGates,
		influx:     rnd.IntN(2) == 0,
		quarantine: 1 << 20,
		badBeats:   true,
		inject: func(ctx context.Context, r *rig) error {
			for range soakPairs {
				first := able[rnd.IntN(len(able))]
				second := able[rnd.IntN(len(able))]
				for second.Row == first.Row || first.setsLine && second.setsLine { // one would end what the other does
					second = able[rnd.IntN(len(able))]
				}
				var wg sync.WaitGroup
				for _, f := range []Fault{first, second} {
					wg.Go(func() { _ = f.inject(ctx, r) }) // its own promises hold alone only
					retry.Sleep(ctx, time.Duration(rnd.IntN(2000))*time.Millisecond)
				}
				wg.Wait()
				r.note("%s with %s", first.Name, second.Name)
			}
			return r.startAll()
		},
	}
}

// startAll starts what does not run and ends the line's faults.
func (r *rig) startAll() error {
	r.chaos.Set(faults.Line{})
	for _, p := range r.programs.all() {
		if err := p.start(); err != nil {
			return err
		}
	}
	return nil
}
