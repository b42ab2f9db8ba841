package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// hanging is a disk where one fsync, the next of a file whose name ends with
// ends, does not return before release is closed.
type hanging struct {
	disk
	ends    string // empty: none hangs
	hangs   chan struct{}
	release chan struct{}
	once    sync.Once
}

func (h *hanging) sync(f *os.File) error {
	h.mu.Lock()
	mine := h.ends != "" && strings.HasSuffix(f.Name(), h.ends)
	h.mu.Unlock()
	if mine {
		h.once.Do(func() {
			close(h.hangs)
			<-h.release
		})
	}
	return h.disk.sync(f)
}

func (h *hanging) arm(ends string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ends = ends
}

// hung are fsyncs that can hang, by what they are of.
var hung = map[string]struct {
	ends string
	fail int            // so many fsyncs of segments fail before
	act  func(*Journal) // leads to the fsync; nil: appending does
}{
	"of a group":                       {segmentSuffix, 0, nil},
	"of the folder with a new segment": {hungFolder, 0, nil},
	"of records written again":         {segmentSuffix + freshSuffix, 1, nil},
	"of their folder":                  {hungFolder, 1, nil},
	"of the watermark": {stateFile + freshSuffix, 0, func(j *Journal) {
		_ = j.Acknowledge(start, State{Through: 5, Store: "s", Term: 2})
	}},
	"of the watermark when segments go": {hungFolder, 0, func(j *Journal) {
		_ = j.Acknowledge(start.Add(30*24*time.Hour), State{Through: j.Durable(), Store: "s", Term: 1})
	}},
	"when space is made":  {stateFile + freshSuffix, 0, func(j *Journal) { j.CheckSpace(start) }},
	"of another store":    {stateFile + freshSuffix, 0, func(j *Journal) { _ = j.Trust("t", 1) }},
	"of a new jid":        {identityFile + freshSuffix, 0, func(j *Journal) { _ = j.Renew("test") }},
	"of the folder of it": {hungFolder, 0, func(j *Journal) { _ = j.Renew("test") }},
}

const hungFolder = "/the-journal"

func TestAppendDoesNotWaitForAnFsync(t *testing.T) {
	for name, c := range hung {
		t.Run(name, func(t *testing.T) { appendDuringAnFsync(t, c.ends, c.fail, c.act) })
	}
}

// appendDuringAnFsync lets the next fsync of a file that ends with ends hang, and
// appends meanwhile.
func appendDuringAnFsync(t *testing.T, ends string, fail int, act func(*Journal)) {
	h := &hanging{hangs: make(chan struct{}), release: make(chan struct{})}
	free := int64(400 << 10) // short: acknowledged segments are removed
	o := options(t.TempDir() + hungFolder)
	o.Sync, o.SegmentBytes, o.DiskSpace = h.sync, 4*300, small(&free)
	j, _ := mustOpen(t, o)
	fill(t, j, 10)
	mustSync(t, j)
	if err := j.Acknowledge(start, State{Through: 4, Store: "s", Term: 1}); err != nil {
		t.Fatal(err)
	}
	h.arm(ends)
	h.failNext(fail)
	var wg sync.WaitGroup
	defer func() { close(h.release); wg.Wait() }()
	wg.Go(func() {
		if act != nil {
			act(j)
		} else {
			fill(t, j, 8)
		}
	})
	<-h.hangs
	appended := make(chan struct{})
	wg.Go(func() {
		defer close(appended)
		durable := j.Durable()
		fill(t, j, 15)
		j.CheckSpace(start)
		j.Lose(ReasonDiskFull)
		fill(t, j, 1)
		if act == nil && j.Durable() != durable {
			t.Errorf("durable rose from %d to %d without an fsync", durable, j.Durable())
		}
	})
	select {
	case <-appended:
	case <-time.After(10 * time.Second):
		t.Error("appending waits for the fsync")
	}
	if !t.Failed() {
		nothingIsLost(t, copied(t, o), j.Last())
	}
	h.release <- struct{}{}
	wg.Wait()
	mustSync(t, j)
	last := j.Last()
	j.Close()
	nothingIsLost(t, o, last)
}

// copied copies the journal's folder as it is now, as a kill would leave it.
func copied(t *testing.T, o Options) Options {
	t.Helper()
	left := options(t.TempDir())
	names, err := os.ReadDir(o.Dir) // sorted: segments before what says which were removed
	if err != nil {
		t.Error(err)
	}
	for _, e := range names {
		b, err := os.ReadFile(filepath.Join(o.Dir, e.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(left.Dir, e.Name()), b, 0o600)
		}
		if err != nil && !e.IsDir() && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	left.SegmentBytes = o.SegmentBytes
	return left
}

// nothingIsLost checks that the journal holds all records up to last, except
// the one that was reported with Lose and those that were removed.
func nothingIsLost(t *testing.T, o Options, last uint64) {
	t.Helper()
	j, rep := mustOpen(t, o)
	defer j.Close()
	if j.Last() != last || len(rep.Damaged) > 0 || rep.TornBytes > 0 || rep.NewJID != "" {
		t.Errorf("last %d, want %d; report %+v", j.Last(), last, rep)
	}
	_, holes := all(t, j.Read, j.Durable())
	for _, hole := range holes {
		if hole.Reason == ReasonDamaged || hole.Reason == ReasonTorn ||
			hole.Reason == ReasonDiskFull && hole.Count > 1 {
			t.Errorf("lost: %+v", hole)
		}
	}
}

// While records wait to be written again, writes may fail too.
func TestRecordsThatAFailingDiskRefusesStayInMemoryAndKeepTheirOrder(t *testing.T) {
	if !alone(t) {
		return
	}
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		o := options(t.TempDir())
		o.Sync = d.sync
		j, _ := mustOpen(t, o)
		fill(t, j, 5)
		mustSync(t, j)
		d.failNext(3)
		fill(t, j, 5)
		time.Sleep(flushAfter)
		synctest.Wait()
		fill(t, j, 2) // to a new segment
		free := limitFiles(t, 100)
		fill(t, j, 2) // to memory
		free()
		fill(t, j, 2) // to a segment again
		if err := j.Sync(t.Context()); err == nil || j.Durable() != 5 || j.Last() != 16 {
			t.Fatalf("sync: %v, durable %d, last %d", err, j.Durable(), j.Last())
		}
		time.Sleep(3 * retryAfter)
		synctest.Wait()
		if j.Durable() != 16 || d.again {
			t.Fatalf("durable %d; a file whose fsync failed was trusted: %v", j.Durable(), d.again)
		}
		nothingIsLost(t, copied(t, o), 16)
		fill(t, j, 1)
		j.Close()
		nothingIsLost(t, o, 17)
	})
}

// After a kill every record is there, whichever fsyncs have failed before.
func TestEveryRecordIsThereWhicheverFsyncsFail(t *testing.T) {
	n := 0
	base := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		type step struct {
			records, fail int
			pause         time.Duration
		}
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{rapid.IntRange(0, 40).Draw(t, "records"), rapid.IntRange(0, 4).Draw(t, "failing fsyncs"),
				time.Duration(rapid.IntRange(0, 2500).Draw(t, "pause")) * time.Millisecond}
		}), 1, 5).Draw(rt, "steps")
		o := options("")
		o.SegmentBytes = rapid.SampledFrom([]int64{700, 5000, 100_000}).Draw(rt, "segment bytes")
		n++
		o.Dir = fmt.Sprintf("%s/%d", base, n)
		synctest.Test(t, func(t *testing.T) {
			d := &disk{}
			o.Sync = d.sync
			j, _ := mustOpen(t, o)
			for _, s := range steps {
				d.failNext(s.fail)
				fill(t, j, s.records)
				time.Sleep(s.pause)
				synctest.Wait()
				nothingIsLost(t, copied(t, o), j.Last())
			}
			d.failNext(0)
			time.Sleep(2 * retryAfter)
			synctest.Wait()
			if j.Durable() != j.Last() || d.again {
				t.Errorf("durable %d of %d; a file whose fsync failed was trusted: %v", j.Durable(), j.Last(), d.again)
			}
			j.Close()
			nothingIsLost(t, o, j.Last())
		})
		if t.Failed() {
			rt.Fatalf("steps %+v", steps)
		}
	})
}
