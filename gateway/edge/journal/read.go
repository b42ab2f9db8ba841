package journal

import (
	"fmt"
	"os"

	"gatehouse/gateway/wire"
)

// Chunk is a run of seqs without a gap: every one from From to To is an entry
// or inside a hole. It is empty when To is From-1.
type Chunk struct {
	From, To uint64
	Entries  []wire.Entry // rising seq
	Holes    []wire.Hole  // rising, apart from one another and from the entries

	bytes []byte // what entries' Raw are made of
}

// reader reads chunks and remembers where the last one ended, so that reading
// on costs what is read and no more. It is used by one goroutine at a time.
type reader struct {
	seg  *segment // whose file is open, or nil
	file *os.File
	scan scanner // of it; what it has in memory below the limit never changes
	off  int64   // in it, of the first frame after seq
	seq  uint64  // last one read
	bare bool    // records are not decoded: of each the seq only
}

// room is what a chunk may still take.
type room struct{ items, bytes int }

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
	}
	*r = reader{bare: r.bare}
}

// read fills a chunk from seq from on. Locate is asked once for every segment
// or hole; it is only asked for seqs up to durable.
func (r *reader) read(from, durable uint64, left room, locate func(want uint64) place) (Chunk, error) {
	c := Chunk{From: from, To: from - 1}
	for c.To < durable && left.items > 0 && (left.bytes > 0 || len(c.Entries) == 0) {
		p := locate(c.To + 1)
		if p.seg == nil {
			c.addHole(p.hole, &left)
			continue
		}
		full, err := r.readSegment(p, &c, &left)
		if err != nil {
			return c, err
		}
		if full {
			break
		}
	}
	return c, nil
}

func (r *reader) open(p place, want uint64) (*scanner, error) {
	if r.seg != p.seg {
		buf := r.scan.buf
		r.close()
		f, err := os.Open(p.seg.path)
		if err != nil {
			return nil, fmt.Errorf("read the journal: %w", err)
		}
		r.seg, r.file, r.scan = p.seg, f, scanner{r: f, buf: buf[:0]}
	}
	if r.off == 0 || r.seq != want-1 {
		r.off, r.seq = p.seg.start, p.seg.first-1
	}
	r.scan.off, r.scan.limit, r.scan.after = r.off, p.limit, r.seq
	return &r.scan, nil
}

// walk shows the records that stand from seq from on, damaged ones left out.
func walk(from, durable uint64, locate func(want uint64) place, visit func(raw []byte)) error {
	for want := from; want <= durable; {
		p := locate(want)
		if p.seg == nil {
			want = p.hole.To + 1
			continue
		}
		if err := p.walk(want, visit); err != nil {
			return err
		}
		want = p.end + 1
	}
	return nil
}

func (p place) walk(want uint64, visit func(raw []byte)) error {
	f, err := os.Open(p.seg.path)
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	defer f.Close()
	s := &scanner{r: f, off: p.seg.start, limit: p.limit, after: p.seg.first - 1}
	for {
		x, ok := s.next()
		if !ok || x.seq > p.end {
			return nil
		}
		if x.kind == kindRecord && x.seq >= want {
			visit(x.payload)
		}
	}
}

// readSegment adds what the place holds, and tells whether the chunk is full.
func (r *reader) readSegment(p place, c *Chunk, left *room) (full bool, err error) {
	s, err := r.open(p, c.To+1)
	if err != nil {
		return false, err
	}
	for c.To < p.end {
		if left.items == 0 {
			return true, nil
		}
		f, ok := s.next()
		if ok && f.to <= c.To {
			continue
		}
		if !ok || f.seq > c.To+1 {
			to := p.end
			if ok {
				to = min(to, f.seq-1)
			}
			c.addHole(newHole(c.To+1, to, ReasonDamaged), left)
			r.off, r.seq = f.off, c.To
			s.off, s.after = f.off, c.To
			continue
		}
		if full = !c.add(f, p.end, left, r.bare); full {
			return true, nil
		}
		r.off, r.seq = s.off, c.To
	}
	return false, nil
}

// add takes a frame that continues the chunk, or says that there is no room.
func (c *Chunk) add(f frame, end uint64, left *room, bare bool) bool {
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
	// Where it grows, the entries before keep what they have.
	c.bytes = append(c.bytes, f.payload...)
	raw := c.bytes[len(c.bytes)-len(f.payload) : len(c.bytes) : len(c.bytes)]
	rec := wire.Record{Seq: f.seq}
	if !bare {
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

func (c *Chunk) addHole(h wire.Hole, left *room) {
	c.Holes = append(c.Holes, h)
	c.To = h.To
	left.items--
}
