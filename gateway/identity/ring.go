package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/secret"
)

// Key is a key for pseudonyms with the time in which new records are made with it.
type Key struct {
	SiteKey

	From, Until time.Time // the zero time: without bound
}

// Ring is the keys for pseudonyms of a gate, the oldest first: the one that is in force,
// and others by which people are still, or soon, known. The zero value has none. It is not
// changed.
type Ring struct{ keys []Key }

// mostKeys is how many keys a ring has at most.
const mostKeys = 16

const day = 24 * time.Hour

// NewRing returns a ring of keys. Of keys with the same id the last one counts.
func NewRing(keys ...Key) Ring {
	var list []Key
	for _, k := range keys {
		list = slices.DeleteFunc(list, func(x Key) bool { return x.id == k.id })
		list = append(list, k)
	}
	slices.SortStableFunc(list, func(a, b Key) int { return a.From.Compare(b.From) })
	return Ring{list[max(0, len(list)-mostKeys):]}
}

// NewKey returns the key of a secret of 32 bytes.
func NewKey(secret []byte, from, until time.Time) Key {
	return Key{newSiteKey(slices.Clone(secret)), from, until}
}

// At returns the key that is in force at a time: the newest that has begun; before all of
// them the oldest. The newest stays in force when its end is over. Of an empty ring it is
// the zero SiteKey.
func (r Ring) At(now time.Time) SiteKey {
	if len(r.keys) == 0 {
		return SiteKey{}
	}
	return r.keys[r.index(now)].SiteKey
}

// index returns the place of the key in force.
func (r Ring) index(now time.Time) (at int) {
	for i, k := range r.keys {
		if !k.From.After(now) {
			at = i
		}
	}
	return at
}

// Next returns when another key comes into force after now; ok is false when none does.
func (r Ring) Next(now time.Time) (at time.Time, ok bool) {
	for _, k := range r.keys {
		if k.From.After(now) && (!ok || k.From.Before(at)) {
			at, ok = k.From, true
		}
	}
	return at, ok
}

// Keys returns the keys, the oldest first.
func (r Ring) Keys() []Key { return slices.Clone(r.keys) }

// Has reports whether the ring has the key with an id.
func (r Ring) Has(id string) bool {
	return slices.ContainsFunc(r.keys, func(k Key) bool { return k.id == id })
}

// After returns r with those keys of the ring before it by which people are still known:
// the gate merges the ring that it has with each new one so, because the county may not
// have the former key any more.
func (r Ring) After(before Ring, now time.Time, keep time.Duration) Ring {
	return NewRing(slices.Concat(before.keys, r.keys)...).Without(now, keep)
}

// Without returns r without the keys that another one has followed at least keep ago, and
// at least a day ago: nothing that the gate's rules ask for is noted by them any more.
func (r Ring) Without(now time.Time, keep time.Duration) Ring {
	var list []Key
	for i, k := range r.keys {
		if i == len(r.keys)-1 || now.Before(r.keys[i+1].From.Add(max(keep, day))) {
			list = append(list, k)
		}
	}
	return Ring{list}
}

// Named is a ring at a time, which gives names to cards.
type Named struct {
	ring Ring
	at   int
}

// Named returns the names that the ring gives at a time.
func (r Ring) Named(now time.Time) Named { return Named{r, r.index(now)} }

// Pseudonym returns the pseudonym by the key in force.
func (n Named) Pseudonym(kind, code string) string {
	if len(n.ring.keys) == 0 {
		return SiteKey{}.Pseudonym(kind, code)
	}
	return n.ring.keys[n.at].Pseudonym(kind, code)
}

// KeyID returns the id of the key in force; empty: there is none.
func (n Named) KeyID() string {
	if len(n.ring.keys) == 0 {
		return ""
	}
	return n.ring.keys[n.at].id
}

// Others returns the pseudonyms by all other keys.
func (n Named) Others(kind, code string) (out []string) {
	for i, k := range n.ring.keys {
		if i != n.at {
			out = append(out, k.Pseudonym(kind, code))
		}
	}
	return out
}

// IsPseudonym reports whether text has the form of a pseudonym, as SiteKey.Pseudonym
// returns it.
func IsPseudonym(text string) bool {
	id, code, found := strings.Cut(text, "-")
	return found && len(id) == 8 && len(code) == 26 && strings.Trim(id+code, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// KeyOf returns the id of the key by which a pseudonym was made.
func KeyOf(pseudonym string) string {
	id, _, _ := strings.Cut(pseudonym, "-")
	return id
}

// Format returns the ring as text, which ParseRing reads: a line for each key, with the
// key in base64, and from and until where they are known ("-": not). A ring of one key
// without bounds is as the file of a site key.
func (r Ring) Format() []byte {
	var b strings.Builder
	moment := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.UTC().Format(time.RFC3339)
	}
	for _, k := range r.keys {
		b.WriteString(base64.StdEncoding.EncodeToString(k.secret))
		if !k.From.IsZero() || !k.Until.IsZero() {
			b.WriteString(" " + moment(k.From) + " " + moment(k.Until))
		}
		b.WriteString("\n")
	}
	return []byte(b.String())
}

// ParseRing reads a ring. An error repeats nothing of a key.
func ParseRing(text []byte) (Ring, error) {
	text, err := config.Text(text)
	if err != nil {
		return Ring{}, err
	}
	var list []Key
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		k, err := ringKey(f)
		if err != nil {
			return Ring{}, fmt.Errorf("line %d: %w", n, err)
		}
		if len(list) == mostKeys {
			return Ring{}, fmt.Errorf("line %d: a ring has %d keys at most", n, mostKeys)
		}
		list = append(list, k)
	}
	if len(list) == 0 {
		return Ring{}, errors.New("it holds no key")
	}
	return NewRing(list...), nil
}

func ringKey(f []string) (k Key, err error) {
	secret, err := base64.StdEncoding.DecodeString(f[0])
	if err != nil || len(secret) != keyBytes {
		return k, fmt.Errorf("it does not begin with a key of %d bytes in base64", keyBytes)
	}
	k.SiteKey = newSiteKey(secret)
	if len(f) != 1 && len(f) != 3 {
		return k, errors.New("write a key alone, or with from and until")
	}
	for i, at := range []*time.Time{&k.From, &k.Until} {
		if len(f) == 1 || f[1+i] == "-" {
			continue
		}
		if *at, err = time.Parse(time.RFC3339, f[1+i]); err != nil {
			return k, errors.New("from and until are times such as 2020-02-14T00:00:00+08:00, or -")
		}
	}
	if !k.Until.IsZero() && !k.From.Before(k.Until) {
		return k, errors.New("from is not before until")
	}
	return k, nil
}

// LoadRing reads the file of a gate's keys: a site key, or a ring. It fails when other
// accounts may read the file.
func LoadRing(path string) (Ring, error) {
	text, err := secret.Text(path)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: enrol the gate again, or copy the county's site.key", err)
	}
	if err != nil {
		return Ring{}, fmt.Errorf("load the site key: %w", err)
	}
	r, err := ParseRing(text)
	if err != nil {
		return Ring{}, fmt.Errorf("load the site key: %s: %w", path, err)
	}
	return r, nil
}

// GateKey returns the key of a gate in an epoch: HMAC-SHA256 of the gate's id with the
// epoch's secret.
func GateKey(secret []byte, agent string, from, until time.Time) Key {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("gatehouse gate\x00" + agent))
	return NewKey(mac.Sum(nil), from, until)
}

// SaveRing writes the file of a gate's keys, at once or not at all.
func SaveRing(path string, r Ring) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = f.Write(r.Format())
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("save the gate's keys: %w", err)
	}
	return nil
}
