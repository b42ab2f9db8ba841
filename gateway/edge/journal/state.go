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

// saveEvery spares the medium: after a crash, an older watermark on disk costs
// a question to the collector and nothing else.
const saveEvery = 10 * time.Second

var errNoStore = errors.New("trust a store: its id is missing")

// Acknowledge notes what the collector has acknowledged; the caller has
// verified the signature. A new store, term or proof, or a smaller Through is
// durable when it returns; a larger Through within 10 s, if calls go on.
// Segments that are acknowledged and older than Options.Keep are removed. It
// fails without effect when another store is trusted, when the term falls, or
// when Through is beyond Durable.
func (j *Journal) Acknowledge(now clock.Moment, s State) error {
	j.fileMu.Lock()
	defer j.fileMu.Unlock()
	urgent, err := j.setAcked(now, s)
	if err == nil && (urgent || now.Boot-j.savedAt >= saveEvery) {
		if err = j.save(j.countExpired()); err == nil {
			j.savedAt = now.Boot
		}
	}
	if err != nil {
		return fmt.Errorf("acknowledge in the journal %s: %w", j.opts.Dir, err)
	}
	return nil
}

// setAcked reports whether the new state must be saved at once.
func (j *Journal) setAcked(now clock.Moment, s State) (urgent bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	q := &j.queue
	if err := q.acceptable(s); err != nil {
		return false, err
	}
	q.uptime.advance(now)
	old := q.acked
	q.acked = s
	return s.Store != old.Store || s.Term != old.Term || s.Proof != old.Proof || s.Through < old.Through, nil
}

func (q *queue) acceptable(s State) error {
	switch {
	case q.closed:
		return ErrClosed
	case s.Store == "":
		return errors.New("the store's id is missing")
	case q.acked.Store != "" && q.acked.Store != s.Store:
		return fmt.Errorf("store %s is not the trusted %s", s.Store, q.acked.Store)
	case s.Term < q.acked.Term:
		return fmt.Errorf("term %d is older than %d", s.Term, q.acked.Term)
	case s.Through > q.segs.durable:
		return fmt.Errorf("seq %d is beyond the last durable %d", s.Through, q.segs.durable)
	}
	return nil
}

// Trust makes the journal trust another store, of which it has no
// acknowledgement yet.
func (j *Journal) Trust(store string, term uint64) error {
	if store == "" {
		return errNoStore
	}
	j.fileMu.Lock()
	defer j.fileMu.Unlock()
	err := j.change(func(q *queue) { q.acked = State{Store: store, Term: term} })
	if err == nil {
		err = j.save(0)
	}
	if err != nil {
		return fmt.Errorf("trust store %s in the journal %s: %w", store, j.opts.Dir, err)
	}
	return nil
}

// change calls f unless the journal is closed.
func (j *Journal) change(f func(q *queue)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.queue.closed {
		return ErrClosed
	}
	f(&j.queue)
	return nil
}

// Renew gives the journal a new jid, because the collector knows a newer record
// of the old one than this journal has. Records keep their seqs. Those beyond
// the watermark now belong to the new jid and are sent again: the store may lack
// them, though it may have some of them under the old jid.
func (j *Journal) Renew(reason string) error {
	j.fileMu.Lock()
	defer j.fileMu.Unlock()
	if err := j.renew(reason); err != nil {
		return fmt.Errorf("renew the journal %s: %w", j.opts.Dir, err)
	}
	return nil
}

func (j *Journal) renew(reason string) error {
	var id identity
	err := j.change(func(q *queue) {
		id = newIdentity(j.opts, max(q.segs.base, q.acked.Through), reason, q.id.Origin)
	})
	if err != nil {
		return err
	}
	if err := writeSmall(j.opts.Dir, identityFile, id, j.opts.Sync); err != nil {
		return err
	}
	j.mu.Lock()
	j.queue.id, j.queue.segs.base, j.queue.acked.Through = id, id.Base, 0
	j.queue.seal() // later segments carry the new jid
	j.mu.Unlock()
	j.opts.Log.Warn("the journal has a new jid", "journal", j.opts.Dir, "jid", id.JID, "reason", reason)
	return j.save(0)
}

// newIdentity returns an identity with a new jid; without an origin, that of a
// new journal.
func newIdentity(o Options, base uint64, reason, origin string) identity {
	jid := uuid.NewString()
	return identity{JID: jid, Origin: cmp.Or(origin, jid), Host: o.HostID, Base: base, Reason: reason,
		Version: o.Version}
}

// countExpired counts the segments that are acknowledged and were closed more
// than Keep ago.
func (j *Journal) countExpired() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	q := &j.queue
	return q.segs.removable(q.acked.Through, func(next *segment) bool {
		return q.uptime.total-time.Duration(next.age) >= j.opts.Keep
	})
}

// countAcknowledged counts the segments that hold nothing that must be sent.
func (j *Journal) countAcknowledged() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	q := &j.queue
	return q.segs.removable(q.acked.Through, func(*segment) bool { return true })
}

// save writes the state and then removes the n oldest segments, in this order:
// the state on disk never says that fewer seqs were removed than are missing.
// The caller holds fileMu.
func (j *Journal) save(n int) error {
	j.mu.Lock()
	q := &j.queue
	if n > 0 {
		q.segs.trimmed = q.segs.list[n].first - 1
	}
	s := savedState{JID: q.id.JID, Origin: q.id.Origin, Through: q.acked.Through, Store: q.acked.Store,
		Term: q.acked.Term, Proof: q.acked.Proof, Trimmed: q.segs.trimmed, AgeNS: int64(q.uptime.total)}
	j.mu.Unlock()
	if err := writeSmall(j.opts.Dir, stateFile, s, j.opts.Sync); err != nil {
		return err
	}
	j.mu.Lock()
	removed := q.segs.remove(n)
	j.mu.Unlock()
	for _, r := range []*reader{&j.reader, &j.rawReader} {
		if slices.Contains(removed, r.seg) {
			r.close() // an open file keeps its space on the disk
		}
	}
	var err error
	for _, seg := range removed {
		err = errors.Join(err, os.Remove(seg.path))
	}
	return err
}
