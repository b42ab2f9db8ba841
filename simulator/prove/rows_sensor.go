package prove

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"gatehouse/gateway/retry"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/faults"
)

// sensors are faults of a gate's devices and of its agent.
func sensors() []Fault {
	return []Fault{
		{
			Row:        13,
			Name:       "agent-frozen",
			What:       "SIGSTOP of an agent while people come",
			Expect:     "only what it did not read is missing",
			combinable: true,
			inject: func(ctx context.Context, r *rig) error {
				before := r.parsed()
				r.freeze(ctx, r.agents[0], 7*time.Second)
				retry.Sleep(ctx, 2*time.Second)
				if r.parsed() == before {
					return errors.New("the gate reads nothing after it was frozen")
				}
				return nil
			},
		},
		{
			Row:        23,
			Name:       "frames-corrupt",
			What:       "devices send garbage, half frames, and merged frames",
			Expect:     "refused, and the next frame is read",
			combinable: true,
			inject:     sendCorruptFrames,
		},
		{
			Row:        24,
			Name:       "serial-unplugged",
			What:       "every serial device is unplugged and plugged in again, five times",
			Expect:     "it works again, and nothing leaks",
			combinable: true,
			inject:     unplugAll,
			after:      checkLeaks,
		},
	}
}

// serials are the names of a gate's serial devices.
var serials = []string{"thermometer", "reader-in", "scanner"}

func sendCorruptFrames(ctx context.Context, r *rig) error {
	hw := r.hw[0]
	for n := range 12 {
		switch n % 4 {
		case 0:
			hw.SetFault(bench.FaultGarbage)
		case 1:
			hw.SetFault(bench.FaultAllFF)
		case 2:
			hw.SetFault(bench.FaultNone)
		}
		noise := make([]byte, 1+r.rnd.IntN(400))
		for i := range noise {
			noise[i] = byte(r.rnd.Uint32())
		}
		for _, name := range serials {
			hw.SendBytes(ctx, name, noise)
		}
		r.wait(ctx, 500*time.Millisecond)
	}
	hw.SetFault(bench.FaultNone)
	before := r.parsed()
	if took, ok := r.poll(ctx, 10*time.Second, func() bool { return r.parsed() > before+3 }); ok {
		r.note("reads again after %.1f s", took.Seconds())
		return nil
	}
	return errors.New("after the garbage the gate reads nothing")
}

func unplugAll(ctx context.Context, r *rig) error {
	var err error
	if r.open, err = faults.Descriptors(r.agents[0].pid()); err != nil {
		return err
	}
	for range 5 {
		for _, name := range serials {
			if err := r.hw[0].Unplug(name); err != nil {
				return err
			}
		}
		r.wait(ctx, time.Duration(300+r.rnd.IntN(600))*time.Millisecond)
		for _, name := range serials {
			if err := r.hw[0].Plug(name); err != nil {
				return err
			}
		}
		r.wait(ctx, time.Duration(600+r.rnd.IntN(600))*time.Millisecond)
	}
	before := r.parsed()
	if _, ok := r.poll(ctx, 15*time.Second, func() bool { return r.parsed() > before+3 }); !ok {
		return errors.New("the devices are not read after they are plugged in again")
	}
	return nil
}

// checkLeaks compares an agent whose devices were unplugged with another one.
func checkLeaks(ctx context.Context, r *rig) error {
	n, err := faults.Descriptors(r.agents[0].pid())
	if err != nil {
		return err
	}
	if n > r.open+1 {
		return fmt.Errorf("the agent had %d files open and has %d", r.open, n)
	}
	var goroutines [2]int
	for i := range goroutines {
		a := r.agents[i]
		a.end(syscall.SIGQUIT, 10*time.Second) // makes Go print all goroutines
		goroutines[i] = strings.Count(a.printed(), "\ngoroutine ")
		if err := a.start(); err != nil {
			return err
		}
	}
	r.note("%d goroutines, %d where nothing was unplugged", goroutines[0], goroutines[1])
	if goroutines[0] > goroutines[1]+2 || goroutines[1] == 0 {
		return fmt.Errorf("the agent has %d goroutines, another one whose devices stayed has %d",
			goroutines[0], goroutines[1])
	}
	retry.Sleep(ctx, time.Second)
	return r.awaitDelivered(ctx)
}
