package prove

import (
	"context"
	"fmt"
	"time"

	"gatehouse/simulator/faults"
)

// brokerLimit is how large a message the Mosquitto of the row takes: a backlog's
// batches are larger.
const brokerLimit = 8000

func brokerDropsLargeRow() Fault {
	return Fault{
		Row:  48,
		Name: "broker-drops-large",
		slow: true,
		What: fmt.Sprintf("a Mosquitto with message_size_limit %d, which takes larger messages with a PUBACK and "+
			"drops them; a backlog", brokerLimit),
		Expect: "agents find the size that arrives, say so, and deliver all",
		prepare: func(_ context.Context, r *rig) error {
			r.Broker = "mosquitto"
			r.mosquittoLines = fmt.Sprintf("message_size_limit %d\n", brokerLimit)
			return nil
		},
		inject: func(ctx context.Context, r *rig) error {
			r.chaos.Set(faults.Line{Cut: true})
			if _, ok := r.poll(ctx, time.Minute, func() bool { return r.backlog(ctx) >= 150 }); !ok {
				return fmt.Errorf("a backlog of %d records only", r.backlog(ctx))
			}
			r.note("backlog of %d records", r.backlog(ctx))
			r.chaos.Set(faults.Line{})
			took, err := r.awaitOutput(ctx, r.agents[0], "sending smaller ones", time.Minute)
			if err == nil {
				r.note("found after %.0f s", took.Seconds())
			}
			return err
		},
	}
}
