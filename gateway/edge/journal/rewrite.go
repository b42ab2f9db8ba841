package journal

import (
	"os"
	"slices"
	"sort"
)

// rewrite writes the frames of unsynced.retry to a new file. When that is
// durable it takes the place of the segments that held them. Segments with
// later records stay, and may grow meanwhile.
func (j *Journal) rewrite() error {
	j.mu.Lock()
	q := &j.queue
	frames, to := q.unsynced.retry, q.unsynced.retryTo
	seg := q.newSegment(q.segs.durable + 1)
	content := q.header(seg)
	stale := q.segs.paths(seg.first, to)
	j.mu.Unlock()

	content = append(content, frames...) // frames may have grown; the new ones stay in retry
	seg.size = int64(len(content))
	f, err := replace(seg.path, content, j.opts.Sync, stale...)

	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		q.unsynced.broken = q.unsynced.failed
		q.setDurable(q.segs.durable)
		return err
	}
	q.rewritten(seg, f, len(frames), to)
	return nil
}

// rewritten puts seg, which holds n bytes of frames up to seq to, in the place
// of the segments of these seqs.
func (q *queue) rewritten(seg *segment, f *os.File, n int, to uint64) {
	if q.segs.substitute(seg, to) {
		q.out.active = f
	} else {
		f.Close()
	}
	u := &q.unsynced
	u.broken = nil
	if u.retry = u.retry[n:]; len(u.retry) == 0 {
		u.failed, u.retry = nil, nil
	}
	q.setDurable(to)
}

// paths returns the files of the segments that begin after first and not after to.
func (s *segments) paths(first, to uint64) []string {
	var paths []string
	for _, seg := range s.list {
		if seg.first > first && seg.first <= to {
			paths = append(paths, seg.path)
		}
	}
	return paths
}

// substitute puts seg in the place of the segments that begin from its first
// seq to seq to, and reports whether it is the last segment now.
func (s *segments) substitute(seg *segment, to uint64) (last bool) {
	earlier := sort.Search(len(s.list), func(i int) bool { return s.list[i].first >= seg.first })
	later := sort.Search(len(s.list), func(i int) bool { return s.list[i].first > to })
	last = later == len(s.list)
	s.list = slices.Concat(s.list[:earlier], []*segment{seg}, s.list[later:])
	return last
}
