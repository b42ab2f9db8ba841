package prove

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/proof/shifted"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
)

// allowClockShift starts the agents with clocks that shift can move.
func allowClockShift(_ context.Context, r *rig) error {
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return err
	}
	r.agentArgs = append(r.agentArgs, "--clock-shift", r.shiftFile())
	return r.shift(0, 0)
}

func (r *rig) shiftFile() string { return filepath.Join(r.Dir, "clock-shift") }

// shift moves all agents' clocks: the wall clock and the time since boot.
func (r *rig) shift(wall, boot time.Duration) error {
	return shifted.Write(r.shiftFile(), wall, boot)
}

// clocks are faults of computers without a battery for their clock.
func clocks() []Fault {
	return []Fault{
		{
			Row:  21,
			Name: "clock-steps",
			What: "the agents' wall clock steps by +25 h, back, by -1 year, and back; " +
				"with and without a cut line",
			Expect:  "order is kept, nothing expires",
			prepare: allowClockShift,
			inject: func(ctx context.Context, r *rig) error {
				for i, wall := range []time.Duration{25 * time.Hour, 0, -365 * 24 * time.Hour, 0} {
					r.chaos.Set(faults.Line{Cut: i%2 == 1})
					if err := r.shift(wall, 0); err != nil {
						return err
					}
					r.wait(ctx, 2500*time.Millisecond)
				}
				r.chaos.Set(faults.Line{})
				return nil
			},
			verify: func(r *rig, result Result) error {
				if n := r.steps; n < 3*len(r.agents) {
					return fmt.Errorf("%d steps of the clock are recorded by %d agents with four each",
						n, len(r.agents))
				}
				r.note("%d steps recorded", r.steps)
				return nil
			},
		},
		{
			Row:    22,
			Name:   "booted-in-1970",
			What:   "the agents start with a clock at 1970, which is set right later",
			Expect: "delivered at once, marked as unsynchronised, in order",
			prepare: func(ctx context.Context, r *rig) error {
				if err := allowClockShift(ctx, r); err != nil {
					return err
				}
				return r.shift(-time.Duration(time.Now().UnixNano()), 0)
			},
			inject: func(ctx context.Context, r *rig) error {
				r.wait(ctx, 3*time.Second)
				if err := r.shift(0, 0); err != nil {
					return err
				}
				r.wait(ctx, 3*time.Second)
				return nil
			},
			verify: func(r *rig, result Result) error {
				if r.early == 0 || r.earlyMarked != r.early {
					return fmt.Errorf("%d records are of 1970, %d of them are marked as unsynchronised",
						r.early, r.earlyMarked)
				}
				r.note("%d records of 1970, all marked", r.early)
				return nil
			},
		},
	}
}

// order checks the times of stored records: they strictly rise within an era,
// and eras never fall.
type order struct {
	last               map[string]wire.Record // by journal
	steps              int                    // recorded steps of the clock
	early, earlyMarked int                    // records of 1970
}

// check takes the next record of a journal and describes what is wrong with its
// time; it returns "" if nothing is.
func (o *order) check(jid string, rec wire.Record) string {
	if o.last == nil {
		o.last = map[string]wire.Record{}
	}
	if rec.At.Year() == 1970 {
		o.early++
		if rec.Unsync {
			o.earlyMarked++
		}
	}
	if rec.Kind == wire.KindClock {
		if body, err := rec.DecodeBody(); err == nil && body.(*wire.Clock).Reason == "step" {
			o.steps++
		}
	}
	before, known := o.last[jid]
	o.last[jid] = rec
	if known && (rec.Era < before.Era || rec.Era == before.Era && !rec.At.After(before.At.Time)) {
		return fmt.Sprintf("journal %s: seq %d (%s, era %d) does not follow seq %d (%s, era %d) in time",
			jid, rec.Seq, rec.At, rec.Era, before.Seq, before.At, before.Era)
	}
	return ""
}
