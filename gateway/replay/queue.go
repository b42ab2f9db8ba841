package replay

import (
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// item is a record on its way to the gate; or, with a nil body, that somebody came to the
// thermometer device, which is known from the measurement that followed.
type item struct {
	rec    wire.Record
	body   wire.Body
	boot   time.Duration
	device string
}

// moment returns when it was.
func (x item) moment() clock.Moment {
	return clock.Moment{Wall: x.rec.At.Add(x.boot - time.Duration(x.rec.BootNS)), Boot: x.boot}
}

// measuring is how long a measurement takes at most: so much later than somebody has
// come the record of it is there.
const measuring = 8 * time.Second

// queueMost bounds how many records wait for the end of a measurement.
const queueMost = 4096

// queue holds records back until it is known who had come to a thermometer meanwhile.
type queue struct{ items []item }

// add adds a record and returns what no later record can precede, in order.
func (q *queue) add(rec wire.Record, body wire.Body) []item {
	x := item{rec: rec, body: body, boot: time.Duration(rec.BootNS)}
	if c, is := body.(*wire.Clock); is && c.Reason == "start" {
		return append(q.rest(), x)
	}
	if r, is := body.(*wire.Reading); is && r.Temperature != nil {
		came := item{rec: rec, device: r.Device,
			boot: time.Duration(r.BootNS) - time.Duration(r.Temperature.DurationMS)*time.Millisecond}
		i := len(q.items)
		for i > 0 && q.items[i-1].boot > came.boot {
			i--
		}
		q.items = slices.Insert(q.items, i, came)
	}
	q.items = append(q.items, x)
	n := 0
	for n < len(q.items) && (q.items[n].boot+measuring < x.boot || len(q.items)-n > queueMost) {
		n++
	}
	out := slices.Clone(q.items[:n])
	q.items = slices.Delete(q.items, 0, n)
	return out
}

// rest returns what is left.
func (q *queue) rest() []item {
	out := q.items
	q.items = nil
	return out
}
