package collect

import (
	"math"
	"time"

	"gatehouse/gateway/wire"
)

// A store that was restored from a backup is older than its agents, who believe
// nothing below the term that they have seen: the first hello raises its term
// above theirs. A term moves all agents and can't be taken back, so that it is
// believed with the acknowledgement that gave it. Agents of an earlier version
// keep none; theirs is believed within bounds that a county never reaches, and
// that leave nobody the means to use the terms up.
const (
	mostUnproven  = 1 << 20          // above the term that this run began with
	unprovenEvery = 10 * time.Second // raises all agents' hellos at most so often
)

// unproven is what was believed without a proof.
type unproven struct {
	floor uint64    // the term that this run began with
	last  time.Time // when the term was last raised so
}

// judge returns what the store's own term is to be raised to because of a hello
// that says term said and proves term proven; 0: it stays. refused says that the
// hello is not to be believed.
func (u *unproven) judge(now time.Time, own, said, proven uint64) (raise uint64, refused bool) {
	switch {
	case proven > own:
		return wire.NextTerm(proven), false
	case said <= own:
		return 0, false
	case said > u.floor+min(mostUnproven, math.MaxUint64-u.floor):
		return 0, true
	case now.Sub(u.last) < unprovenEvery:
		return 0, false // it is said again
	}
	u.last = now
	return wire.NextTerm(said), false
}
