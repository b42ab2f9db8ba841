package journal

import (
	"errors"
	"time"

	"gatehouse/gateway/wire"
)

// Chunk is a series of seqs without a gap: each from From to To is an entry or
// inside a hole. It is empty when To is From-1.
type Chunk struct {
	From, To uint64
	Entries  []wire.Entry // rising seqs
	Holes    []wire.Hole  // rising; they overlap neither one another nor the entries

	bytes []byte // holds every entry's Raw
}

var errSeqZero = errors.New("read the journal: seqs begin with 1")

// Read returns what follows from seq from on, each seq as an entry or in a
// hole, up to Durable. It stops at maxRecords entries and holes and before the
// records exceed maxBytes, but returns at least one if there is any.
func (j *Journal) Read(from uint64, maxRecords, maxBytes int) (Chunk, error) {
	return j.read(&j.reader, from, maxRecords, maxBytes)
}

// ReadRaw is like Read but does not decode records: of each Record only Seq is
// set.
func (j *Journal) ReadRaw(from uint64, maxRecords, maxBytes int) (Chunk, error) {
	return j.read(&j.rawReader, from, maxRecords, maxBytes)
}

func (j *Journal) read(r *reader, from uint64, maxRecords, maxBytes int) (Chunk, error) {
	if from == 0 {
		return Chunk{}, errSeqZero
	}
	j.fileMu.Lock()
	defer j.fileMu.Unlock()
	durable, err := j.readable()
	if err != nil {
		return Chunk{}, err
	}
	c, err := r.read(from, durable, limits{max(1, maxRecords), maxBytes}, j.locate)
	for _, h := range c.Holes {
		if h.Reason == ReasonDamaged {
			j.opts.Log.Warn("records are lost", "from", h.From, "to", h.To, "journal", j.opts.Dir)
		}
	}
	return c, err
}

// Walk calls visit with the bytes of each durable record from seq from on, in
// order, without those that are damaged. It is several times faster than Read
// for callers that need few of many records. The bytes are valid until visit
// returns.
func (j *Journal) Walk(from uint64, visit func(raw []byte)) error {
	j.fileMu.Lock() // no segment is removed meanwhile
	defer j.fileMu.Unlock()
	durable, err := j.readable()
	if err != nil {
		return err
	}
	return walk(max(1, from), durable, j.locate, visit)
}

// Oldest returns the time of the oldest record that is not acknowledged, by the
// wall clock when it was appended; false when there is none or it can't be read.
// It does not wait for other readers: no segment with such records is removed.
func (j *Journal) Oldest() (time.Time, bool) {
	j.mu.Lock()
	want, durable := max(j.queue.acked.Through, j.queue.segs.base)+1, j.queue.segs.durable
	j.mu.Unlock()
	var r reader
	defer r.close()
	for want <= durable {
		c, err := r.read(want, durable, limits{1, 1}, j.locate)
		if err != nil || c.To < want {
			return time.Time{}, false
		}
		if len(c.Entries) > 0 {
			return c.Entries[0].Record.At.Time, true
		}
		want = c.To + 1
	}
	return time.Time{}, false
}

// locate is segments.locate for readers, which do not hold mu.
func (j *Journal) locate(want uint64) location {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.queue.segs.locate(want)
}

// readable returns the newest seq that may be read.
func (j *Journal) readable() (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.queue.closed {
		return 0, ErrClosed
	}
	return j.queue.segs.durable, nil
}
