package influx

import (
	"testing"
	"time"
)

// Two points of a journal with the same time are one: the second would replace the
// first, whose records are acknowledged.
func TestNoTwoCutsOfAJournalHaveTheSameTime(t *testing.T) {
	first := time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	cuts := map[int64][2]uint64{}
	for _, begin := range []uint64{1, 1<<16 - 300, 1<<22 - 600} {
		for from := begin; from < begin+600; from++ {
			for count := range uint64(256) {
				at := cutTime(first, from, from+count).UnixNano()
				if other, taken := cuts[at]; taken && other != [2]uint64{from, count} {
					t.Fatalf("%d records from %d and %d from %d share a time", count+1, from, other[1]+1, other[0])
				}
				cuts[at] = [2]uint64{from, count}
			}
		}
	}
	if at := cutTime(first, 1<<22-1, 1<<22+254); at.Sub(first).Abs() > cutSpan {
		t.Errorf("a cut of %s is at %s", first, at)
	}
}
