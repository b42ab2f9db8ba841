package report

import (
	"bytes"
	"context"
	"time"

	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// batch is what several messages of a machine make, to be stored together.
type batch struct {
	now    time.Time
	from   *reporter
	bodies []wire.Body
	hashes [][]byte            // of the reports
	ends   []func(stored bool) // of the messages
}

// Take stores a message. It returns true when the broker may forget it: it is
// stored, or in quarantine, or was stored before, or is of no use. It returns false
// when ctx ended or the message can't be stored now. Of each machine one message
// at a time may be taken.
func (t *Taker) Take(ctx context.Context, m mqtt.Message) (stored bool) {
	t.take(ctx, t.machineOf(m), []waiting{{m, func(s bool) { stored = s }}})
	return stored
}

// take stores messages of a machine, and ends each.
func (t *Taker) take(ctx context.Context, machine string, messages []waiting) {
	b := &batch{now: t.opts.Now()}
	for _, m := range messages {
		t.one(ctx, b, machine, m)
	}
	t.flush(ctx, b)
	if b.from == nil {
		return
	}
	if ctx.Err() == nil && b.from.due(b.now) {
		t.findAgain(ctx, b.from, b.now)
	}
	b.from.turned()
	t.remember(b.from)
}

// one takes a message into b, or ends it.
func (t *Taker) one(ctx context.Context, b *batch, machine string, m waiting) {
	if m.Retained {
		t.retained(m.Message)
		m.end(true)
		return
	}
	id, r, err := t.decode(m.Message)
	switch {
	case err != nil:
		bad := store.Poison{At: b.now, Agent: id, Topic: m.Topic, Reason: err.Error(), Raw: m.Payload}
		m.end(t.quarantine(ctx, bad))
		return
	case r.Empty():
		m.end(true) // it is for somebody else, or says that there is no value
		return
	}
	if b.from == nil && !t.retry(ctx, func() (err error) { b.from, err = t.reporter(ctx, machine); return err }) {
		m.end(false)
		return
	}
	if !t.report(ctx, b, r, m) {
		m.end(false)
	}
}

// report takes a report into b. It returns false when it can't be stored now.
func (t *Taker) report(ctx context.Context, b *batch, r mapping.Reading, m waiting) bool {
	from := b.from
	arrived := from.arrive(m.Message, b.now)
	before, timing := from.state, from.stream.timing // a repeat teaches little
	j := from.judge(r, arrived, m.Duplicate)
	track := t.track(from, r, m.Payload, arrived, j)
	repeated, ok := t.repeated(ctx, b, m.Message, track, j)
	if !ok {
		return false
	}
	if repeated {
		before.Clock.Same, before.Clock.Back = from.state.Clock.Same, from.state.Clock.Back
		from.state, from.stream.timing = before, timing
		m.end(true)
		return true
	}
	t.complain(from, r)
	if !j.timeless {
		from.volume.back = nil
	} else if v := track.Points[0].Volume; v != nil {
		from.volume = volume{newest: v}
	}
	bodies := []wire.Body{track}
	if track.Import != nil {
		if !t.flush(ctx, b) { // its parts are looked for in the index
			return false
		}
		var run *wire.Run
		if !t.retry(ctx, func() (err error) { run, err = t.imported(ctx, from, track); return err }) {
			return false
		}
		if run != nil {
			bodies = append(bodies, run)
		}
	} else {
		bodies = append(bodies, from.pass(from.stream.timing.add(kept{Track: track, at: j.at}))...)
	}
	b.bodies, b.ends = append(b.bodies, bodies...), append(b.ends, m.end)
	b.hashes = append(b.hashes, hashOf(track))
	return true
}

// repeated reports whether a report was stored before, or is in b. ok is false when
// ctx ended.
func (t *Taker) repeated(
	ctx context.Context, b *batch, m mqtt.Message, track *wire.Track, j judged,
) (repeated, ok bool) {
	var seen time.Time
	var found bool
	look := func() (err error) { seen, found, err = t.index.seen(ctx, track); return err }
	if !t.retry(ctx, look) {
		return false, false
	}
	hash := hashOf(track)
	for _, h := range b.hashes {
		if bytes.Equal(h, hash) {
			seen, found = track.Received.Time, true
		}
	}
	if !found {
		return false, true
	}
	return track.Import != nil || b.from.repeats(track.Received.Time, m, j, track.Points[0].Volume, seen), true
}

// flush stores b and ends its messages. It returns false when ctx ended before.
func (t *Taker) flush(ctx context.Context, b *batch) bool {
	stored := len(b.bodies) == 0 || t.keepState(ctx, b.from) && t.commit(ctx, b.from, b.now, b.bodies)
	for _, end := range b.ends {
		end(stored)
	}
	b.bodies, b.hashes, b.ends = nil, nil, nil
	return stored
}
