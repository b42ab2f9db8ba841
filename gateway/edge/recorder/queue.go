package recorder

import (
	"errors"
	"sync"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/wire"
)

const (
	// patience is how long a part of the agent waits for the disk to take a record.
	// Then the record stays in memory, and the gate goes on.
	patience = 300 * time.Millisecond
	// mostWaiting bounds the records in memory while the disk does not answer; each
	// takes about half a KiB.
	mostWaiting = 1 << 14
)

var (
	// errNoAnswer is the error of TryAppend while the disk does not answer.
	errNoAnswer = errors.New("the journal's disk does not answer: try again when it does")
	errNoRoom   = errors.New("the disk does not answer, and no more records may wait in memory")
)

// book takes the records in their order. Only the queue's writer calls it.
type book interface {
	Append(now clock.Moment, body wire.Body) (wire.Record, error)
	Lose(reason string) uint64
}

// entry is a record on its way to the journal.
type entry struct {
	now  clock.Moment
	body wire.Body    // nil: lost records, for which there was no room
	lost int          // how many
	try  bool         // an error goes back to the caller; otherwise it makes a recorded loss
	done chan outcome // of the caller who waits; nil: nobody does
}

type outcome struct {
	seq uint64
	err error
}

// queue hands records to the journal, one after the other, so that a write that
// hangs holds nobody up: after patience everybody who waits gets the seq that the
// record will have, and further records are taken without waiting, until the disk
// has taken all of them. Its methods may be called from any goroutine.
type queue struct {
	book  book
	hears hears
	wg    sync.WaitGroup // the writer, while there is something to write

	mu      sync.Mutex
	waiting []*entry // the first one is being written
	writing bool
	seq     uint64        // newest that the journal has used
	ahead   uint64        // newest that a caller was told, while slow
	slow    bool          // the disk did not answer in time, and has not taken everything since
	last    time.Duration // boot clock of the newest record
}

// hears is told what becomes of records. It must not wait.
type hears interface {
	taken(rec wire.Record, body wire.Body)
	lost(seq uint64, body wire.Body, err error)
	hangs() // the disk does not answer in time
	works() // it has taken a record, and nothing waits in memory
}

// want is what a caller wants to become of a record that the journal can't take.
type want int

const (
	wantLoss  want = iota // a recorded loss
	wantError             // an error, also while the disk does not answer
	wantRetry             // an error; while the disk does not answer it waits in memory
)

// put takes a record and returns its seq, or the journal's error.
func (q *queue) put(now clock.Moment, body wire.Body, w want) (uint64, error) {
	q.mu.Lock()
	// The parts read the clock before they wait for each other here. A record
	// must not look as if the clock had been set back.
	if late := q.last - now.Boot; late > 0 && late < longestWait {
		now = now.Add(late)
	}
	q.last = now.Boot
	if q.slow {
		defer q.mu.Unlock()
		if w == wantError {
			return 0, errNoAnswer
		}
		q.later(now, body)
		return q.ahead, nil
	}
	done := make(chan outcome, 1)
	q.waiting = append(q.waiting, &entry{now: now, body: body, try: w != wantLoss, done: done})
	if !q.writing {
		q.writing = true
		q.wg.Go(q.write)
	}
	q.mu.Unlock()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case o := <-done:
		return o.seq, o.err
	case <-limit.C:
		q.giveUp()
		o := <-done // from giveUp, or it was written meanwhile
		return o.seq, o.err
	}
}

// later keeps a record in memory, or counts it as lost where there is no room.
// mu is held.
func (q *queue) later(now clock.Moment, body wire.Body) {
	q.ahead++
	n := len(q.waiting)
	switch {
	case n < mostWaiting:
		q.waiting = append(q.waiting, &entry{now: now, body: body})
	case n == mostWaiting:
		q.waiting = append(q.waiting, &entry{lost: 1})
		q.hears.lost(q.ahead, body, errNoRoom)
	default:
		q.waiting[n-1].lost++
	}
}

// giveUp lets everybody go who waits for the disk: they get the seqs that their
// records will have, as records or as holes.
func (q *queue) giveUp() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.slow || len(q.waiting) == 0 {
		return
	}
	q.slow, q.ahead = true, q.seq
	for _, e := range q.waiting {
		q.ahead++
		e.done <- outcome{seq: q.ahead}
		e.done, e.try = nil, false
	}
	q.hears.hangs()
}

// write writes what waits, and returns when nothing does.
func (q *queue) write() {
	for e := q.first(); e != nil; e = q.first() {
		if e.body == nil {
			q.end(q.book.Lose(journal.ReasonDiskFull), nil, false)
			continue
		}
		rec, err := q.book.Append(e.now, e.body)
		seq, kept := rec.Seq, err == nil
		if kept {
			q.hears.taken(rec, e.body)
		} else if !q.tries(e) {
			seq = q.book.Lose(journal.ReasonDiskFull)
			q.hears.lost(seq, e.body, err)
			err = nil
		}
		q.end(seq, err, kept)
	}
}

// first returns what is to be written first, or nil if nothing is: then the writer
// ends.
func (q *queue) first() *entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 {
		return q.waiting[0]
	}
	q.writing = false
	return nil
}

// tries reports whether somebody still waits for an entry's error.
func (q *queue) tries(e *entry) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return e.try
}

// end notes what became of the first entry, or of one of its lost records.
func (q *queue) end(seq uint64, err error, kept bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seq = max(q.seq, seq)
	e := q.waiting[0]
	if e.lost--; e.lost > 0 {
		return
	}
	q.waiting = q.waiting[1:]
	q.slow = q.slow && len(q.waiting) > 0
	if kept && !q.slow {
		q.hears.works()
	}
	if e.done != nil {
		e.done <- outcome{seq, err}
	}
}
