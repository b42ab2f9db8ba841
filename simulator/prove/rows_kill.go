package prove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
)

// kills are processes that end without being asked.
func kills() []Fault {
	return []Fault{
		{Row: 1, Name: "agent-killed", What: "kill -9 of an agent at a random instant, six times", Expect: "it resumes at the torn tail", mixes: true,
			strike: func(ctx context.Context, r *rig) error {
				for range 6 {
					pause(ctx, time.Duration(300+r.rnd.IntN(1500))*time.Millisecond)
					if err := r.restart(ctx, time.Duration(r.rnd.IntN(500))*time.Millisecond, r.agents[r.rnd.IntN(len(r.agents))]); err != nil {
						return err
					}
				}
				return nil
			}},
		{Row: 2, Name: "collector-killed", What: "kill -9 of the collector when it has committed and no acknowledgement has arrived", Expect: "what comes again is absorbed", mixes: true,
			strike: collectorKilled},
		{Row: 3, Name: "broker-killed", What: "kill -9 of the broker, five times in a row", Expect: "everything is sent again", mixes: true,
			strike: func(ctx context.Context, r *rig) error {
				for range 5 {
					pause(ctx, time.Duration(500+r.rnd.IntN(1500))*time.Millisecond)
					if err := r.restart(ctx, time.Duration(r.rnd.IntN(800))*time.Millisecond, r.broker); err != nil {
						return err
					}
				}
				return nil
			}},
		{Row: 4, Name: "all-killed", What: "kill -9 of agents, collector and broker together, twice", Expect: "they converge", mixes: true,
			strike: func(ctx context.Context, r *rig) error {
				for range 2 {
					r.wait(ctx, 2*time.Second)
					if err := r.restart(ctx, 500*time.Millisecond, append(r.agents[:len(r.agents):len(r.agents)], r.broker, r.collector)...); err != nil {
						return err
					}
				}
				return nil
			}},
		{Row: 7, Name: "broker-wiped", What: "the broker is killed and all its files are removed", Expect: "nothing is missed",
			strike: func(ctx context.Context, r *rig) error {
				r.broker.kill()
				if err := os.RemoveAll(filepath.Join(r.Dir, "broker")); err != nil {
					return err
				}
				r.wait(ctx, 2*time.Second)
				return r.broker.start()
			}},
		{Row: 41, Name: "out-of-memory", What: "an agent's memory is bounded below what it needs", Expect: "as a kill -9", before: func(_ context.Context, r *rig) error {
			cage, err := faults.NewCage(fmt.Sprintf("gatehouse-%d-%d", os.Getpid(), r.Seed))
			if err != nil {
				return err
			}
			r.undo = append(r.undo, cage.Remove)
			r.cage = cage
			return nil
		}, strike: starved},
		{Row: 43, Name: "versions-swapped", What: "the program is replaced by one of another version and back, with a backlog waiting", Expect: "each reads what the other wrote",
			strike: swapped},
	}
}

// collectorKilled withholds acknowledgements until the store has more than any
// agent knows, and kills the collector in that state.
func collectorKilled(ctx context.Context, r *rig) error {
	for range 3 {
		lost := 0
		r.chaos.Set(faults.Line{Lose: func(p faults.Packet) bool {
			if _, _, leaf, ok := wire.ParseTopic(p.Topic); !p.Up && ok && leaf == wire.LeafAck {
				lost++
				return true
			}
			return false
		}})
		r.wait(ctx, 1500*time.Millisecond)
		err := r.restart(ctx, 300*time.Millisecond, r.collector)
		r.chaos.Set(faults.Line{})
		if err != nil {
			return err
		}
		r.wait(ctx, 2*time.Second)
	}
	return nil
}

// starved lets an agent run out of memory.
func starved(ctx context.Context, r *rig) error {
	a := r.agents[0]
	a.kill()
	a.argv = r.cage.Command(a.argv)
	if err := a.start(); err != nil {
		return err
	}
	pause(ctx, 2*time.Second)
	end, err := r.cage.Tighten(a.pid())
	if err != nil {
		return err
	}
	took, died := r.until(ctx, 25*time.Second, a.died)
	if !died {
		end()
		return errors.New("the kernel did not end the agent")
	}
	r.note("killed after %.1f s", took.Seconds())
	end()
	r.cage.Loosen()
	a.kill()
	return a.start()
}

// swapped builds the program as another version and runs both in turns.
func swapped(ctx context.Context, r *rig) error {
	other := filepath.Join(r.Dir, "gatehouse-other")
	b, err := os.ReadFile(r.Gatehouse)
	if err != nil {
		return err
	}
	if err := os.WriteFile(other, b, 0o700); err != nil { //nolint:gosec // a program
		return err
	}
	for turn := range 4 {
		program := other
		if turn%2 == 1 {
			program = r.Gatehouse
		}
		r.chaos.Set(faults.Line{Cut: true})
		r.wait(ctx, time.Second)
		for _, a := range r.agents {
			a.end(syscall.SIGTERM, 10*time.Second)
			a.argv[0] = program
			if err := a.start(); err != nil {
				return err
			}
		}
		r.wait(ctx, time.Second)
		r.chaos.Set(faults.Line{})
		pause(ctx, time.Second)
	}
	return nil
}
