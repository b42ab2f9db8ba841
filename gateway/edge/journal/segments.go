package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"gatehouse/gateway/wire"
)

const segmentSuffix = ".seg"

// segment is one file of the journal. Its records end where the next segment
// begins; later frames in the file are ignored.
type segment struct {
	first uint64 // seq of its first record
	path  string
	size  int64 // bytes written completely
	start int64 // offset of the first frame: 0 when the header is damaged
	age   int64 // uptime of the journal when the segment was created, ns
}

func segmentPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", first, segmentSuffix))
}

// listSegments returns the segments of a folder, oldest first.
func listSegments(dir string) ([]*segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the journal %s: %w", dir, err)
	}
	var segs []*segment
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), segmentSuffix)
		first, err := strconv.ParseUint(digits, 10, 64)
		if !ok || err != nil || first == 0 || segmentPath(dir, first) != filepath.Join(dir, e.Name()) {
			continue
		}
		s := &segment{first: first, path: filepath.Join(dir, e.Name())}
		if err := s.stat(); errors.Is(err, fs.ErrNotExist) {
			continue // removed by the agent just now
		} else if err != nil {
			return nil, err
		}
		segs = append(segs, s)
	}
	slices.SortFunc(segs, func(a, b *segment) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	return segs, nil
}

// stat reads size and header. A header that can't be read is damage, not an
// error: the file's name holds the first seq too.
func (s *segment) stat() error {
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("open a journal segment: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("size of a journal segment: %w", err)
	}
	s.size = info.Size()
	b := make([]byte, headerLen)
	if n, _ := f.ReadAt(b, 0); n == headerLen {
		if h, ok := parseHeader(b); ok && h.first == s.first {
			s.start, s.age = headerLen, h.age
		}
	}
	return nil
}

// segments is what of a journal is on disk at one instant.
type segments struct {
	list    []*segment // oldest first
	base    uint64     // seqs up to here belong to an earlier jid
	trimmed uint64     // seqs up to here may have been removed
	durable uint64     // newest seq that may be read
}

// newest returns the last segment; there must be one.
func (s *segments) newest() *segment { return s.list[len(s.list)-1] }

// location is where a seq is: in a segment, or in a hole that begins with it.
type location struct {
	seg   *segment // nil: in the hole
	limit int64    // bytes of the segment that may be read
	end   uint64   // last seq of the segment that may be read
	hole  wire.Hole
}

// locate returns the location of want, which is at most durable.
func (s *segments) locate(want uint64) location {
	if want <= s.base {
		return location{hole: newHole(want, min(s.base, s.durable), ReasonRenewed)}
	}
	i := sort.Search(len(s.list), func(i int) bool { return s.list[i].first > want }) - 1
	end := s.durable
	if i+1 < len(s.list) {
		end = min(end, s.list[i+1].first-1)
	}
	switch {
	case i >= 0:
		return location{seg: s.list[i], limit: s.list[i].size, end: end}
	case want <= s.trimmed:
		return location{hole: newHole(want, min(s.trimmed, end), ReasonTrimmed)}
	default:
		return location{hole: newHole(want, end, ReasonDamaged)}
	}
}

// oldest returns the first durable seq of this jid that is on disk, or 0.
func (s *segments) oldest() uint64 {
	if len(s.list) == 0 {
		return 0
	}
	if first := max(s.list[0].first, s.base+1); first <= s.durable {
		return first
	}
	return 0
}

// removable counts the oldest segments that hold only records up to through
// and whose successor satisfies ok. The last segment is never removed, because
// it knows the newest seq and time.
func (s *segments) removable(through uint64, ok func(next *segment) bool) int {
	n := 0
	for ; n+1 < len(s.list); n++ {
		next := s.list[n+1]
		if next.first-1 > through || !ok(next) {
			break
		}
	}
	return n
}

// remove takes the n oldest segments out of the list and returns them.
func (s *segments) remove(n int) []*segment {
	removed := s.list[:n]
	s.list = append([]*segment(nil), s.list[n:]...)
	return removed
}

func newHole(from, to uint64, reason string) wire.Hole {
	return wire.Hole{From: from, To: to, Reason: reason, Count: to - from + 1}
}
