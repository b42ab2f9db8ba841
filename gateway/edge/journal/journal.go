// Package journal is an agent's durable queue: the only place where records
// wait until the county's store has committed them.
//
// A journal is a folder of segments, files named by their first seq, to which
// each record is written as one checksummed frame. It opens whatever has
// happened to it: a torn end is cut, damage is stepped over, and what is gone
// is told as holes, so that every seq is accounted for once.
//
// A jid names the run of seqs that a collector knows. When the journal can no
// longer vouch for having given each seq once (a cloned card, a lost identity,
// a lost end) it takes a new jid and goes on with the seqs it has: records
// that were not acknowledged, and what refers to them, keep their seqs, and
// the seqs before them are a hole of reason "renewed".
package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// Reasons of holes.
const (
	ReasonDamaged  = "damaged"   // the medium lost what was written
	ReasonDiskFull = "disk-full" // never written, for want of room; see Journal.Lose
	ReasonRenewed  = "renewed"   // these seqs belong to the journal's former jid
	ReasonTorn     = "torn"      // a power cut tore the end; at most so many records
	ReasonTrimmed  = "trimmed"   // acknowledged long ago and removed
)

// Options says where a journal is and how it behaves.
type Options struct {
	Dir     string // made when it is missing
	HostID  string // the host's machine id; elsewhere the journal gets a new jid
	Version string // of the software; noted beside a new jid
	// Keep is how long acknowledged records stay for a store that is restored
	// from a backup: 7 days when 0. It counts time during which the agent ran,
	// on the boot clock, so that no step of the wall clock removes anything.
	Keep         time.Duration
	SegmentBytes int64 // a segment is closed at this size: 8 MiB when 0, less on a small disk
	// DiskSpace returns the bytes that may still be written at dir and the size of its
	// disk: the file system's own word when nil.
	DiskSpace func(dir string) (free, total int64, err error)
	Sync      func(*os.File) error // makes a file or folder durable: fsync when nil
	Log       *slog.Logger         // slog.Default when nil
}

// State is what the collector has said of this journal.
type State struct {
	Through uint64 // acknowledged up to and with this seq
	Store   string // id of the store that the journal trusts; empty before the first
	Term    uint64 // highest term of that store
	Proof   string // the signed acknowledgement that gave Term, as JSON; empty when none was kept
}

// Fault says that the disk failed to make records durable.
type Fault struct {
	Err  error
	Safe bool // they were written again elsewhere and are durable now
}

var (
	// ErrTooLong says that a record is longer than wire.MaxRecordBytes.
	ErrTooLong = errors.New("record is too long")
	// ErrLocked says that another process has the journal open.
	ErrLocked = errors.New("another agent has this journal open: stop it first")
	// ErrClosed says that the journal has been closed.
	ErrClosed = errors.New("journal is closed")
)

// Journal is an open journal. Its methods may be called from any goroutine.
type Journal struct {
	opts    Options
	lock    io.Closer
	synced  atomic.Bool
	changed chan struct{}
	faults  chan Fault
	wake    chan struct{} // something waits for its fsync
	urgent  chan struct{} // and for no longer
	short   chan struct{} // room is short: what is acknowledged may go
	stop    chan struct{}
	loops   sync.WaitGroup // run and trim

	// ship is held while reading and while writing the small files, so that
	// appending never waits for either. It is taken before mu.
	ship    sync.Mutex
	reader  reader
	bare    reader        // of ReadRaw
	savedAt time.Duration // boot clock at the last write of the state

	mu       sync.Mutex
	space    space
	id       identity
	shelf    shelf
	state    State
	last     uint64      // seq given last
	written  uint64      // seq written last
	lost     []wire.Hole // what lies between: records given up
	stamp    stamp
	active   *os.File   // the last segment's; nil: the next append makes one
	dirty    []*os.File // closed or active segments with records not durable
	made     bool       // a segment was made since the folder's last fsync
	unsynced []byte     // frames up to written that wait for their fsync
	flushing []byte     // frames before these, whose fsync is under way
	held     []byte     // frames before these, from durable+1 to heldTo: their fsync failed
	heldTo   uint64
	waiting  int // frames in unsynced
	scratch  []byte
	failed   error         // of the fsync that put frames into held; nil: there are none
	broken   error         // the same once they could not be written again either
	flushed  chan struct{} // closed and replaced after every fsync
	age      time.Duration // of the journal when boot was read
	boot     time.Duration // boot clock at the last call that told the time
	closed   bool
}

// JID is the journal's id, a UUID. It changes with Renew only.
func (j *Journal) JID() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.id.JID
}

// Origin is the jid that the journal was made with. It stays when the jid
// changes: the same origin means that the records up to Last are the same.
func (j *Journal) Origin() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.id.Origin
}

// First is the oldest durable seq that is still on disk, 0 when there is none.
func (j *Journal) First() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.shelf.oldest()
}

// Last is the newest seq given, 0 when there is none.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// Durable is the newest seq that a power cut can't take, 0 when there is none.
func (j *Journal) Durable() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.shelf.durable
}

// State is what the collector has said, as last told to Acknowledge or Trust.
func (j *Journal) State() State {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state
}

// SetSynced says whether the wall clock is known to be right; later records
// are marked when it is not. It is not known when the journal is opened.
func (j *Journal) SetSynced(known bool) { j.synced.Store(known) }

// Changed is signalled after Durable has grown. It holds one signal for one
// consumer: the shipper.
func (j *Journal) Changed() <-chan struct{} { return j.changed }

// Faults tells when the disk failed and when that was made good. What nobody
// takes is logged only.
func (j *Journal) Faults() <-chan Fault { return j.faults }

// Read gives what stands from seq from on, every seq as an entry or in a hole,
// nothing beyond Durable. It stops at maxRecords entries and holes or before
// maxBytes of records are exceeded, but gives at least one when there is any.
func (j *Journal) Read(from uint64, maxRecords, maxBytes int) (Chunk, error) {
	return j.read(&j.reader, from, maxRecords, maxBytes)
}

// ReadRaw is Read for who passes records on without looking at them: of each
// Record only Seq is filled in.
func (j *Journal) ReadRaw(from uint64, maxRecords, maxBytes int) (Chunk, error) {
	return j.read(&j.bare, from, maxRecords, maxBytes)
}

func (j *Journal) read(r *reader, from uint64, maxRecords, maxBytes int) (Chunk, error) {
	if from == 0 {
		return Chunk{}, errors.New("read the journal: seqs begin with 1")
	}
	j.ship.Lock()
	defer j.ship.Unlock()
	j.mu.Lock()
	durable, closed := j.shelf.durable, j.closed
	j.mu.Unlock()
	if closed {
		return Chunk{}, ErrClosed
	}
	c, err := r.read(from, durable, room{max(1, maxRecords), maxBytes}, func(want uint64) place {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.shelf.locate(want)
	})
	for _, h := range c.Holes {
		if h.Reason == ReasonDamaged {
			j.opts.Log.Warn("records are lost", "from", h.From, "to", h.To, "journal", j.opts.Dir)
		}
	}
	return c, err
}

// Walk shows the bytes of each durable record that stands from seq from on, in
// order: a look through a long journal, several times faster than Read, for
// whoever picks few records out of many. The bytes are visit's until it returns.
func (j *Journal) Walk(from uint64, visit func(raw []byte)) error {
	j.ship.Lock() // nothing is removed meanwhile
	defer j.ship.Unlock()
	j.mu.Lock()
	durable, closed := j.shelf.durable, j.closed
	j.mu.Unlock()
	if closed {
		return ErrClosed
	}
	return walk(max(1, from), durable, func(want uint64) place {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.shelf.locate(want)
	}, visit)
}

// Sync forces the fsync and returns when everything appended before is
// durable. It fails when the disk does; the journal then goes on trying.
func (j *Journal) Sync(ctx context.Context) error {
	j.mu.Lock()
	target := j.written
	for j.shelf.durable < target {
		err := j.broken
		if err == nil && j.closed {
			err = ErrClosed
		}
		if err != nil {
			j.mu.Unlock()
			return fmt.Errorf("sync the journal %s: %w", j.opts.Dir, err)
		}
		flushed := j.flushed
		j.mu.Unlock()
		signal(j.urgent)
		select {
		case <-flushed:
		case <-ctx.Done():
			return fmt.Errorf("sync the journal %s: %w", j.opts.Dir, ctx.Err())
		}
		j.mu.Lock()
	}
	j.mu.Unlock()
	return nil
}

// Close makes everything durable, remembers the watermark and ends the
// journal's goroutine. The error is of the last fsync.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	if err := j.writeLost(); err != nil {
		j.opts.Log.Warn("note lost records", "journal", j.opts.Dir, "err", err)
	}
	j.closed = true
	j.mu.Unlock()
	close(j.stop)
	j.loops.Wait()

	j.ship.Lock()
	defer j.ship.Unlock()
	j.reader.close()
	j.bare.close()
	err := j.save(0)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.active != nil {
		j.active.Close()
	}
	err = errors.Join(j.failed, err)
	j.lock.Close()
	if err != nil {
		return fmt.Errorf("close the journal %s: %w", j.opts.Dir, err)
	}
	return nil
}

// now takes the time that a caller brought; mu is held.
func (j *Journal) now(m clock.Moment) {
	if m.Boot > j.boot {
		j.age += m.Boot - j.boot
		j.boot = m.Boot
	}
}

// signal leaves a signal in a channel of capacity 1.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
