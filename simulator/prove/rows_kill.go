package prove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
)

// kills are faults that end processes.
func kills() []Fault {
	return []Fault{
		agentKilledRow(),
		collectorKilledRow(),
		brokerKilledRow(),
		allKilledRow(),
		brokerWipedRow(),
		outOfMemoryRow(),
		versionsSwappedRow(),
	}
}

func agentKilledRow() Fault {
	return Fault{
		Row:        1,
		Name:       "agent-killed",
		What:       "kill -9 of an agent at a random instant, six times",
		Expect:     "it continues after the torn record",
		combinable: true,
		inject: func(ctx context.Context, r *rig) error {
			for range 6 {
				retry.Sleep(ctx, time.Duration(300+r.rnd.IntN(1500))*time.Millisecond)
				if err := r.restart(ctx, time.Duration(r.rnd.IntN(500))*time.Millisecond,
					r.agents[r.rnd.IntN(len(r.agents))]); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func collectorKilledRow() Fault {
	return Fault{
		Row:        2,
		Name:       "collector-killed",
		What:       "kill -9 of the collector when it has committed and no acknowledgement has arrived",
		Expect:     "what is sent again is not stored twice",
		combinable: true,
		setsLine:   true,
		inject:     killCollector,
	}
}

func brokerKilledRow() Fault {
	return Fault{
		Row:        3,
		Name:       "broker-killed",
		What:       "kill -9 of the broker, five times in a row",
		Expect:     "everything is sent again",
		combinable: true,
		inject: func(ctx context.Context, r *rig) error {
			for range 5 {
				retry.Sleep(ctx, time.Duration(500+r.rnd.IntN(1500))*time.Millisecond)
				if err := r.restart(ctx, time.Duration(r.rnd.IntN(800))*time.Millisecond, r.broker); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func allKilledRow() Fault {
	return Fault{
		Row:        4,
		Name:       "all-killed",
		What:       "kill -9 of agents, collector and broker together, twice",
		Expect:     "everything is delivered",
		combinable: true,
		inject: func(ctx context.Context, r *rig) error {
			for range 2 {
				r.wait(ctx, 2*time.Second)
				if err := r.restart(ctx, 500*time.Millisecond,
					append(r.agents[:len(r.agents):len(r.agents)], r.broker, r.collector)...); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func brokerWipedRow() Fault {
	return Fault{
		Row:    7,
		Name:   "broker-wiped",
		What:   "the broker is killed and all its files are removed",
		Expect: "everything is sent again",
		inject: func(ctx context.Context, r *rig) error {
			r.broker.kill()
			if err := os.RemoveAll(filepath.Join(r.Dir, "broker")); err != nil {
				return err
			}
			r.wait(ctx, 2*time.Second)
			return r.broker.start()
		},
	}
}

func outOfMemoryRow() Fault {
	return Fault{
		Row:    41,
		Name:   "out-of-memory",
		What:   "an agent's memory is bounded below what it needs",
		Expect: "as with kill -9",
		prepare: func(_ context.Context, r *rig) error {
			cage, err := faults.NewCage(fmt.Sprintf("gatehouse-%d-%d", os.Getpid(), r.Seed))
			if err != nil {
				return err
			}
			r.undo = append(r.undo, cage.Remove)
			r.cage = cage
			return nil
		},
		inject: exhaustMemory,
	}
}

func versionsSwappedRow() Fault {
	return Fault{
		Row:  43,
		Name: "versions-swapped",
		What: "the agents are replaced by an earlier version and back, twice, with a backlog, " +
			"and the earlier collector by this one",
		Expect:  "each reads what the other wrote; the collector takes over the earlier one's store",
		prepare: startEarlier,
		inject:  swapVersions,
	}
}

// killCollector withholds acknowledgements until the store has more than an
// agent can know, and then kills the collector.
func killCollector(ctx context.Context, r *rig) error {
	ahead := uint64(0)
	for range 3 {
		var mu sync.Mutex
		first, last := map[string]uint64{}, map[string]uint64{} // withheld acknowledgements, by journal
		r.chaos.Set(faults.Line{Lose: func(p faults.Packet) bool {
			if _, _, leaf, ok := wire.ParseTopic(p.Topic); p.Up || !ok || leaf != wire.LeafAck {
				return false
			}
			if a, err := wire.Decode[wire.Ack](p.Payload()); err == nil {
				mu.Lock()
				defer mu.Unlock()
				if first[a.JID] == 0 {
					first[a.JID] = a.Through
				}
				last[a.JID] = max(last[a.JID], a.Through)
			}
			return true
		}})
		unknown := func() bool { // more is stored than the agent may know from an earlier acknowledgement
			mu.Lock()
			defer mu.Unlock()
			for jid, through := range last {
				if stored, ok := r.stored(ctx, jid); ok && through > first[jid] && stored >= through {
					ahead = max(ahead, through-first[jid])
					return true
				}
			}
			return false
		}
		if _, ok := r.poll(ctx, 15*time.Second, unknown); !ok {
			r.chaos.Set(faults.Line{})
			return errors.New("no acknowledgement of stored records could be withheld")
		}
		err := r.restart(ctx, 300*time.Millisecond, r.collector)
		r.chaos.Set(faults.Line{})
		if err != nil {
			return err
		}
		r.wait(ctx, 2*time.Second)
	}
	r.note("the store was %d records ahead of an agent", ahead)
	return nil
}

// exhaustMemory lets an agent run out of memory.
func exhaustMemory(ctx context.Context, r *rig) error {
	a := r.agents[0]
	a.kill()
	a.Argv = r.cage.Command(a.Argv)
	if err := a.start(); err != nil {
		return err
	}
	retry.Sleep(ctx, 2*time.Second)
	end, err := r.cage.Tighten(a.pid())
	if err != nil {
		return err
	}
	took, died := r.poll(ctx, 25*time.Second, a.died)
	if !died {
		end()
		return errors.New("the kernel did not kill the agent")
	}
	r.note("killed after %.1f s", took.Seconds())
	end()
	r.cage.Loosen()
	a.kill()
	return a.start()
}

// swapVersions runs an earlier version of the program and this one in turns. It
// begins with the earlier collector and ends with this version everywhere.
func swapVersions(ctx context.Context, r *rig) error {
	for turn := range 4 {
		program := r.Gatehouse
		if turn%2 == 0 {
			program = r.earlier
		}
		r.chaos.Set(faults.Line{Cut: true})
		r.wait(ctx, time.Second)
		for _, a := range r.agents {
			a.end(syscall.SIGTERM, 10*time.Second)
			a.Argv[0] = program
			if err := a.start(); err != nil {
				return err
			}
		}
		if turn == 2 {
			r.collector.end(syscall.SIGTERM, 10*time.Second)
			r.collector.Argv[0] = r.Gatehouse
			if err := r.collector.start(); err != nil {
				return err
			}
		}
		r.wait(ctx, time.Second)
		if r.backlog(ctx) == 0 {
			return errors.New("the line is cut and no record waits")
		}
		r.chaos.Set(faults.Line{})
		retry.Sleep(ctx, time.Second)
	}
	return nil
}

// startEarlier checks that there is an earlier version and lets the collector
// start with it.
func startEarlier(ctx context.Context, r *rig) error {
	names := []string{}
	for _, program := range []string{r.earlier, r.Gatehouse} {
		out, err := exec.CommandContext(ctx, program, "--version").Output()
		if err != nil {
			return fmt.Errorf("ask a program for its version (make build builds the earlier one from the "+
				"repository's history; in a shallow clone run git fetch --unshallow first): %w", err)
		}
		names = append(names, strings.TrimPrefix(strings.TrimSpace(string(out)), "gatehouse version "))
	}
	if names[0] == names[1] {
		return fmt.Errorf("both programs are version %s: set another one with --earlier", names[0])
	}
	r.collectorProgram = r.earlier
	r.note("%s, %s", names[0], names[1])
	return nil
}
