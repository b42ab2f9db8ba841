package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// domain begins what is hashed. Another form would have another one.
const domain = "gatehouse audit 1"

// Sum returns the hash of an entry: the SHA-256 of, one after the other,
//
//	domain                                         text
//	n                                              8 bytes
//	at, in nanoseconds since 1970 UTC              8 bytes, two's complement
//	actor, role, from, action, object, detail      text
//	prev                                           32 bytes
//
// where numbers are big-endian, and text is its length in bytes as 4 bytes, then its
// UTF-8. So no two entries have the same form.
func Sum(e Entry) Hash {
	b := text(nil, domain)
	b = binary.BigEndian.AppendUint64(b, e.N)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixNano()))
	for _, s := range []string{e.Actor, e.Role, e.From, string(e.Action), e.Object, e.Detail} {
		b = text(b, s)
	}
	return sha256.Sum256(append(b, e.Prev[:]...))
}

func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// follow returns e as the entry behind the given head, with texts of bounded length.
func follow(h Head, e Entry) Entry {
	e = bounded(e)
	e.N, e.Prev = h.N+1, h.Hash
	e.Hash = Sum(e)
	return e
}

// Head is where a chain ends: its last entry. It stands for all entries before, too. That
// of an empty chain is zero.
type Head struct {
	N    uint64
	Hash Hash
}

// Fault is something that is wrong with a chain.
type Fault struct {
	N    uint64 // of the entry at which it is seen
	Text string // for people, in English
}

// Check checks a chain, entry by entry. The zero value is at its begin.
type Check struct {
	end Head
}

// End returns the head of what was checked.
func (c *Check) End() Head { return c.end }

// Next takes the next entry as it is stored, and returns what is wrong with it; an empty
// list: nothing. What follows is checked against the hash that is stored in it, so that
// one change is one fault.
func (c *Check) Next(e Entry) (faults []Fault) {
	fault := func(format string, args ...any) {
		faults = append(faults, Fault{e.N, fmt.Sprintf(format, args...)})
	}
	switch {
	case e.N > c.end.N+1:
		fault("entries %d to %d are missing", c.end.N+1, e.N-1)
	case e.N <= c.end.N:
		fault("entry %d stands behind entry %d", e.N, c.end.N)
	case e.Prev != c.end.Hash:
		fault("entry %d does not follow the one before: one of them was put there, or changed with its hash", e.N)
	}
	if Sum(e) != e.Hash {
		fault("entry %d was changed: its hash does not fit what it says", e.N)
	}
	c.end = Head{e.N, e.Hash}
	return faults
}
