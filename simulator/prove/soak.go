package prove

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"gatehouse/simulator/faults"
)

// Soak lets faults strike a county together, at random, round after round. Each
// round ends at rest and is reconciled; what a single fault promises besides
// (how soon something is noticed) is not judged when others strike with it.
type Soak struct {
	Gatehouse string
	For       time.Duration
	Seed      uint64
	Dir       string
}

// strikes of a round, and gates that suffer them.
const (
	soakStrikes = 8
	soakGates   = 4
)

// Run runs rounds until the time is over, and tells each outcome.
func (s Soak) Run(ctx context.Context, tell func(Outcome)) error {
	m := Matrix{Gatehouse: s.Gatehouse, Dir: s.Dir, patience: 20 * time.Minute}
	end := time.Now().Add(s.For)
	for round := uint64(0); time.Now().Before(end) && ctx.Err() == nil; round++ {
		tell(m.one(ctx, mixture(s.Seed+round), s.Seed+round))
	}
	return ctx.Err()
}

// mixture is a fault made of others.
func mixture(seed uint64) Fault {
	rnd := rand.New(rand.NewPCG(seed, 11))
	var able []Fault
	for _, f := range Faults() {
		if f.mixes {
			able = append(able, f)
		}
	}
	return Fault{
		Name:   fmt.Sprintf("soak-%d", seed),
		gates:  soakGates,
		influx: rnd.IntN(2) == 0,
		poison: 1 << 20,
		lies:   true,
		strike: func(ctx context.Context, r *rig) error {
			for range soakStrikes {
				first := able[rnd.IntN(len(able))]
				second := able[rnd.IntN(len(able))]
				for second.Row == first.Row || first.line && second.line { // one would end what the other does
					second = able[rnd.IntN(len(able))]
				}
				var wg sync.WaitGroup
				for _, f := range []Fault{first, second} {
					wg.Go(func() { _ = f.strike(ctx, r) }) // its own promises hold alone only
					pause(ctx, time.Duration(rnd.IntN(2000))*time.Millisecond)
				}
				wg.Wait()
				r.note("%s with %s", first.Name, second.Name)
			}
			return r.all(ctx)
		},
	}
}

// all makes sure that everything runs and nothing is in its way.
func (r *rig) all(context.Context) error {
	r.chaos.Set(faults.Line{})
	for _, p := range r.programs() {
		if err := p.start(); err != nil {
			return err
		}
	}
	return nil
}
