package people

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"
)

// Passwords are kept as Argon2id hashes, with the parameters that OWASP's "Password
// Storage Cheat Sheet" names first for little memory. At most two are made at
// the same time; see hashes.
const (
	threads  = 1
	saltSize = 16
	hashSize = 32
)

// Cost is what the hash of a password takes.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
}

var owasp = Cost{MemoryKiB: 19 << 10, Passes: 2}

// Hash sets the cost of passwords' hashes; tests make it small. It is called before other
// goroutines use p.
func (p *People) Hash(c Cost) { p.cost = c }

// Bounds of the parameters in a kept hash: others fit no password.
const (
	mostMemoryKiB = 64 << 10
	mostPasses    = 10
	mostThreads   = 4
)

// oldNoHash is as nobody returns them, of bcrypt.
const oldNoHash = "$2a$11$abcdefghijklmnopqrstuuKHkBOOMNoQbGJtHHTSwmYOAcYvJjTGG"

// nobody returns a hash that fits no password. It is compared for unknown names, and for
// users of the provider, which so take as long as others.
func (c Cost) nobody() []byte {
	return []byte(hashed{memory: c.MemoryKiB, passes: c.Passes, threads: threads, salt: []byte("nobody has this."),
		key: []byte("nobody has this password at all.")}.String())
}

// hashed is a parsed Argon2id hash.
type hashed struct {
	memory, passes uint32
	threads        uint8
	salt, key      []byte
}

// hash returns the Argon2id hash of a password, in the form of the PHC string format.
func (c Cost) hash(password string) []byte {
	h := hashed{memory: c.MemoryKiB, passes: c.Passes, threads: threads, salt: make([]byte, saltSize)}
	rand.Read(h.salt) // never fails (crypto/rand)
	h.key = h.of(password, hashSize)
	return []byte(h.String())
}

// of returns the key of a password. The same characters typed in another way, such
// as full-width digits of a Chinese keyboard, are the same password.
func (h hashed) of(password string, size uint32) []byte {
	return argon2.IDKey([]byte(norm.NFKC.String(password)), h.salt, h.passes, h.memory, h.threads, size)
}

func (h hashed) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.threads,
		b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

// parseHash parses what String returns. ok is false when text is something else,
// or would cost too much to compare.
func parseHash(text string) (h hashed, ok bool) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprint("v=", argon2.Version) {
		return h, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.threads); err != nil {
		return h, false
	}
	var bad, worse error
	h.salt, bad = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.key, worse = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	ok = bad == nil && worse == nil && len(h.salt) >= 8 && len(h.salt) <= 64 && len(h.key) >= 16 &&
		len(h.key) <= 64 && h.passes >= 1 && h.passes <= mostPasses && h.threads >= 1 && h.threads <= mostThreads &&
		h.memory >= 8*uint32(h.threads) && h.memory <= mostMemoryKiB && h.String() == text
	return h, ok
}

// old reports whether a kept hash is one of bcrypt, as former versions made them.
func old(kept []byte) bool { return strings.HasPrefix(string(kept), "$2") }

// current reports whether a kept hash is as hash makes them.
func (c Cost) current(kept []byte) bool {
	h, ok := parseHash(string(kept))
	return ok && h.memory == c.MemoryKiB && h.passes == c.Passes && h.threads == threads && len(h.key) == hashSize
}

// fits reports whether a kept hash is a password's.
func fits(kept []byte, password string) bool {
	if old(kept) {
		return bcrypt.CompareHashAndPassword(kept, []byte(password)) == nil
	}
	h, ok := parseHash(string(kept))
	if !ok {
		return false
	}
	return subtle.ConstantTimeCompare(h.key, h.of(password, uint32(len(h.key)))) == 1 //nolint:gosec // at most 64
}
