package post

import (
	"slices"
	"time"
)

const (
	freeAttempts = 3 // wrong PINs that cost nothing
	firstWait    = 30 * time.Second
	longestWait  = 30 * time.Minute
	rememberFor  = 24 * time.Hour
	mostWrong    = 64 // remembered; many more than can be tried in rememberFor
	guessing     = 5  // wrong PINs that the county is told
)

// Attempts slows down the guessing of PINs, for all guards of a gate together. After
// three wrong ones each further one doubles the wait. Whoever enters their own PIN takes
// back only what was tried with their own id. Its zero value is that of a new gate.
type Attempts struct {
	list []attempt // wrong ones, oldest first
	busy bool      // one is being checked
}

type attempt struct {
	at    time.Duration // boot clock
	guard string
}

// Begin reports whether a PIN may be checked at now. When it may, the caller calls End
// afterwards; until then no other one may.
func (a *Attempts) Begin(now time.Duration) bool {
	if a.busy || a.Wait(now) > 0 {
		return false
	}
	a.busy = true
	return true
}

// End ends what Begin began. Whether it was right is told by a record, to Did.
func (a *Attempts) End() { a.busy = false }

// Wait returns for how long no PIN is taken; 0: one is.
func (a *Attempts) Wait(now time.Duration) time.Duration {
	n := a.Count(now)
	if n < freeAttempts {
		return 0
	}
	wait := longestWait
	if shift := n - freeAttempts; shift < 6 {
		wait = min(wait, firstWait<<shift)
	}
	return max(0, a.list[len(a.list)-1].at+wait-now)
}

// Count returns how many wrong PINs are remembered.
func (a *Attempts) Count(now time.Duration) int {
	a.list = slices.DeleteFunc(a.list, func(x attempt) bool { return now-x.at >= rememberFor })
	return len(a.list)
}

func (a *Attempts) wrong(at time.Duration, guard string) {
	a.list = append(a.list, attempt{at, guard})
	a.list = a.list[max(0, len(a.list)-mostWrong):]
}

// forgive forgets the wrong PINs of a guard who has signed in.
func (a *Attempts) forgive(guard string) {
	a.list = slices.DeleteFunc(a.list, func(x attempt) bool { return x.guard == guard })
}
