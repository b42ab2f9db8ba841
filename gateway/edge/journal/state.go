package journal

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"

	"gatehouse/gateway/clock"
)

// saveEvery spares the medium: a watermark that lags costs a question to the
// collector after a crash, nothing else.
const saveEvery = 10 * time.Second

// Acknowledge takes what the collector has acknowledged, which the caller has
// verified. A new store, term or proof, or an earlier watermark is durable when
// it returns; a later watermark follows within 10 s if calls go on. Segments that
// are acknowledged and older than Options.Keep are removed. It fails without
// effect when another store is trusted, the term falls, or the watermark is
// beyond Durable.
func (j *Journal) Acknowledge(now clock.Moment, s State) error {
	j.ship.Lock()
	defer j.ship.Unlock()
	j.mu.Lock()
	old, err := j.state, j.acceptable(s)
	if err == nil {
		j.now(now)
		j.state = s
	}
	j.mu.Unlock()
	if err != nil {
		return fmt.Errorf("acknowledge in the journal %s: %w", j.opts.Dir, err)
	}
	same := s.Store == old.Store && s.Term == old.Term && s.Proof == old.Proof
	if same && s.Through >= old.Through && now.Boot-j.savedAt < saveEvery {
		return nil
	}
	if err := j.save(j.old()); err != nil {
		return fmt.Errorf("acknowledge in the journal %s: %w", j.opts.Dir, err)
	}
	j.savedAt = now.Boot
	return nil
}

func (j *Journal) acceptable(s State) error {
	switch {
	case j.closed:
		return ErrClosed
	case s.Store == "":
		return errors.New("the store's id is missing")
	case j.state.Store != "" && j.state.Store != s.Store:
		return fmt.Errorf("store %s is not the trusted %s", s.Store, j.state.Store)
	case s.Term < j.state.Term:
		return fmt.Errorf("term %d is older than %d", s.Term, j.state.Term)
	case s.Through > j.shelf.durable:
		return fmt.Errorf("seq %d is beyond the last durable %d", s.Through, j.shelf.durable)
	}
	return nil
}

// Trust pins another store: its watermark is not known until it answers.
func (j *Journal) Trust(store string, term uint64) error {
	if store == "" {
		return errors.New("trust a store: its id is missing")
	}
	j.ship.Lock()
	defer j.ship.Unlock()
	j.mu.Lock()
	closed := j.closed
	if !closed {
		j.state = State{Store: store, Term: term}
	}
	j.mu.Unlock()
	if closed {
		return fmt.Errorf("trust store %s in the journal %s: %w", store, j.opts.Dir, ErrClosed)
	}
	if err := j.save(0); err != nil {
		return fmt.Errorf("trust store %s in the journal %s: %w", store, j.opts.Dir, err)
	}
	return nil
}

// Renew gives the journal a new jid because the collector knows more of the
// old one than this journal does. Records keep their seqs. Those beyond the
// known watermark now belong to the new jid, so that all that may be missing
// in the store is sent; some of them may be stored under the old one already.
func (j *Journal) Renew(reason string) error {
	j.ship.Lock()
	defer j.ship.Unlock()
	j.mu.Lock()
	base, origin, closed := max(j.shelf.base, j.state.Through), j.id.Origin, j.closed
	j.mu.Unlock()
	if closed {
		return fmt.Errorf("renew the journal %s: %w", j.opts.Dir, ErrClosed)
	}
	id := newIdentity(j.opts, base, reason, origin)
	if err := writeSmall(j.opts.Dir, identityFile, id, j.opts.Sync); err != nil {
		return fmt.Errorf("renew the journal %s: %w", j.opts.Dir, err)
	}
	j.mu.Lock()
	j.id, j.shelf.base, j.state.Through = id, base, 0
	j.seal() // later segments carry the new jid
	j.mu.Unlock()
	j.opts.Log.Warn("the journal has a new jid", "journal", j.opts.Dir, "jid", id.JID, "reason", reason)
	if err := j.save(0); err != nil {
		return fmt.Errorf("renew the journal %s: %w", j.opts.Dir, err)
	}
	return nil
}

// newIdentity gives a journal a new jid; without an origin it is one that
// begins.
func newIdentity(o Options, base uint64, reason, origin string) identity {
	jid := uuid.NewString()
	return identity{JID: jid, Origin: cmp.Or(origin, jid), Host: o.HostID, Base: base, Reason: reason, Version: o.Version}
}

// old counts the segments that may be removed: acknowledged and past Keep
// since they were closed. The last segment stays, because it knows the time.
func (j *Journal) old() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for ; n+1 < len(j.shelf.segs); n++ {
		next := j.shelf.segs[n+1]
		if next.first-1 > j.state.Through || j.age-time.Duration(next.age) < j.opts.Keep {
			break
		}
	}
	return n
}

// save writes the state and then removes the n oldest segments: the state on
// disk never claims to have less than there is. The caller holds ship.
func (j *Journal) save(n int) error {
	j.mu.Lock()
	if n > 0 {
		j.shelf.trimmed = j.shelf.segs[n].first - 1
	}
	s := savedState{JID: j.id.JID, Origin: j.id.Origin, Through: j.state.Through, Store: j.state.Store, Term: j.state.Term,
		Proof: j.state.Proof, Trimmed: j.shelf.trimmed, AgeNS: int64(j.age)}
	j.mu.Unlock()
	if err := writeSmall(j.opts.Dir, stateFile, s, j.opts.Sync); err != nil {
		return err
	}
	j.mu.Lock()
	old := j.shelf.segs[:n]
	j.shelf.segs = append([]*segment(nil), j.shelf.segs[n:]...)
	j.mu.Unlock()
	for _, r := range []*reader{&j.reader, &j.bare} {
		if slices.Contains(old, r.seg) {
			r.close() // an open file keeps its room on the disk
		}
	}
	var err error
	for _, seg := range old {
		err = errors.Join(err, os.Remove(seg.path))
	}
	return err
}
