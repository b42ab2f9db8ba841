// Package journal is an agent's durable queue: records wait here, and only
// here, until the county's store has committed them.
//
// A journal is a folder of segments, files named by their first seq, to which
// each record is written as one checksummed frame. A journal can always be
// opened: a torn end is cut, damage is skipped, and what is lost is reported
// as holes, so that every seq is accounted for exactly once.
//
// A jid identifies a series of seqs to the collector. When the journal can no
// longer be sure that it used each seq once (a cloned card, a lost identity, a
// lost end) it takes a new jid. Records that were not acknowledged keep their
// seqs under it, because other records refer to them; the seqs before them
// become a hole of reason "renewed".
package journal

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/clock"
)

// Reasons of holes.
const (
	ReasonDamaged  = "damaged"   // the medium lost what was written
	ReasonDiskFull = "disk-full" // never written, because the disk was full; see Journal.Lose
	ReasonRenewed  = "renewed"   // these seqs belong to the journal's former jid
	ReasonTorn     = "torn"      // a power cut tore the end; the hole counts the most records it can have held
	ReasonTrimmed  = "trimmed"   // acknowledged long ago and removed
)

// Options are the options of Open.
type Options struct {
	Dir     string // folder of the journal; created when it is missing
	HostID  string // the host's machine id; on another host the journal takes a new jid
	Version string // of the software; noted beside a new jid
	// Keep is how long acknowledged records stay on disk for a store that is
	// restored from a backup: 7 days when 0. Only the time during which the agent
	// runs counts, by the boot clock: setting the wall clock removes nothing.
	Keep         time.Duration
	SegmentBytes int64 // a segment is closed at this size: 8 MiB when 0, less on a small disk
	// DiskSpace returns the bytes that may still be written at dir and the size
	// of its disk: statfs(2) when nil.
	DiskSpace func(dir string) (free, total int64, err error)
	Sync      func(*os.File) error // makes a file or folder durable: fsync when nil
	Log       *slog.Logger         // slog.Default when nil
}

// State is what the collector has acknowledged.
type State struct {
	Through uint64 // newest acknowledged seq; all before it are acknowledged too
	Store   string // id of the store that the journal trusts; empty before the first
	Term    uint64 // highest term of that store
	Proof   string // the signed acknowledgement that proves Term, as JSON; empty when none was kept
}

// Fault reports that the disk failed to make records durable.
type Fault struct {
	Err  error
	Safe bool // the records have been written elsewhere and are durable now
}

var (
	// ErrTooLong means that a record is longer than wire.MaxRecordBytes.
	ErrTooLong = errors.New("record is too long")
	// ErrLocked means that another process has the journal open.
	ErrLocked = errors.New("another agent has this journal open: stop it first")
	// ErrClosed means that the journal has been closed.
	ErrClosed = errors.New("journal is closed")
)

// Journal is an open journal. Its methods may be called from any goroutine.
// It runs two goroutines of its own, which Close ends: run, which makes records
// durable, and trim, which removes acknowledged segments.
type Journal struct {
	opts    Options
	lock    io.Closer   // keeps other processes out until it is closed
	synced  atomic.Bool // the wall clock is known to be right
	signals signals
	loops   sync.WaitGroup // run and trim

	// fileMu serialises reading and removing segments, and writing the small
	// files. It may be held during an fsync; appending does not need it. Who
	// needs both locks takes fileMu first. It guards the fields below.
	fileMu    sync.Mutex
	reader    reader        // of Read
	rawReader reader        // of ReadRaw
	savedAt   time.Duration // boot clock when the state was last written

	mu    sync.Mutex // guards queue; never held during an fsync
	queue queue
}

// queue is what appending, acknowledging and fsyncs change. Its methods are
// called with Journal.mu held.
type queue struct {
	opts    *Options
	signals *signals

	id       identity
	acked    State
	segs     segments
	numbers  numbering
	out      writer
	unsynced unsynced
	space    diskSpace
	uptime   uptime
	closed   bool
}

// signals are the channels between the journal's goroutines and its users.
// Each holds one signal, but for faults.
type signals struct {
	changed chan struct{} // more is durable
	faults  chan Fault
	wake    chan struct{} // records wait for their fsync
	urgent  chan struct{} // they should not wait any longer
	trim    chan struct{} // acknowledged segments should be removed
	stop    chan struct{} // closed by Close
}

func newSignals() signals {
	return signals{
		changed: make(chan struct{}, 1),
		faults:  make(chan Fault, 8),
		wake:    make(chan struct{}, 1),
		urgent:  make(chan struct{}, 1),
		trim:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
	}
}

// signal leaves a signal in a channel of capacity 1.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// uptime is how long agents have run on this journal.
type uptime struct {
	total time.Duration
	boot  time.Duration // boot clock up to which total counts
}

func (u *uptime) advance(now clock.Moment) {
	if now.Boot > u.boot {
		u.total += now.Boot - u.boot
		u.boot = now.Boot
	}
}

// JID returns the journal's id, a UUID. Only Renew changes it.
func (j *Journal) JID() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.queue.id.JID
}

// Origin returns the jid that the journal was created with. It stays when the
// jid changes: two journals of one origin have the same records up to the
// smaller of their Last.
func (j *Journal) Origin() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.queue.id.Origin
}

// First returns the oldest durable seq that is still on disk, or 0.
func (j *Journal) First() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.queue.segs.oldest()
}

// Last returns the newest seq in use, or 0.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.queue.numbers.last
}

// Durable returns the newest seq that survives a power cut, or 0.
func (j *Journal) Durable() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.queue.segs.durable
}

// State returns what was last passed to Acknowledge or Trust.
func (j *Journal) State() State {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.queue.acked
}

// SetSynced sets whether the wall clock is known to be right. Records that are
// appended while it is not are marked, as they are before the first call.
func (j *Journal) SetSynced(known bool) { j.synced.Store(known) }

// Changed returns a channel that receives after Durable has grown. It holds one
// signal, for one consumer: the shipper.
func (j *Journal) Changed() <-chan struct{} { return j.signals.changed }

// Faults returns a channel that receives when the disk has failed and when the
// records concerned are safe again. Faults that nobody receives are only logged.
func (j *Journal) Faults() <-chan Fault { return j.signals.faults }

// Close makes all records durable, saves the state and ends the journal's
// goroutines. It returns the error of the last fsync.
func (j *Journal) Close() error {
	if !j.close() {
		return nil
	}
	close(j.signals.stop)
	j.loops.Wait()

	j.fileMu.Lock()
	defer j.fileMu.Unlock()
	j.reader.close()
	j.rawReader.close()
	err := j.save(0)
	j.mu.Lock()
	defer j.mu.Unlock()
	if f := j.queue.out.active; f != nil {
		f.Close()
	}
	err = errors.Join(j.queue.unsynced.failed, err)
	j.lock.Close()
	if err != nil {
		return fmt.Errorf("close the journal %s: %w", j.opts.Dir, err)
	}
	return nil
}

// close ends appending and reports whether it had not ended before.
func (j *Journal) close() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.queue.closed {
		return false
	}
	if err := j.queue.writeLost(); err != nil {
		j.opts.Log.Warn("write the holes of lost records", "journal", j.opts.Dir, "err", err)
	}
	j.queue.closed = true
	return true
}
