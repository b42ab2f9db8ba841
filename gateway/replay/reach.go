package replay

import (
	"time"

	"gatehouse/gateway/policy"
)

// Reach returns how much earlier than Config.From the first record must be that a replay
// gets: what passed so long ago still counts.
func Reach(r *policy.Rules) time.Duration { return r.Reach() + spare }
