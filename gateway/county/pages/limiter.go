package pages

import (
	"sync"
	"time"
)

// limiter slows down guessing: after a few wrong passwords for a name, or many
// from an address, each further one doubles the wait. Its methods may be called
// from any goroutine.
type limiter struct {
	now func() time.Time
	mu  sync.Mutex
	bad map[string]*guesses // by key.text
}

// guesses are the wrong attempts under one key.
type guesses struct {
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

func newLimiter(now func() time.Time) *limiter { return &limiter{now: now, bad: map[string]*guesses{}} }

// attempt counts an attempt as wrong before the password is checked. It returns
// how long to wait instead of checking it; 0: check it.
func (l *limiter) attempt(host, name string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	longest := time.Duration(0)
	for _, k := range keys(host, name) {
		if g := l.bad[k.text]; g != nil {
			longest = max(longest, g.until.Sub(now))
		}
	}
	if longest > 0 {
		return longest
	}
	l.tidy(now)
	for _, k := range keys(host, name) {
		g := l.bad[k.text]
		if g == nil || now.Sub(g.until) > forgetAfter && !g.until.IsZero() {
			g = &guesses{}
			l.bad[k.text] = g
		}
		g.n++
		g.delay(k, now)
	}
	return 0
}

// delay makes the next attempt wait, from now, when there were too many.
func (g *guesses) delay(k key, now time.Time) {
	if g.n >= k.free {
		g.until = now.Add(min(time.Second<<min(g.n-k.free, 20), longestWait))
	}
}

// wrong reports that an attempt was wrong: its wait begins now, however long the
// password took to check.
func (l *limiter) wrong(host, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys(host, name) {
		if g := l.bad[k.text]; g != nil {
			g.delay(k, l.now())
		}
	}
}

// forget reports that an attempt was right: the wrong ones for the name from this
// address are forgotten.
func (l *limiter) forget(host, name string) {
	l.uncount(host, name)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.bad, host+" "+name)
}

// uncount reports that an attempt does not count.
func (l *limiter) uncount(host, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys(host, name) {
		g := l.bad[k.text]
		if g == nil {
			continue
		}
		if g.n--; g.n < k.free {
			g.until = time.Time{}
		}
		if g.n <= 0 {
			delete(l.bad, k.text)
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
func (l *limiter) tidy(now time.Time) {
	if len(l.bad) <= maxGuessKeys {
		return
	}
	for key, g := range l.bad {
		if now.Sub(g.until) > forgetAfter || len(l.bad) > 2*maxGuessKeys {
			delete(l.bad, key)
		}
	}
}
