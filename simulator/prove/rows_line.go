package prove

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
)

// lines are faults between agents, broker and collector.
func lines() []Fault {
	return []Fault{
		partitionRow(),
		acksLostRow(),
		slowLineRow(),
		brokerFrozenRow(),
		collectorFrozenRow(),
		lineDisorderRow(),
		bitsFlippedRow(),
		brokerDropsLargeRow(),
	}
}

func partitionRow() Fault {
	return Fault{
		Row:     8,
		Name:    "partition",
		What:    "the line is cut for three days of the agents' clocks",
		Expect:  "the backlog is delivered in order",
		prepare: allowClockShift,
		inject: func(ctx context.Context, r *rig) error {
			r.chaos.Set(faults.Line{Cut: true})
			for day := range 3 {
				r.wait(ctx, 2*time.Second)
				if err := r.shift(time.Duration(day+1)*24*time.Hour,
					time.Duration(day+1)*24*time.Hour); err != nil {
					return err
				}
			}
			r.wait(ctx, 2*time.Second)
			r.note("backlog of %d records", r.backlog(ctx))
			r.chaos.Set(faults.Line{})
			return nil
		},
	}
}

func acksLostRow() Fault {
	return Fault{
		Row:        9,
		Name:       "acks-lost",
		What:       "no acknowledgement reaches an agent",
		Expect:     "sent again, stored once",
		slow:       true,
		combinable: true,
		setsLine:   true,
		inject: func(ctx context.Context, r *rig) error {
			r.chaos.Set(faults.Line{Lose: func(p faults.Packet) bool {
				_, _, leaf, ok := wire.ParseTopic(p.Topic)
				return !p.Up && ok && leaf == wire.LeafAck
			}})
			r.wait(ctx, 13*time.Second) // beyond the first resend
			r.chaos.Set(faults.Line{})
			return nil
		},
	}
}

func slowLineRow() Fault {
	return Fault{
		Row:  10,
		Name: "slow-line",
		What: "64 kbit/s with a backlog of 3,000 records",
		Expect: "it is delivered as fast as the line allows, the connection holds, " +
			"an alarm overtakes, memory stays flat",
		inject: drainSlowLine,
	}
}

func brokerFrozenRow() Fault {
	return Fault{
		Row:        11,
		Name:       "broker-frozen",
		What:       "SIGSTOP of the broker",
		Expect:     "noticed within 10 s",
		slow:       true,
		combinable: true,
		inject: func(ctx context.Context, r *rig) error {
			done := make(chan struct{})
			go func() { defer close(done); r.freeze(ctx, r.broker, 14*time.Second) }()
			took, err := r.awaitOutput(ctx, r.agents[0], "broker connection", 10*time.Second)
			<-done
			if err == nil {
				r.note("noticed after %.1f s", took.Seconds())
			}
			return err
		},
	}
}

func collectorFrozenRow() Fault {
	return Fault{
		Row:        12,
		Name:       "collector-frozen",
		What:       "SIGSTOP of the collector",
		Expect:     "the windows close: at most four batches and an alarm are unacknowledged",
		combinable: true,
		setsLine:   true,
		inject:     countWhileFrozen,
	}
}

func lineDisorderRow() Fault {
	return Fault{
		Row:        14,
		Name:       "line-disorder",
		What:       "packets are delayed, duplicated and reordered",
		Expect:     "stored once and in order",
		combinable: true,
		setsLine:   true,
		inject: func(ctx context.Context, r *rig) error {
			r.chaos.Set(faults.Line{Duplicate: 0.3, Reorder: 0.3, Delay: 30 * time.Millisecond})
			r.wait(ctx, 8*time.Second)
			r.chaos.Set(faults.Line{})
			return nil
		},
	}
}

func bitsFlippedRow() Fault {
	return Fault{
		Row:        15,
		Name:       "bits-flipped",
		What:       "one message in four arrives with a flipped bit",
		Expect:     "refused and sent again",
		combinable: true,
		setsLine:   true,
		badBeats:   true,
		quarantine: 1000,
		inject: func(ctx context.Context, r *rig) error {
			r.chaos.Set(faults.Line{Corrupt: 0.25})
			r.wait(ctx, 10*time.Second)
			r.chaos.Set(faults.Line{})
			return nil
		},
	}
}

// countWhileFrozen counts what agents send to a collector that does not answer.
func countWhileFrozen(ctx context.Context, r *rig) error {
	var sent atomic.Int64
	r.chaos.Set(faults.Line{See: func(p faults.Packet) {
		if _, _, leaf, ok := wire.ParseTopic(p.Topic); ok && p.Up && leaf == wire.LeafRecords {
			sent.Add(1)
		}
	}})
	r.freeze(ctx, r.collector, 7*time.Second) // before the first resend
	n := sent.Load()
	r.chaos.Set(faults.Line{})
	r.note("%d batches sent by %d agents without an answer", n, len(r.agents))
	if most := int64(len(r.agents) * (wire.MaxWindow + 1)); !r.long && n > most+2 {
		return fmt.Errorf("%d batches were sent to a frozen collector, at most %d may be", n, most)
	}
	return nil
}
