// Package epochs keeps the secrets from which the gates' keys for pseudonyms are made: a
// gate's key is HMAC-SHA256 of its id with the secret of the epoch, and an epoch lasts two
// weeks. The secret in force lies in a file beside the county's authority, not with the
// records, and encrypted so that any two of the people whom the county names open it. A day
// after the epoch has ended the plain one is removed. Who has one gate's key can find the
// cards of that gate in that epoch, and nothing else.
package epochs

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/secret"
)

// Config says how long epochs are, and who opens those that have ended.
type Config struct {
	Days   int               `yaml:"days,omitempty"` // 1 to 90; absent: 14
	People map[string]string `yaml:"people"`         // recipient (age1...) by name; 2 to 10
}

const (
	usualDays  = 14
	mostDays   = 90
	mostPeople = 10
	secretSize = 32

	// Around is for how long before its begin the next epoch's keys are handed to gates, and
	// for how long after its end the former one's secret stays.
	Around = 24 * time.Hour
)

// Check returns what is wrong.
func (c Config) Check() error {
	var errs []error
	if c.Days < 0 || c.Days > mostDays {
		errs = append(errs, fmt.Errorf("days %d: write 1 to %d", c.Days, mostDays))
	}
	if len(c.People) < 2 || len(c.People) > mostPeople {
		errs = append(errs, fmt.Errorf("people: name 2 to %d people with their recipients, each made by age-keygen",
			mostPeople))
	}
	seen := map[string]string{}
	for name, to := range c.People {
		if err := sealed.CheckRecipient(to); err != nil {
			errs = append(errs, fmt.Errorf("people: %s: write what age-keygen -y prints, age1...: %w", name, err))
		}
		if other, twice := seen[to]; twice {
			errs = append(errs, fmt.Errorf("people: %s and %s have the same recipient: each needs an own one", name,
				other))
		}
		seen[to] = name
	}
	return errors.Join(errs...)
}

func (c Config) days() int {
	if c.Days == 0 {
		return usualDays
	}
	return c.Days
}

// Epoch is a time in which a gate has one key.
type Epoch struct {
	From, Until time.Time
}

// name returns the begin of the names of an epoch's files.
func (e Epoch) name() string { return "epoch-" + e.From.UTC().Format("20060102T150405Z") }

// Epochs are those of a county. The methods may be called from any goroutine.
type Epochs struct {
	dir    string // of the files
	cfg    Config
	zone   *time.Location // of the county: an epoch begins at midnight
	agents []string       // of the sites file

	mu    sync.Mutex
	plain map[Epoch][]byte // secrets that lie in files
	known map[string]bool  // "agent key-id" of all epochs
	list  []Epoch          // all, the oldest first
}

// Open reads the epochs in dir, makes the first one or the next one if that is due, and
// removes what is over.
func Open(dir string, cfg Config, zone *time.Location, agents []string, now time.Time) (*Epochs, error) {
	e := &Epochs{dir: dir, cfg: cfg, zone: zone, agents: agents, plain: map[Epoch][]byte{}, known: map[string]bool{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of epochs: %w", err)
	}
	if err := e.read(); err != nil {
		return nil, err
	}
	return e, e.Turn(now)
}

// read reads the files.
func (e *Epochs) read() error {
	files, err := os.ReadDir(e.dir)
	if err != nil {
		return fmt.Errorf("read the epochs: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(e.dir, f.Name())
		switch {
		case strings.HasSuffix(f.Name(), plainEnd):
			err = e.readPlain(path)
		case strings.HasSuffix(f.Name(), sealedEnd):
			var s Sealed
			if s, err = Read(path); err == nil {
				e.note(s)
			}
		}
		if err != nil {
			return fmt.Errorf("read the epochs: %w", err)
		}
	}
	return nil
}

// note notes an epoch with the ids of its keys.
func (e *Epochs) note(s Sealed) {
	e.add(s.Epoch())
	for agent, id := range s.IDs {
		e.known[agent+" "+id] = true
	}
}

func (e *Epochs) add(x Epoch) {
	if slices.Contains(e.list, x) {
		return
	}
	e.list = append(e.list, x)
	slices.SortFunc(e.list, func(a, b Epoch) int { return a.From.Compare(b.From) })
}

// readPlain reads a secret: base64, from and until in one line, as of a ring.
func (e *Epochs) readPlain(path string) error {
	text, err := secret.Text(path)
	if err != nil {
		return err
	}
	f := strings.Fields(string(text))
	if len(f) != 3 {
		return fmt.Errorf("%s: it does not hold a secret with from and until", path)
	}
	b, err := base64.StdEncoding.DecodeString(f[0])
	from, err1 := time.Parse(time.RFC3339, f[1])
	until, err2 := time.Parse(time.RFC3339, f[2])
	if err = errors.Join(err, err1, err2); err != nil || len(b) != secretSize || !from.Before(until) {
		return fmt.Errorf("%s is damaged: bring it back from a copy; the encrypted file beside it has the same", path)
	}
	x := Epoch{from.UTC(), until.UTC()}
	e.plain[x] = b
	e.add(x)
	return nil
}

// Turn makes the epoch of a time, and the next one a day before it begins; encrypts secrets
// that are not yet; and removes plain ones that are over. It may be called again after each
// failure, and after the process was killed at any point.
func (e *Epochs) Turn(now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.list) == 0 {
		y, m, d := now.In(e.zone).Date()
		if err := e.begin(time.Date(y, m, d, 0, 0, 0, 0, e.zone)); err != nil {
			return err
		}
	}
	for last := e.list[len(e.list)-1]; !now.Before(last.Until.Add(-Around)); last = e.list[len(e.list)-1] {
		from := last.Until
		for end := e.end(from); !now.Before(end); end = e.end(from) {
			from = end // the county was off for a whole epoch
		}
		if err := e.begin(from); err != nil {
			return err
		}
	}
	for x, b := range e.plain {
		if err := e.seal(x, b); err != nil {
			return err
		}
		if now.Before(x.Until.Add(Around)) {
			continue
		}
		if err := os.Remove(filepath.Join(e.dir, x.name()+plainEnd)); err != nil {
			return fmt.Errorf("remove the secret of an epoch that is over: %w", err)
		}
		delete(e.plain, x)
	}
	return nil
}

// end returns when an epoch ends that begins at a time: at midnight.
func (e *Epochs) end(from time.Time) time.Time {
	y, m, d := from.In(e.zone).Date()
	return time.Date(y, m, d+e.cfg.days(), 0, 0, 0, 0, e.zone)
}

// begin makes the secret of an epoch.
func (e *Epochs) begin(from time.Time) error {
	x := Epoch{from.UTC(), e.end(from).UTC()}
	b := make([]byte, secretSize)
	rand.Read(b) // never fails (crypto/rand)
	line := base64.StdEncoding.EncodeToString(b) + " " + x.From.Format(time.RFC3339) + " " +
		x.Until.Format(time.RFC3339) + "\n"
	if err := write(filepath.Join(e.dir, x.name()+plainEnd), []byte(line)); err != nil {
		return fmt.Errorf("make the secret of an epoch: %w", err)
	}
	e.plain[x] = b
	e.add(x)
	return nil
}

// write writes a file durably, at once or not at all.
func write(path string, text []byte) error {
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := identity.Create(path+".new", string(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// GateKeys returns the keys of a gate at a time: the one in force, and in the day around a
// roll-over the former or the next one. An error says that there is no secret in force.
func (e *Epochs) GateKeys(agent string, now time.Time) (identity.Ring, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var keys []identity.Key
	for _, x := range e.list {
		b := e.plain[x]
		if b == nil || now.Before(x.From.Add(-Around)) || !now.Before(x.Until.Add(Around)) {
			continue
		}
		k := identity.GateKey(b, agent, x.From, x.Until)
		e.known[agent+" "+k.ID()] = true
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return identity.Ring{}, errors.New("no epoch's secret is there: is the folder of the county's authority " +
			"mounted?")
	}
	return identity.NewRing(keys...), nil
}

// Knows reports whether a key with this id is, or was, one of a gate's.
func (e *Epochs) Knows(agent, keyID string, now time.Time) bool {
	if r, err := e.GateKeys(agent, now); err == nil && r.Has(keyID) {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.known[agent+" "+keyID]
}

// Next returns when GateKeys returns other keys than now.
func (e *Epochs) Next(now time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	var next time.Time
	for _, x := range e.list {
		for _, at := range []time.Time{x.Until.Add(-Around), x.Until.Add(Around)} {
			if at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}
