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
// begins, whatever else stands in it.
type segment struct {
	first uint64
	path  string
	size  int64 // bytes written completely
	start int64 // of the first frame: 0 when the header is damaged
	age   int64 // of the journal when it was made, ns
}

func segmentPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", first, segmentSuffix))
}

// listSegments finds the segments of a directory, oldest first.
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

// stat reads size and header. A header that can't be read is damage, not a
// failure: the name says enough.
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

// shelf is what of a journal is on disk at one instant.
type shelf struct {
	segs    []*segment // oldest first
	base    uint64     // seqs up to here belong to an earlier jid
	trimmed uint64     // seqs up to here may have been removed
	durable uint64     // highest seq that may be read
}

// place says where a seq is to be looked for: in a segment, or in a hole that
// begins with it.
type place struct {
	seg   *segment
	limit int64  // bytes of the segment that may be read
	end   uint64 // last seq of the segment that may be read
	hole  wire.Hole
}

// locate tells where want is; want is at most durable.
func (s *shelf) locate(want uint64) place {
	if want <= s.base {
		return place{hole: newHole(want, min(s.base, s.durable), ReasonRenewed)}
	}
	i := sort.Search(len(s.segs), func(i int) bool { return s.segs[i].first > want }) - 1
	end := s.durable
	if i+1 < len(s.segs) {
		end = min(end, s.segs[i+1].first-1)
	}
	switch {
	case i >= 0:
		return place{seg: s.segs[i], limit: s.segs[i].size, end: end}
	case want <= s.trimmed:
		return place{hole: newHole(want, min(s.trimmed, end), ReasonTrimmed)}
	default:
		return place{hole: newHole(want, end, ReasonDamaged)}
	}
}

// oldest is the first durable seq that is a record of this jid on disk, or 0.
func (s *shelf) oldest() uint64 {
	if len(s.segs) == 0 {
		return 0
	}
	if first := max(s.segs[0].first, s.base+1); first <= s.durable {
		return first
	}
	return 0
}

func newHole(from, to uint64, reason string) wire.Hole {
	return wire.Hole{From: from, To: to, Reason: reason, Count: to - from + 1}
}
