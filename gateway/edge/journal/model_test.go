package journal

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/wire"
)

// model is what the journal must hold.
type model struct {
	o       Options
	j       *Journal
	records map[uint64]string // bytes of every record by seq
	lost    map[uint64]bool   // seqs passed to Lose or damaged
	state   State
	jid     string
	boot    time.Duration // passed since start
}

func (m *model) append(t *rapid.T) {
	m.boot += time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "later"))
	now := start.Add(m.boot)
	now.Wall = now.Wall.Add(time.Duration(rapid.Int64Range(-int64(3*time.Second), 0).Draw(t, "wall clock back")))
	for range rapid.IntRange(1, 8).Draw(t, "records") {
		r, err := m.j.Append(now, body(len(m.records)))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := wire.EncodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := m.records[r.Seq]; twice || m.lost[r.Seq] {
			t.Fatalf("seq %d is used twice", r.Seq)
		}
		m.records[r.Seq] = string(raw)
	}
}

func (m *model) lose(t *rapid.T) {
	for range rapid.IntRange(1, 3).Draw(t, "records") {
		m.lost[m.j.Lose(rapid.SampledFrom([]string{ReasonDiskFull, "append-failed"}).Draw(t, "reason"))] = true
	}
}

func (m *model) acknowledge(t *rapid.T) {
	s := State{Store: "store-a", Term: m.state.Term + rapid.Uint64Range(0, 1).Draw(t, "term"),
		Through: rapid.Uint64Range(0, m.j.Durable()).Draw(t, "through")}
	if err := m.j.Acknowledge(start.Add(m.boot), s); err != nil {
		t.Fatal(err)
	}
	m.state = s
}

func (m *model) renew(t *rapid.T) {
	if err := m.j.Renew("model"); err != nil {
		t.Fatal(err)
	}
	if m.j.JID() == m.jid {
		t.Fatal("the jid stayed")
	}
	m.jid, m.state.Through = m.j.JID(), 0
}

func (m *model) reopen(t *rapid.T) {
	m.close(t)
	m.open(t)
}

// cut removes bytes at the end, as a power cut does: a part of the first record
// that it hits remains, and nothing of those after it.
func (m *model) cut(t *rapid.T) {
	m.close(t)
	if segs := m.segments(t); len(segs) > 0 {
		seg := segs[len(segs)-1]
		size := seg.size - rapid.Int64Range(1, min(seg.size-headerLen, 1500)).Draw(t, "bytes")
		last := seg.first - 1
		for _, f := range m.frames(t, seg) {
			if f.off == size {
				size++ // a cut between records leaves no torn end
			}
			if f.end <= size {
				last = f.to
			}
		}
		for seq := last + 1; seq <= m.j.Last(); seq++ {
			m.lost[seq] = true
		}
		if err := os.Truncate(seg.path, size); err != nil {
			t.Fatal(err)
		}
	}
	before := m.j.Last()
	m.open(t)
	for seq := m.j.Last() + 1; seq <= before; seq++ {
		delete(m.records, seq)
		delete(m.lost, seq)
	}
}

// flip flips one bit anywhere in the segments, but not in a hole at the very end:
// an agent that writes one also appends a record.
func (m *model) flip(t *rapid.T) {
	m.close(t)
	if segs := m.segments(t); len(segs) > 0 {
		i := rapid.IntRange(0, len(segs)-1).Draw(t, "segment")
		off := rapid.Int64Range(0, segs[i].size-1).Draw(t, "offset")
		bit := byte(1) << rapid.IntRange(0, 7).Draw(t, "bit")
		for _, f := range m.frames(t, segs[i]) {
			if f.off > off || off >= f.end {
				continue
			}
			if f.kind == kindHole && i == len(segs)-1 && f.end == segs[i].size {
				bit = 0
				continue
			}
			for seq := f.seq; seq <= f.to; seq++ {
				m.lost[seq] = true
			}
		}
		edit(t, segs[i].path, func(b []byte) []byte { b[off] ^= bit; return b })
	}
	m.open(t)
}

func (m *model) segments(t *rapid.T) []*segment {
	segs, err := listSegments(m.o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return segs
}

// placed is a frame and the offset of its end.
type placed struct {
	frame
	end int64
}

func (m *model) frames(t *rapid.T, seg *segment) (all []placed) {
	file, err := os.Open(seg.path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := &scanner{r: file, off: seg.start, limit: seg.size}
	for f, ok := s.next(); ok; f, ok = s.next() {
		all = append(all, placed{f, s.off})
	}
	return all
}

func (m *model) close(t *rapid.T) {
	if err := m.j.Close(); err != nil {
		t.Fatal(err)
	}
}

func (m *model) open(t *rapid.T) {
	j, _, err := Open(m.o, start.Add(m.boot))
	if err != nil {
		t.Fatal(err)
	}
	m.j = j
	t.Cleanup(func() { j.Close() })
	if j.JID() != m.jid {
		// A new jid is right only when damage has hit acknowledged records at the
		// end.
		if m.jid != "" && j.Last() >= m.state.Through {
			t.Fatalf("new jid without need: last %d, acknowledged %d", j.Last(), m.state.Through)
		}
		m.jid, m.state.Through = j.JID(), 0
	}
	if s := j.State(); s != m.state {
		t.Fatalf("state %+v, want %+v", s, m.state)
	}
	m.check(t)
}

// check reads everything; all checks that every seq is there once.
func (m *model) check(t *rapid.T) {
	mustSync(t, m.j)
	entries, holes := all(t, m.j.Read, m.j.Durable())
	checkReadRaw(t, m.j, entries, holes)
	here := map[uint64]bool{}
	for _, e := range entries {
		seq := e.Record.Seq
		if string(e.Raw) != m.records[seq] {
			t.Fatalf("seq %d was not written like this: %s", seq, e.Raw)
		}
		here[seq] = true
	}
	next := 0
	if err := m.j.Walk(1, func(raw []byte) {
		if next < len(entries) && string(raw) != string(entries[next].Raw) {
			t.Fatalf("Walk visits %s, Read returns %s", raw, entries[next].Raw)
		}
		next++
	}); err != nil || next != len(entries) {
		t.Fatalf("Walk visits %d records, Read returns %d; %v", next, len(entries), err)
	}
	for _, h := range holes {
		for seq := h.From; seq <= h.To && (h.Reason == ReasonTrimmed || h.Reason == ReasonRenewed); seq++ {
			here[seq] = true // not to be read here any more
		}
	}
	for _, seq := range slices.Sorted(maps.Keys(m.records)) {
		if !here[seq] && !m.lost[seq] {
			t.Fatalf("seq %d of %d is lost; holes %v", seq, m.j.Last(), holes)
		}
	}
}

func TestEverySeqIsARecordOrInAHole(t *testing.T) {
	base := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		o := options(fmt.Sprintf("%s/%d", base, n))
		o.SegmentBytes = int64(rapid.SampledFrom([]int{500, 2000, 100_000}).Draw(t, "segment bytes"))
		o.Keep = rapid.SampledFrom([]time.Duration{time.Hour, 24 * time.Hour}).Draw(t, "keep")
		o.Sync = func(*os.File) error { return nil }
		m := &model{o: o, records: map[uint64]string{}, lost: map[uint64]bool{}}
		m.open(t)
		t.Repeat(map[string]func(*rapid.T){
			"append": m.append, "append more": m.append, "lose": m.lose, "read": m.check, "acknowledge": m.acknowledge,
			"renew": m.renew, "reopen": m.reopen, "cut": m.cut, "flip": m.flip,
		})
		m.check(t)
		m.close(t)
	})
}
