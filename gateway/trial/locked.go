package trial

import (
	"fmt"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/policy/engine"
)

// mostTraits bounds for how many kinds of people a week is tried: the start of an agent
// must not take long. More kinds than that lock nobody out.
const mostTraits = 200

// Locked says on which of the ways nobody may pass at any time of the week that begins on
// a day, in the county's time, and why; empty: on each of them somebody may. Where the
// rules take signed passes somebody always may.
func Locked(r *policy.Rules, ways []fact.Direction, day time.Time) (out []string) {
	if r.Passes != nil {
		return nil
	}
	if r.People() == 0 {
		return []string{"the roster lists nobody"}
	}
	for _, way := range ways {
		if why := lockedOn(r, way, day); why != "" {
			out = append(out, fmt.Sprintf("%s: none of the %d cards of the roster may pass at any time of the week "+
				"from %s on, most of them for the reason %s", way, r.People(), day.Format(time.DateOnly), why))
		}
	}
	return out
}

// lockedOn returns the reason for which most people may not pass on a way; empty:
// somebody may, or it is not known.
func lockedOn(r *policy.Rules, way fact.Direction, day time.Time) (most fact.Reason) {
	why := map[trait]fact.Reason{}
	counts := map[fact.Reason]int{}
	tried := 0
	for card, p := range r.All {
		t := traitOf(r, p)
		reason, seen := why[t]
		if !seen {
			if during(p, day) {
				if tried++; tried > mostTraits || passesOnce(r, card, way, day) {
					return ""
				}
			}
			reason = decide(r, histories()[0], engine.Ask{Credential: card, Direction: way,
				At: day.Add(12 * time.Hour)}).Reason
			why[t] = reason
		}
		if counts[reason]++; counts[reason] > counts[most] {
			most = reason
		}
	}
	return most
}

// during reports whether a card counts on a day of the week that begins on day.
func during(p policy.Person, day time.Time) bool {
	first, last := day.Format(time.DateOnly), day.AddDate(0, 0, 6).Format(time.DateOnly)
	return (p.From == "" || p.From <= last) && (p.Until == "" || p.Until >= first)
}
