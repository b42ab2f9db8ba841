package broker

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// passwords are those of a users file, which is read again when it changes. Its methods
// may be called from any goroutine.
type passwords struct {
	path  string
	log   *slog.Logger
	key   []byte        // of proofs, of this start
	turns chan struct{} // one for each password that is being checked

	mu     sync.Mutex // guards what follows
	users  map[string]user
	proofs map[string]string // of passwords that were right, by user and host
	read   os.FileInfo       // of the file that users is of
}

// loadPasswords reads a users file.
func loadPasswords(path string, log *slog.Logger) (*passwords, error) {
	p := &passwords{path: path, log: log, key: []byte(newSecret()),
		turns: make(chan struct{}, max(2, runtime.NumCPU()))}
	info, err := os.Stat(path)
	if err == nil {
		p.read = info
	}
	if p.users, err = readUsers(path); err != nil {
		return nil, err
	}
	p.proofs = map[string]string{}
	return p, nil
}

// again reads the file again if it has changed, and reports whether it did. When it
// can't be used the former users count.
func (p *passwords) again() bool {
	info, err := os.Stat(p.path)
	p.mu.Lock()
	was := p.read
	p.mu.Unlock()
	if err != nil || was != nil && os.SameFile(info, was) && info.ModTime().Equal(was.ModTime()) &&
		info.Size() == was.Size() {
		return false // somebody may be replacing it
	}
	users, err := readUsers(p.path)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = info
	if err != nil {
		p.log.Error("broker: the users file has changed and can't be used: the former users count until it is mended",
			"err", err)
		return false
	}
	p.users, p.proofs = users, map[string]string{}
	p.log.Info("broker: the users file was read again", "users", len(users))
	return true
}

// find returns a user.
func (p *passwords) find(name string) (user, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u, ok := p.users[name]
	return u, ok
}

// noHash is the hash of no password, so that it takes as long to ask for a name that is
// nobody's. Its cost is the one of htpasswd -B with -C 10.
const noHash = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"

// check returns the user of a name and password; ok is false when there is none. It
// waits for its turn; err is ctx's.
func (p *passwords) check(ctx context.Context, name, password string) (u user, ok bool, err error) {
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return u, false, ctx.Err()
	}
	u, known := p.find(name)
	if !known {
		_ = bcrypt.CompareHashAndPassword([]byte(noHash), []byte(password))
		return u, false, nil
	}
	return u, bcrypt.CompareHashAndPassword([]byte(u.hash), []byte(password)) == nil, nil
}

// proved returns the user of a name and password that was right from this host before.
func (p *passwords) proved(name, password, host string) (user, bool) {
	u, known := p.find(name)
	proof := p.proof(name, password, u.hash)
	p.mu.Lock()
	defer p.mu.Unlock()
	return u, known && same(p.proofs[name+"@"+host], proof)
}

// prove notes that a password was right: to check its hash again takes long.
func (p *passwords) prove(name, password, host string, u user) {
	proof := p.proof(name, password, u.hash)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.proofs) >= mostVisitors {
		clear(p.proofs)
	}
	p.proofs[name+"@"+host] = proof
}

func (p *passwords) proof(name, password, hash string) string {
	sum := hmac.New(sha256.New, p.key)
	for _, text := range []string{name, hash, password} {
		sum.Write([]byte(text))
		sum.Write([]byte{0})
	}
	return string(sum.Sum(nil))
}

// same compares secrets, in a time that does not say how much of them agrees.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// What somebody may try. Those of one address share an allowance of their own: behind it
// there may be a whole county, so that right passwords do not count.
const (
	freeTries            = 8                // wrong passwords of a user from an address, before it waits
	mostWait             = 60 * time.Second // for the next try
	triesRate, triesOnce = 1, 50            // wrong passwords from an address each second, and at once
)

// tries limits how often passwords are guessed. Its methods may be called from any
// goroutine.
type tries struct {
	mu    sync.Mutex
	users map[string]*failures
	hosts map[string]*allowance
}

// failures are wrong passwords of a user from an address.
type failures struct {
	wrong int
	until time.Time // nobody is asked before
}

func newTries() *tries { return &tries{users: map[string]*failures{}, hosts: map[string]*allowance{}} }

// begin returns how long to wait before a password of a user may be tried from a host; 0
// is not at all. It counts as a wrong one until right is called: who tries many at once
// has no more tries than who tries one after the other.
func (t *tries) begin(now time.Time, name, host string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := entry(t.users, name+"@"+host)
	if wait := f.until.Sub(now); wait > 0 {
		return wait
	}
	if !entry(t.hosts, host).may(now, triesRate, triesOnce) {
		return time.Second
	}
	f.wrong++
	if over := f.wrong - freeTries; over >= 0 {
		f.until = now.Add(min(mostWait, time.Second<<min(over, 10)))
	}
	return 0
}

// right forgets what was wrong before.
func (t *tries) right(name, host string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.users, name+"@"+host)
	if h := t.hosts[host]; h != nil {
		h.used = max(0, h.used-1)
	}
}
