package station

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
)

// cue is what a verdict makes the outputs do: a signal, how long it stays, and
// how much it matters.
type cue struct {
	devices.Signal
	hold  time.Duration
	rank  int
	order *order // nil: it is a verdict's
}

// cueOf returns the cue of a verdict. Pulses follow the screens' sounds: a short
// beep to go, two pulses to try again, three plus two for a fever.
func cueOf(v fact.Verdict) cue {
	switch v {
	case fact.VerdictPass:
		return cue{rank: 1, hold: passShown,
			Signal: devices.Signal{Barrier: true, Lamp: devices.LampGreen, Buzzer: pulses(80, 1)}}
	case fact.VerdictRetest, fact.VerdictInvalid:
		return cue{rank: 2, hold: 4 * time.Second,
			Signal: devices.Signal{Lamp: devices.LampAmber, Buzzer: pulses(150, 2)}}
	case fact.VerdictRefuse:
		return cue{rank: 3, hold: 5 * time.Second,
			Signal: devices.Signal{Lamp: devices.LampRed, Buzzer: pulses(150, 3)}}
	case fact.VerdictFever:
		return cue{rank: 4, hold: 8 * time.Second,
			Signal: devices.Signal{Lamp: devices.LampRed,
				Buzzer: append(append(pulses(150, 3), 350*time.Millisecond), pulses(150, 2)...)}}
	}
	return cue{}
}

// passShown is how long a pass is shown.
const passShown = 3 * time.Second

// promptCue returns the short beep that asks somebody for their other half. Its
// rank of 0 says that it interrupts nothing, and is not made up for.
func promptCue() cue {
	return cue{rank: 0, hold: time.Second, Signal: devices.Signal{Buzzer: pulses(60, 1)}}
}

// pulses is n times on for ms milliseconds, with as long a pause between.
func pulses(ms, n int) []time.Duration {
	var out []time.Duration
	for i := range n {
		if i > 0 {
			out = append(out, time.Duration(ms)*time.Millisecond)
		}
		out = append(out, time.Duration(ms)*time.Millisecond)
	}
	return out
}

// output is a set of outputs with the lane whose verdicts it shows; lane is
// empty for one that all lanes share. Any goroutine may send cues to it, one
// drives it.
type output struct {
	devices.Output
	name string // in the configuration
	lane string
	cues chan cue

	barrier bool         // it opens one
	shown   atomic.Int32 // rank of the cue that is shown, or waits; 0: none
}

func newOutput(d Device, out devices.Output) *output {
	return &output{Output: out, name: d.Name, lane: d.Lane, cues: make(chan cue, 4),
		barrier: d.Pins[devices.PinBarrier] != ""}
}

// send has a cue shown; it does not wait.
func (o *output) send(c cue) {
	select {
	case o.cues <- c:
	default: // four cues wait already; the newest of them will be shown
	}
}

// outputs are the outputs of a gate.
type outputs []*output

// show sends a cue to the outputs of a lane.
func (list outputs) show(lane string, c cue) {
	for _, o := range list {
		if o.lane == "" || o.lane == lane {
			o.send(c)
		}
	}
}

// drive shows cues until ctx ends. A cue of a higher rank is shown at once; one
// of a lower rank waits until the shown one's hold is over, so that nobody slips
// through behind a fever. Only the newest waiting cue is kept.
func (o *output) drive(ctx context.Context, log *slog.Logger) {
	off := func() {
		if err := o.Off(); err != nil {
			log.Error("put the outputs into their safe state", "err", err)
		}
	}
	off()
	defer off()
	var waiting *cue
	for {
		o.shown.Store(0)
		var c cue
		if waiting != nil {
			c = *waiting
		} else {
			select {
			case <-ctx.Done():
				return
			case c = <-o.cues:
			}
		}
		if c.order.over() {
			waiting = nil
			continue
		}
		o.shown.Store(int32(c.rank)) //nolint:gosec // 0 to 4
		waiting = o.hold(ctx, c, log)
		if waiting == nil {
			off()
		}
	}
}

// hold shows c for its hold and returns what must be shown next, or nil.
func (o *output) hold(ctx context.Context, c cue, log *slog.Logger) (next *cue) {
	shown, cancel := context.WithTimeout(ctx, c.hold)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := o.Show(shown, c.Signal)
		if err != nil && shown.Err() == nil {
			log.Error("show a verdict on the outputs", "lamp", c.Lamp, "err", err)
		}
		c.order.done(err)
	}()
	defer func() { cancel(); <-done }()
	for {
		select {
		case <-shown.Done():
			return next
		case n := <-o.cues:
			if n.rank == 0 || n.order.behind(n.rank < c.rank) {
				continue
			}
			next = &n
			if n.rank >= c.rank {
				return next
			}
		}
	}
}
