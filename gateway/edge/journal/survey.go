package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse/gateway/wire"
)

// Damage is where in a segment records were lost.
type Damage struct {
	File     string // the segment, or the last one before a missing segment
	Offset   int64  // of the damaged bytes in File
	Bytes    int64  // so many are damaged; 0: they are missing
	From, To uint64 // seqs that were lost
}

// String returns a line for people.
func (d Damage) String() string {
	return fmt.Sprintf("%s: seqs %d to %d are lost: %d damaged bytes at offset %d",
		d.File, d.From, d.To, d.Bytes, d.Offset)
}

// finding is the result of reading through one segment.
type finding struct {
	last    uint64 // newest seq; the segment's first-1 when it is empty
	record  []byte // bytes of the last record, or nil
	damaged []Damage
	torn    Damage // the bytes after the last frame of the last segment
}

// survey reads through a segment whose seqs end before next; next is 0 for the
// last segment, whose end is not known.
func survey(seg *segment, next uint64) (finding, error) {
	found := finding{last: seg.first - 1}
	file, err := os.Open(seg.path)
	if err != nil {
		return found, fmt.Errorf("look through the journal: %w", err)
	}
	defer file.Close()
	s := &scanner{r: file, off: seg.start, limit: seg.size, after: seg.first - 1}
	for {
		f, ok := s.next()
		to := f.seq - 1
		superseded := ok && next != 0 && f.seq >= next
		if !ok || superseded {
			to = max(next, 1) - 1
		}
		if to > found.last {
			found.damaged = append(found.damaged, Damage{File: seg.path, Offset: f.off - f.skipped, Bytes: f.skipped,
				From: found.last + 1, To: to})
		}
		if superseded {
			found.last = to
			return found, nil
		}
		if !ok {
			if next == 0 && f.skipped > 0 {
				found.torn = Damage{File: seg.path, Offset: f.off - f.skipped, Bytes: f.skipped}
			}
			found.last = max(found.last, to)
			return found, nil
		}
		found.last = f.to
		if f.kind == kindRecord {
			found.record = append(found.record[:0], f.payload...)
		}
	}
}

// quarantine keeps a copy of damaged bytes, since the segment will be removed
// one day. It reports whether there was no copy of them before.
func quarantine(dir string, d Damage) (fresh bool, err error) {
	dir = filepath.Join(dir, damagedDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return true, err
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%d-%d", filepath.Base(d.File), d.Offset, d.Bytes))
	if _, err := os.Stat(path); err == nil {
		return false, nil
	}
	b, err := readRange(d.File, d.Offset, d.Bytes)
	if err != nil {
		return true, err
	}
	return true, os.WriteFile(path, b, 0o600)
}

// tornRecords returns the most records that b, the torn end of a journal, can
// have held. None of their seqs may be used again: what looks like a torn end can
// be a record that was damaged after it had been sent.
func tornRecords(b []byte) uint64 {
	n := uint64(0)
	for len(b) > 0 {
		size := payloadLen(b)
		end := frameLen + size
		switch {
		case size >= 0 && (end == len(b) || end < len(b) && bytes.HasPrefix(b[end:], frameMark)):
			b = b[end:]
		case size >= 0 && end > len(b) && !bytes.Contains(b[1:], frameMark):
			return n + 1 // its end was never written
		default:
			const least = frameLen + minRecord
			return n + uint64((len(b)+least-1)/least)
		}
		n++
	}
	return n
}

// lastTime returns the time of record; when that is nil, of the newest record in
// segs.
func lastTime(segs []*segment, record []byte) timestamp {
	for i := len(segs) - 1; record == nil && i >= 0; i-- {
		found, err := survey(segs[i], 0)
		if err == nil {
			record = found.record
		}
	}
	r, err := wire.DecodeRecord(record)
	if err != nil {
		return timestamp{}
	}
	return timestamp{at: r.At.Time, era: r.Era}
}
