package people

import (
	"sync"
	"time"
)

// Guesses slows down guessing: after a few wrong passwords for a name, or many
// from an address, each further one doubles the wait. Its methods may be called
// from any goroutine.
type Guesses struct {
	now func() time.Time
	mu  sync.Mutex
	bad map[string]*guess // by key.text
}

// guess is the wrong attempts under one key.
type guess struct {
	n     int
	until time.Time // no further attempt before
}

const (
	freeGuesses  = 5  // wrong attempts without a wait, for one name from one address
	freeFrom     = 20 // the same from one address
	longestWait  = 5 * time.Minute
	forgetAfter  = time.Hour // without another attempt
	maxGuessKeys = 10000
)

// NewGuesses returns the guesses of a new start: none.
func NewGuesses(now func() time.Time) *Guesses { return &Guesses{now: now, bad: map[string]*guess{}} }

// Attempt counts an attempt as wrong before the password is checked. It returns
// how long to wait instead of checking it; 0: check it.
func (gs *Guesses) Attempt(host, name string) time.Duration {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	now := gs.now()
	longest := time.Duration(0)
	for _, k := range keys(host, name) {
		if g := gs.bad[k.text]; g != nil {
			longest = max(longest, g.until.Sub(now))
		}
	}
	if longest > 0 {
		return longest
	}
	gs.tidy(now)
	for _, k := range keys(host, name) {
		g := gs.bad[k.text]
		if g == nil || now.Sub(g.until) > forgetAfter && !g.until.IsZero() {
			g = &guess{}
			gs.bad[k.text] = g
		}
		g.n++
		g.delay(k, now)
	}
	return 0
}

// delay makes the next attempt wait, from now, when there were too many.
func (g *guess) delay(k key, now time.Time) {
	if g.n >= k.free {
		g.until = now.Add(min(time.Second<<min(g.n-k.free, 20), longestWait))
	}
}

// Wrong reports that an attempt was wrong: its wait begins now, however long the
// password took to check.
func (gs *Guesses) Wrong(host, name string) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	for _, k := range keys(host, name) {
		if g := gs.bad[k.text]; g != nil {
			g.delay(k, gs.now())
		}
	}
}

// Forget reports that an attempt was right: the wrong ones for the name from this
// address are forgotten.
func (gs *Guesses) Forget(host, name string) {
	gs.Uncount(host, name)
	gs.mu.Lock()
	defer gs.mu.Unlock()
	delete(gs.bad, host+" "+name)
}

// Uncount reports that an attempt does not count.
func (gs *Guesses) Uncount(host, name string) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	for _, k := range keys(host, name) {
		g := gs.bad[k.text]
		if g == nil {
			continue
		}
		if g.n--; g.n < k.free {
			g.until = time.Time{}
		}
		if g.n <= 0 {
			delete(gs.bad, k.text)
		}
	}
}

// key is one thing that attempts are counted under, and how many cost nothing.
type key struct {
	text string
	free int
}

// keys returns what an attempt is counted under: its address alone, and with the
// name.
func keys(host, name string) [2]key {
	return [2]key{{host, freeFrom}, {host + " " + name, freeGuesses}}
}

// tidy bounds how many keys are remembered.
func (gs *Guesses) tidy(now time.Time) {
	if len(gs.bad) <= maxGuessKeys {
		return
	}
	for key, g := range gs.bad {
		if now.Sub(g.until) > forgetAfter || len(gs.bad) > 2*maxGuessKeys {
			delete(gs.bad, key)
		}
	}
}
