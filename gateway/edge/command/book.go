package command

import (
	"slices"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

const (
	mostIssued = 8   // nonces that are held; of more the oldest is void
	mostTaken  = 128 // commands that are remembered
)

// issue is a nonce that was issued.
type issue struct {
	id, nonce string
	at        time.Duration // boot clock
}

// Taken is a command that was taken, with what its outcome needs.
type Taken struct {
	ID       string             `json:"id"`
	Action   fact.CommandAction `json:"action"`
	Lane     string             `json:"lane,omitempty"`
	Operator string             `json:"operator"`
	Reason   string             `json:"reason"`
	Ended    bool               `json:"ended,omitempty"` // the journal holds its outcome, or nothing was done
}

// verdict says what to do about a command.
type verdict struct {
	do     bool
	refuse fact.CommandWhy // empty and not do: nothing at all, it was taken already
}

// book knows which nonces are out and which commands were taken. It is pure: time and
// messages go in.
type book struct {
	issued []issue // the oldest first
	taken  []Taken // the oldest first
}

func (b *book) find(id string) *Taken {
	if i := slices.IndexFunc(b.taken, func(t Taken) bool { return t.ID == id }); i >= 0 {
		return &b.taken[i]
	}
	return nil
}

// issue notes that nonce is issued at now for a command, and reports whether it may be: a
// command that was taken gets none. A former one for the same command is void.
func (b *book) issue(now time.Duration, id, nonce string) bool {
	if b.find(id) != nil {
		return false
	}
	b.issued = slices.DeleteFunc(b.issued, func(x issue) bool { return x.id == id })
	b.issued = append(b.issued, issue{id, nonce, now})
	b.issued = b.issued[max(0, len(b.issued)-mostIssued):]
	return true
}

// judge says what to do at now about a command that is signed for this gate. One that is
// done or refused is taken: the same one again does nothing.
func (b *book) judge(now time.Duration, c wire.Command) (v verdict) {
	if b.find(c.ID) != nil {
		return verdict{}
	}
	i := slices.IndexFunc(b.issued, func(x issue) bool { return x.id == c.ID })
	switch {
	case i >= 0 && b.issued[i].nonce != c.Nonce:
		return verdict{} // an older copy; the one with the newer nonce may still come
	case i < 0:
		v.refuse = fact.CommandNonce
	case now-b.issued[i].at > min(time.Duration(c.ExpiresMS)*time.Millisecond, wire.MaxCommandAge):
		v.refuse = fact.CommandLate
	case !c.Action.Valid():
		v.refuse = fact.CommandOther
	default:
		v.do = true
	}
	if i >= 0 {
		b.issued = slices.Delete(b.issued, i, i+1)
	}
	b.taken = append(b.taken, Taken{c.ID, c.Action, c.Lane, c.Operator, c.Reason, !v.do})
	b.taken = b.taken[max(0, len(b.taken)-mostTaken):]
	return v
}

// end notes that the journal holds the outcome of a command.
func (b *book) end(id string) {
	if t := b.find(id); t != nil {
		t.Ended = true
	}
}

// open returns the commands that were begun and whose outcome the journal does not hold.
func (b *book) open() (out []Taken) {
	for _, t := range b.taken {
		if !t.Ended {
			out = append(out, t)
		}
	}
	return out
}
