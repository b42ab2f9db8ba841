package audit

import (
	"crypto/sha256"
	"errors"
	"time"
)

const (
	// sameLook is for how long one user's looks at one thing are one look: pages ask for
	// what they show every few seconds.
	sameLook = 10 * time.Minute
	// mostLooks is how many entries one user's looks may fill within a minute: more than
	// somebody can read, and no more than the disk can hold.
	mostLooks  = 300
	remembered = 10000 // looks
)

// ErrLooks is wrapped by errors of users who look at too much.
var ErrLooks = errors.New("too many looks within a minute: wait a minute")

// looks are the looks that were written lately.
type looks struct {
	last  map[Hash]time.Time // when each was written
	since time.Time          // of the minute that is counted
	count map[string]int     // by user, in this minute
}

func newLooks() looks { return looks{last: map[Hash]time.Time{}, count: map[string]int{}} }

// keyOf names a look, in bounded length.
func keyOf(by By, act Act) Hash {
	var b []byte
	for _, s := range []string{by.Actor, by.From, string(act.Action), act.Object} {
		b = text(b, s)
	}
	return sha256.Sum256(b)
}

// begin reports whether a look is the same as one that was written lately. Else it counts
// it, and returns ErrLooks if there are too many.
func (l *looks) begin(now time.Time, actor string, key Hash) (same bool, err error) {
	last, seen := l.last[key]
	if age := now.Sub(last); seen && age >= 0 && age < sameLook {
		return true, nil
	}
	if age := now.Sub(l.since); age < 0 || age >= time.Minute {
		l.since = now
		clear(l.count)
	}
	if l.count[actor] >= mostLooks {
		return false, ErrLooks
	}
	l.count[actor]++
	return false, nil
}

// written notes that a look was written.
func (l *looks) written(now time.Time, key Hash) {
	if len(l.last) >= remembered {
		clear(l.last) // each is written once more
	}
	l.last[key] = now
}
