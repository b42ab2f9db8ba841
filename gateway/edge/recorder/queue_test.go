package recorder

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// stalling is a journal whose appends wait while held is full.
type stalling struct {
	held   chan struct{} // holds one
	refuse bool          // records are not taken
	seqs   []uint64
	holes  []uint64
	last   uint64
}

var errRefused = errors.New("refused")

func (s *stalling) Append(clock.Moment, wire.Body) (wire.Record, error) {
	s.held <- struct{}{}
	<-s.held
	if s.refuse {
		return wire.Record{}, errRefused
	}
	s.last++
	s.seqs = append(s.seqs, s.last)
	return wire.Record{Seq: s.last}, nil
}

func (s *stalling) Lose(string) uint64 {
	s.last++
	s.holes = append(s.holes, s.last)
	return s.last
}

// told notes what a queue says.
type told struct {
	mu   sync.Mutex
	said []string
}

func (h *told) say(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.said); n == 0 || h.said[n-1] != text {
		h.said = append(h.said, text)
	}
}

func (h *told) taken(wire.Record, wire.Body) {}
func (h *told) hangs()                       { h.say("hangs") }
func (h *told) works()                       { h.say("works") }
func (h *told) lost(seq uint64, _ wire.Body, err error) {
	h.say(fmt.Sprint("lost ", seq, ": ", err))
}

var something = &wire.Clock{Reason: "start"}

// A write that hangs for half a minute holds a part up for patience, and no longer;
// later ones not at all. Every seq that was told is the record's.
func TestAWriteThatHangsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := &stalling{held: make(chan struct{}, 1), last: 7}, &told{}
		q := &queue{book: s, hears: h, seq: 7}
		now := clock.Moment{Boot: time.Hour}
		put := func(w want) (uint64, time.Duration, error) {
			begin := time.Now()
			seq, err := q.put(now, something, w)
			return seq, time.Since(begin), err
		}
		if seq, took, err := put(wantLoss); seq != 8 || err != nil || took != 0 {
			t.Errorf("a disk that answers: %d, %v after %s", seq, err, took)
		}
		s.held <- struct{}{}
		var both sync.WaitGroup
		var first [2]uint64
		for i := range first { // two parts at the same time
			both.Go(func() {
				seq, took, err := put(want(i))
				if first[i] = seq; err != nil || took != patience {
					t.Errorf("the disk hangs: %v after %s", err, took)
				}
			})
		}
		both.Wait()
		if slices.Sort(first[:]); first != [2]uint64{9, 10} {
			t.Errorf("told %d", first)
		}
		for want := uint64(11); want < 15; want++ {
			if seq, took, err := put(wantLoss); seq != want || err != nil || took != 0 {
				t.Errorf("the disk still hangs: %d, %v after %s, want %d", seq, err, took, want)
			}
		}
		if seq, took, err := put(wantRetry); seq != 15 || err != nil || took != 0 {
			t.Errorf("an alarm: %d, %v after %s", seq, err, took)
		}
		if _, took, err := put(wantError); !errors.Is(err, errNoAnswer) || took != 0 {
			t.Errorf("what the guard did: %v after %s", err, took)
		}
		time.Sleep(30 * time.Second)
		<-s.held
		q.wg.Wait()
		if want := []uint64{8, 9, 10, 11, 12, 13, 14, 15}; !slices.Equal(s.seqs, want) || s.holes != nil {
			t.Errorf("written %d, holes %d", s.seqs, s.holes)
		}
		if seq, took, err := put(wantError); seq != 16 || err != nil || took != 0 {
			t.Errorf("the disk answers again: %d, %v after %s", seq, err, took)
		}
		if want := []string{"works", "hangs", "works"}; !slices.Equal(h.said, want) {
			t.Errorf("said %q", h.said)
		}
	})
}

// What the disk refuses after it has hung is a hole under the seq that was told.
func TestWhatADiskRefusesAfterItHungIsAHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := &stalling{held: make(chan struct{}, 1)}, &told{}
		q := &queue{book: s, hears: h}
		s.held <- struct{}{}
		for want := uint64(1); want <= 3; want++ {
			if seq, err := q.put(clock.Moment{}, something, wantRetry); seq != want || err != nil {
				t.Errorf("told %d, %v", seq, err)
			}
		}
		s.refuse = true
		<-s.held
		q.wg.Wait()
		if !slices.Equal(s.holes, []uint64{1, 2, 3}) || s.seqs != nil {
			t.Errorf("written %d, holes %d", s.seqs, s.holes)
		}
		if _, err := q.put(clock.Moment{}, something, wantError); !errors.Is(err, errRefused) || len(s.holes) != 3 {
			t.Errorf("an error that the caller gets: %v, holes %d", err, s.holes)
		}
		if seq, err := q.put(clock.Moment{}, something, wantLoss); seq != 4 || err != nil || len(s.holes) != 4 {
			t.Errorf("told %d, %v, holes %d", seq, err, s.holes)
		}
		if len(h.said) != 5 || h.said[1] != "lost 1: refused" {
			t.Errorf("said %q", h.said)
		}
	})
}

// Memory is bounded: what does not fit is a hole behind the records.
func TestOnlySoManyRecordsWaitInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := &stalling{held: make(chan struct{}, 1)}, &told{}
		q := &queue{book: s, hears: h}
		s.held <- struct{}{}
		const all = mostWaiting + 500
		for want := uint64(1); want <= all; want++ {
			if seq, err := q.put(clock.Moment{}, something, wantLoss); seq != want || err != nil {
				t.Fatalf("told %d, %v", seq, err)
			}
		}
		if len(q.waiting) != mostWaiting+1 {
			t.Errorf("%d wait", len(q.waiting))
		}
		<-s.held
		q.wg.Wait()
		if len(s.seqs) != mostWaiting || len(s.holes) != 500 || s.holes[0] != mostWaiting+1 || s.last != all {
			t.Errorf("%d written, %d holes, last %d", len(s.seqs), len(s.holes), s.last)
		}
		if seq, err := q.put(clock.Moment{}, something, wantError); seq != all+1 || err != nil {
			t.Errorf("afterwards: %d, %v", seq, err)
		}
		want := []string{"hangs", fmt.Sprint("lost ", mostWaiting+1, ": ", errNoRoom), "works"}
		if !slices.Equal(h.said, want) {
			t.Errorf("said %q", h.said)
		}
	})
}
