package agent

import (
	"context"
	"log/slog"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
)

// cue is what a verdict makes the outputs do: a signal, how long it stays, and
// how much it matters.
type cue struct {
	devices.Signal
	hold time.Duration
	rank int
}

// cues maps verdicts to signals. Pulses follow the screens' sounds: a short
// beep to go, two pulses to try again, three plus two for a fever.
var cues = map[fact.Verdict]cue{
	fact.VerdictPass: {rank: 1, hold: 3 * time.Second,
		Signal: devices.Signal{Barrier: true, Lamp: devices.LampGreen, Buzzer: pulses(80, 1)}},
	fact.VerdictRetest: {rank: 2, hold: 4 * time.Second,
		Signal: devices.Signal{Lamp: devices.LampAmber, Buzzer: pulses(150, 2)}},
	fact.VerdictInvalid: {rank: 2, hold: 4 * time.Second,
		Signal: devices.Signal{Lamp: devices.LampAmber, Buzzer: pulses(150, 2)}},
	fact.VerdictRefuse: {rank: 3, hold: 5 * time.Second,
		Signal: devices.Signal{Lamp: devices.LampRed, Buzzer: pulses(150, 3)}},
	fact.VerdictFever: {rank: 4, hold: 8 * time.Second,
		Signal: devices.Signal{Lamp: devices.LampRed,
			Buzzer: append(append(pulses(150, 3), 350*time.Millisecond), pulses(150, 2)...)}},
}

// prompting is the short beep that asks somebody for their other half. It
// interrupts nothing, and is not made up for.
var prompting = cue{rank: 0, hold: time.Second, Signal: devices.Signal{Buzzer: pulses(60, 1)}}

// output is a set of outputs with the lane whose verdicts it shows; lane is
// empty for those of all lanes.
type output struct {
	devices.Output
	lane string
	cues chan cue
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

// drive shows cues on one set of outputs until ctx ends. A cue of a higher
// rank is shown at once; one of a lower rank waits until the shown one's hold
// is over, so that nobody slips through behind a fever. Only the newest
// waiting cue is kept.
func drive(ctx context.Context, out devices.Output, in <-chan cue, log *slog.Logger) {
	off := func() {
		if err := out.Off(); err != nil {
			log.Error("put the outputs into their safe state", "err", err)
		}
	}
	off()
	defer off()
	var waiting *cue
	for {
		var c cue
		if waiting != nil {
			c = *waiting
		} else {
			select {
			case <-ctx.Done():
				return
			case c = <-in:
			}
		}
		waiting = show(ctx, out, c, in, log)
		if waiting == nil {
			off()
		}
	}
}

// show shows c for its hold and returns what must be shown next, or nil.
func show(ctx context.Context, out devices.Output, c cue, in <-chan cue, log *slog.Logger) (next *cue) {
	shown, cancel := context.WithTimeout(ctx, c.hold)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := out.Show(shown, c.Signal); err != nil && shown.Err() == nil {
			log.Error("show a verdict on the outputs", "lamp", c.Lamp, "err", err)
		}
	}()
	defer func() { cancel(); <-done }()
	for {
		select {
		case <-shown.Done():
			return next
		case n := <-in:
			if n.rank == 0 {
				continue
			}
			next = &n
			if n.rank >= c.rank {
				return next
			}
		}
	}
}
