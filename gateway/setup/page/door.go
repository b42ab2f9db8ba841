package page

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"time"
)

// How long things count.
const (
	idleFor    = time.Hour   // a browser that asks nothing for so long is forgotten
	wrongFor   = time.Minute // so many wrong links in this time are enough
	wrongLinks = 10
)

// oldLinks is how many links are known as too old; a day has so many.
const oldLinks = 100

// cookie carries the secret of the browser that has opened the link.
const cookie = "gatehouse_setup"

// door lets one browser in. Of its secrets it keeps only hashes. Page.mu is held.
type door struct {
	link    [sha256.Size]byte   // the link that counts
	before  [][sha256.Size]byte // those before it, oldLinks at most
	made    time.Time           // the link; zero: there is none yet
	browser [sha256.Size]byte   // the browser that has opened it
	seen    time.Time           // the browser, the last time; zero: nobody has opened the link
	wrong   []time.Time         // attempts with wrong links
}

// renew returns a new link when none was made yet, when nobody has opened it in time, or
// when the browser that did was not seen for long; what it has answered is then forgotten.
func (p *Page) renew() (token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, now := &p.door, p.opts.Now()
	if opened := !d.seen.IsZero(); p.state.phase != Asking || !d.made.IsZero() &&
		(opened && now.Sub(d.seen) < idleFor || !opened && now.Sub(d.made) < p.opts.LinkFor) {
		return ""
	}
	p.state = state{phase: Asking}
	token = rand.Text() + rand.Text()
	old := append(d.before, d.link)
	*d = door{link: sha256.Sum256([]byte(token)), before: old[max(0, len(old)-oldLinks):], made: now, wrong: d.wrong}
	return token
}

// refusal is why a link does not open the page: a code of the page's words.
type refusal string

const (
	refusedUsed  refusal = "used"  // another browser has opened it
	refusedLate  refusal = "late"  // it was not opened in time, or long ago: there is a newer one
	refusedWrong refusal = "wrong" // there is no such link
	refusedMany  refusal = "many"  // too many wrong links
)

// enter lets a browser in by a link, and returns its secret. A link counts once.
func (p *Page) enter(token string) (secret string, no refusal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, now := &p.door, p.opts.Now()
	for len(d.wrong) > 0 && now.Sub(d.wrong[0]) > wrongFor {
		d.wrong = d.wrong[1:]
	}
	if len(d.wrong) >= wrongLinks {
		return "", refusedMany
	}
	hash := sha256.Sum256([]byte(token))
	is := func(h [sha256.Size]byte) bool { return subtle.ConstantTimeCompare(hash[:], h[:]) == 1 }
	switch {
	case is(d.link) && !d.seen.IsZero():
		p.opts.Log.Warn("another browser has opened the link of set-up, and was refused; if the first was not yours, " +
			"end this program and start it again")
		return "", refusedUsed
	case is(d.link) && now.Sub(d.made) >= p.opts.LinkFor, slices.ContainsFunc(d.before, is):
		return "", refusedLate
	case !is(d.link):
		d.wrong = append(d.wrong, now)
		return "", refusedWrong
	}
	secret = rand.Text()
	d.browser, d.seen = sha256.Sum256([]byte(secret)), now
	return secret, ""
}

// knows reports whether a request comes from the browser that has opened the link.
func (p *Page) knows(r *http.Request) bool {
	c, err := r.Cookie(cookie)
	if err != nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	d, now := &p.door, p.opts.Now()
	hash := sha256.Sum256([]byte(c.Value))
	if d.seen.IsZero() || now.Sub(d.seen) >= idleFor || subtle.ConstantTimeCompare(hash[:], d.browser[:]) != 1 {
		return false
	}
	d.seen = now
	return true
}
