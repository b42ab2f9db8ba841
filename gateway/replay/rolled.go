package replay

import (
	"time"

	"gatehouse/gateway/identity"
)

// rolled is by which key the gate makes pseudonyms, and since when another one. What a
// person did before is noted under another pseudonym: without a roster nobody can tell
// which.
type rolled struct {
	key   string
	since time.Time // zero: there was no other key before
}

// over reports whether the past of a card, which was shown at a time, may be noted under
// another pseudonym. The rules look back as far as reach says.
func (r *rolled) over(credential string, at time.Time, reach time.Duration) bool {
	if !identity.IsPseudonym(credential) {
		return false
	}
	if key := identity.KeyOf(credential); key != r.key {
		if r.key != "" {
			r.since = at
		}
		r.key = key
	}
	return !r.since.IsZero() && at.Sub(r.since) < reach
}
