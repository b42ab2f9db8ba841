package people

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"gatehouse/gateway/peer"
)

// Limits of guessing. The first ones cost nothing, each further one doubles the
// wait.
const (
	freeBrowser  = 5  // of a known browser
	freeName     = 5  // for one name from one place
	freePlace    = 20 // from one place
	longestWait  = 5 * time.Minute
	forgetAfter  = time.Hour // without another attempt
	goodFor      = 30 * 24 * time.Hour
	accountBurst = 50 // attempts for one name from all unknown places together, at once
	accountEvery = 2 * time.Minute
	maxGuessKeys = 10000 // remembered of each kind
)

// attempt is one try to log in.
type attempt struct {
	name    string
	from    netip.Addr
	browser string // its number, when it has logged in under this name before
}

func (a attempt) place() string { return peer.Place(a.from) }

// key returns a key of bounded length.
func (a attempt) key() string { return fmt.Sprintf("%s %x", a.place(), hashOf(a.name)) }

// guesses slows down guessing. A known browser (one that was given a token when
// somebody logged in with it) waits for its own wrong attempts only, so that
// nobody else can lock its user out. Others wait for those from their place, and
// for those from all places where nobody has logged in lately. A single place
// can't use up what an account allows: its own waits are longer. The methods may
// be called from any goroutine.
type guesses struct {
	mu       sync.Mutex
	browsers tally
	names    tally // by place and name
	places   tally
	accounts table[time.Time] // by name: when its attempts are all allowed again
	good     table[struct{}]  // places where somebody logged in
}

func newGuesses() *guesses {
	return &guesses{
		browsers: tally{free: freeBrowser}, names: tally{free: freeName}, places: tally{free: freePlace},
	}
}

// try counts an attempt as wrong before the password is checked, so that many at
// once get no further than many in a row. It returns how long to wait instead of
// checking it; 0: check it.
func (g *guesses) try(a attempt, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.browser != "" {
		wait := g.browsers.wait(a.browser, now)
		if wait == 0 {
			g.browsers.count(a.browser, now)
		}
		return wait
	}
	wait := max(g.names.wait(a.key(), now), g.places.wait(a.place(), now), g.account(a, now))
	if wait > 0 {
		return wait
	}
	g.names.count(a.key(), now)
	g.places.count(a.place(), now)
	if !g.known(a, now) {
		k := string(hashOf(a.name))
		g.accounts.put(k, latest(g.accounts.get(k), now).Add(accountEvery), now)
	}
	return 0
}

// account returns how long attempts for a's name from unknown places wait.
func (g *guesses) account(a attempt, now time.Time) time.Duration {
	if g.known(a, now) {
		return 0
	}
	full := g.accounts.get(string(hashOf(a.name)))
	return max(0, full.Add(-(accountBurst-1)*accountEvery).Sub(now))
}

func (g *guesses) known(a attempt, now time.Time) bool {
	seen, ok := g.good.seen(a.place())
	return ok && now.Sub(seen) < goodFor
}

// wrong reports that an attempt was wrong: its wait begins now, however long the
// password took to check.
func (g *guesses) wrong(a attempt, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.browser != "" {
		g.browsers.delay(a.browser, now)
		return
	}
	g.names.delay(a.key(), now)
	g.places.delay(a.place(), now)
}

// right reports that an attempt was right: it does not count, the wrong ones of
// the browser, or for the name from this place, are forgotten, and the place is
// known.
func (g *guesses) right(a attempt, now time.Time) {
	g.uncount(a, now)
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.browser != "" {
		g.browsers.bad.drop(a.browser)
	} else {
		g.names.bad.drop(a.key())
	}
	g.good.put(a.place(), struct{}{}, now)
}

// uncount reports that an attempt does not count: its password was not checked.
func (g *guesses) uncount(a attempt, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.browser != "" {
		g.browsers.uncount(a.browser, now)
		return
	}
	g.names.uncount(a.key(), now)
	g.places.uncount(a.place(), now)
	if !g.known(a, now) {
		k := string(hashOf(a.name))
		g.accounts.put(k, g.accounts.get(k).Add(-accountEvery), now)
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
