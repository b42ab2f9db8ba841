// Package audit keeps who did what at the county, and who looked at whose passages: a
// table in the desk's file, each entry with a hash over itself and the entry before it.
// Nothing is ever removed from it or changed in it; Check finds what was. chain.go and
// heads.go are pure, log.go is the table.
package audit

import (
	"encoding/hex"
	"errors"
	"strings"
	"time"
	"unicode"
)

// By is who acts, and from where.
type By struct {
	Actor string `json:"actor"`          // a user of the desk; on the command line one of the computer
	Role  string `json:"role,omitempty"` // at that time; empty: none is known
	From  string `json:"from,omitempty"` // the address of a browser, or Terminal
}

// Terminal is where commands come from.
const Terminal = "terminal"

// Act is what is done or looked at. It names things by their ids, and holds no text that
// somebody wrote: that may name a person, or be a password in the wrong field.
type Act struct {
	Action Action `json:"action"`
	Object string `json:"object,omitempty"` // a kind and an id, such as "gate gate-017"
	Detail string `json:"detail,omitempty"` // for people, in English
}

// Entry is one entry of the chain.
type Entry struct {
	By
	Act

	N    uint64    `json:"n"` // 1 for the first, then one more for each
	At   time.Time `json:"at"`
	Prev Hash      `json:"prev"` // of the entry before; of the first all zero
	Hash Hash      `json:"hash"` // of this one, as Sum returns it
}

// Hash is a SHA-256. As text it is hexadecimal.
type Hash [32]byte

// String returns h as text.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(h) {
		return errors.New("a hash has 64 hexadecimal digits")
	}
	*h = Hash(b)
	return nil
}

// ErrUnwritten is wrapped by errors that say that an entry could not be written: what it
// is about must not be done or shown.
var ErrUnwritten = errors.New("the audit can't be written")

// Most characters that the texts of an entry have.
const (
	mostName   = 64  // of actor, role, from and action
	mostObject = 128 // of the object
	mostDetail = 512 // of the detail
)

// bounded returns e with texts of bounded length in one line.
func bounded(e Entry) Entry {
	e.Actor, e.Role, e.From = oneLine(e.Actor, mostName), oneLine(e.Role, mostName), oneLine(e.From, mostName)
	e.Action = Action(oneLine(string(e.Action), mostName))
	e.Object, e.Detail = oneLine(e.Object, mostObject), oneLine(e.Detail, mostDetail)
	return e
}

// oneLine returns s in valid UTF-8, without control characters, and cut to most
// characters.
func oneLine(s string, most int) string {
	if len(s) > 4*most {
		s = s[:4*most] // no character needs more bytes
	}
	r := []rune(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD")))
	if len(r) > most {
		r = append(r[:most-1], '…')
	}
	return string(r)
}
