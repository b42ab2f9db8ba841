package command

import (
	"fmt"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// oddities counts messages that nothing came of and that nobody at the desk waits for:
// forged, foreign, retained, or a copy of what was taken.
type oddities struct {
	count  uint64
	last   string
	at     time.Duration // boot clock: when
	posted uint64
}

func (o *oddities) add(opts Options, why string) {
	o.count++
	o.last, o.at = why, opts.Clock.Now().Boot
	opts.Log.Warn("a message on the topic of commands does nothing",
		"topic", wire.Topic(opts.County, opts.Agent, wire.LeafCommand), "err", why)
}

// post says on the board what was refused lately.
func (o *oddities) post(opts Options, now clock.Moment) {
	switch {
	case o.count == 0:
	case now.Boot-o.at >= refusedFor:
		*o = oddities{}
		opts.Board.SetOdd("")
	case o.posted != o.count:
		o.posted = o.count
		opts.Board.SetOdd(
			fmt.Sprintf("%d commands in the name of the county's desk did nothing: somebody else publishes "+
				"on this gate's topic, or publishes again what the desk has sent; the last: %s", o.count, o.last),
		)
	}
}

// bucket bounds how often a refusal is journalled that anybody can cause who has kept an
// old command.
type bucket struct {
	left int
	at   time.Duration // boot clock: when one was added
}

func (b *bucket) take(now clock.Moment) bool {
	if n := int((now.Boot - b.at) / refuseAgain); n > 0 {
		b.left, b.at = min(refusals, b.left+n), now.Boot
	}
	if b.left == 0 {
		return false
	}
	b.left--
	return true
}
