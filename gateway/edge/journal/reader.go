package journal

import (
	"fmt"
	"os"

	"gatehouse/gateway/wire"
)

// reader reads chunks. It remembers where the last one ended, so that reading
// on costs no more than what is read. One goroutine at a time may use it.
type reader struct {
	seg  *segment // whose file is open, or nil
	file *os.File
	scan scanner // of file; its buffer stays valid, since bytes below the limit never change
	off  int64   // in file, of the first frame after seq
	seq  uint64  // last one read
	raw  bool    // records are not decoded: of each only the seq
}

// limits is what a chunk may still take.
type limits struct {
	items int // entries and holes
	bytes int // of records
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
	}
	*r = reader{raw: r.raw}
}

// read fills a chunk from seq from on. It calls locate once for every segment
// or hole, and only for seqs up to durable.
func (r *reader) read(from, durable uint64, left limits, locate func(want uint64) location) (Chunk, error) {
	c := Chunk{From: from, To: from - 1}
	for c.To < durable && left.items > 0 && (left.bytes > 0 || len(c.Entries) == 0) {
		loc := locate(c.To + 1)
		if loc.seg == nil {
			c.addHole(loc.hole, &left)
			continue
		}
		full, err := r.readSegment(loc, &c, &left)
		if err != nil {
			return c, err
		}
		if full {
			break
		}
	}
	return c, nil
}

// open returns a scanner of the segment at loc whose next frame is that of want,
// or one before it.
func (r *reader) open(loc location, want uint64) (*scanner, error) {
	if r.seg != loc.seg {
		buf := r.scan.buf
		r.close()
		f, err := os.Open(loc.seg.path)
		if err != nil {
			return nil, fmt.Errorf("read the journal: %w", err)
		}
		r.seg, r.file, r.scan = loc.seg, f, scanner{r: f, buf: buf[:0]}
	}
	if r.off == 0 || r.seq != want-1 {
		r.off, r.seq = loc.seg.start, loc.seg.first-1
	}
	r.scan.off, r.scan.limit, r.scan.after = r.off, loc.limit, r.seq
	return &r.scan, nil
}

// walk calls visit with the bytes of the records from seq from up to durable,
// without those that are damaged.
func walk(from, durable uint64, locate func(want uint64) location, visit func(raw []byte)) error {
	for want := from; want <= durable; {
		loc := locate(want)
		if loc.seg == nil {
			want = loc.hole.To + 1
			continue
		}
		if err := loc.walk(want, visit); err != nil {
			return err
		}
		want = loc.end + 1
	}
	return nil
}

// walk calls visit for the records of one segment, from seq want on.
func (loc location) walk(want uint64, visit func(raw []byte)) error {
	f, err := os.Open(loc.seg.path)
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	defer f.Close()
	s := &scanner{r: f, off: loc.seg.start, limit: loc.limit, after: loc.seg.first - 1}
	for {
		x, ok := s.next()
		if !ok || x.seq > loc.end {
			return nil
		}
		if x.kind == kindRecord && x.seq >= want {
			visit(x.payload)
		}
	}
}

// readSegment adds the frames at loc to c, and reports whether c is full.
func (r *reader) readSegment(loc location, c *Chunk, left *limits) (full bool, err error) {
	s, err := r.open(loc, c.To+1)
	if err != nil {
		return false, err
	}
	for c.To < loc.end {
		if left.items == 0 {
			return true, nil
		}
		f, ok := s.next()
		if ok && f.to <= c.To {
			continue
		}
		if !ok || f.seq > c.To+1 {
			to := loc.end
			if ok {
				to = min(to, f.seq-1)
			}
			c.addHole(newHole(c.To+1, to, ReasonDamaged), left)
			r.off, r.seq = f.off, c.To
			s.off, s.after = f.off, c.To
			continue
		}
		if full = !c.add(f, loc.end, left, r.raw); full {
			return true, nil
		}
		r.off, r.seq = s.off, c.To
	}
	return false, nil
}

// add adds a frame that continues the chunk, and reports whether it was within
// the limits.
func (c *Chunk) add(f frame, end uint64, left *limits, rawOnly bool) bool {
	if f.kind == kindHole {
		c.addHole(newHole(c.To+1, min(f.to, end), f.hole().Reason), left)
		return true
	}
	if len(f.payload) > left.bytes && len(c.Entries) > 0 {
		return false
	}
	if c.bytes == nil {
		c.bytes = make([]byte, 0, min(max(left.bytes, len(f.payload)), scanBytes))
	}
	// When append moves c.bytes, the entries before keep the old memory.
	c.bytes = append(c.bytes, f.payload...)
	raw := c.bytes[len(c.bytes)-len(f.payload) : len(c.bytes) : len(c.bytes)]
	rec := wire.Record{Seq: f.seq}
	if !rawOnly {
		var err error
		if rec, err = wire.DecodeRecord(raw); err != nil || rec.Seq != f.seq {
			c.addHole(newHole(f.seq, f.seq, ReasonDamaged), left)
			return true
		}
	}
	c.Entries = append(c.Entries, wire.Entry{Record: rec, Raw: raw})
	c.To = f.seq
	left.items--
	left.bytes -= len(raw)
	return true
}

func (c *Chunk) addHole(h wire.Hole, left *limits) {
	c.Holes = append(c.Holes, h)
	c.To = h.To
	left.items--
}
