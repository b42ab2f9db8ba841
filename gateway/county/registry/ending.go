package registry

import (
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/identity/authority"
)

// How long before its end a certificate is told to end. A gate renews its own when a third
// of its life is left, 30 days: when fewer are left, it could not.
const (
	gateEnds  = 20 * 24 * time.Hour
	otherEnds = 30 * 24 * time.Hour
)

// Ending is a certificate that ends soon, or has ended, and counts otherwise.
type Ending struct {
	Name string         `json:"name"`
	Kind authority.Kind `json:"kind"`
	Ends time.Time      `json:"ends"`
	Late bool           `json:"late,omitempty"` // a gate's, which can't be renewed any more
}

// Ending returns the certificates that end soon at now, or have ended, those that end first
// before others.
func (r *Registry) Ending(now time.Time) []Ending {
	out := []Ending{}
	for _, i := range r.Identities() {
		before := otherEnds
		if i.Kind == authority.Agent {
			before = gateEnds
		}
		if !i.Revoked.IsZero() || i.NotAfter.Sub(now) >= before {
			continue
		}
		late := i.Kind == authority.Agent && authority.StageOf(i.Issued, i.NotAfter, now) == authority.TooLate
		out = append(out, Ending{i.Name, i.Kind, i.NotAfter, late})
	}
	slices.SortFunc(out, func(a, b Ending) int {
		if c := a.Ends.Compare(b.Ends); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}
