package collect

import (
	"math"
	"time"

	"gatehouse/gateway/wire"
)

// A store that was restored from a backup has a lower term than its agents know,
// and they ignore it until it raises its term above theirs. A hello carries that
// term. Raising it concerns all agents and can't be undone, so a term is believed
// if the hello contains the signed acknowledgement which gave it. Agents of an
// earlier version keep no acknowledgement; their term is believed within bounds
// that a county never reaches and that do not use the terms up.
const (
	mostUnproven  = 1 << 20          // above the term that this run began with
	unprovenEvery = 10 * time.Second // each raise makes all agents send a hello
)

// unproven limits what is believed without a proof.
type unproven struct {
	floor uint64    // the term that this run began with
	last  time.Time // when the term was last raised without a proof
}

// judge returns the term that the store's own is to be raised to by a hello with
// the term said, of which it proves the term proven; 0: it stays. raises are those
// of the agent. refused reports that said is too high to be believed, or that the
// agent has raised the term too often.
func (u *unproven) judge(now time.Time, own, said, proven uint64, raises *bucket) (raise uint64, refused bool) {
	switch {
	case proven > own:
		return wire.NextTerm(proven), false
	case said <= own:
		return 0, false
	case said > u.floor+min(mostUnproven, math.MaxUint64-u.floor):
		return 0, true
	case now.Sub(u.last) < unprovenEvery:
		return 0, false // the agent sends another hello
	case !raises.take(now):
		return 0, true
	}
	u.last = now
	return wire.NextTerm(said), false
}
