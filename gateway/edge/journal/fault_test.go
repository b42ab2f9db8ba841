package journal

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// disk replaces fsync. It records those of segments and fails on demand.
type disk struct {
	mu     sync.Mutex
	synced []time.Time // successful fsyncs of segments
	fail   int         // so many of the next fsyncs of segments fail
	bad    []*os.File  // files whose fsync failed
	again  bool        // one of them was synced again
}

var errIO = errors.New("input/output error")

func (d *disk) sync(f *os.File) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !strings.Contains(f.Name(), segmentSuffix) {
		return nil
	}
	d.again = d.again || slices.Contains(d.bad, f)
	if d.fail > 0 {
		d.fail--
		d.bad = append(d.bad, f)
		return errIO
	}
	d.synced = append(d.synced, time.Now())
	return nil
}

func (d *disk) failNext(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = n
}

func (d *disk) good() []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.synced)
}

func TestFsyncComesWithin20msOrAtOnceFor64Records(t *testing.T) {
	for _, c := range []struct {
		name    string
		records []int // appended every 5 ms
		after   []time.Duration
		durable uint64
	}{
		{"one record", []int{1}, []time.Duration{flushAfter}, 1},
		{"some records share one", []int{3, 2, 1}, []time.Duration{flushAfter}, 6},
		{"two groups", []int{1, 0, 0, 0, 0, 0, 1}, []time.Duration{flushAfter, 30*time.Millisecond + flushAfter}, 2},
		{"64 at once", []int{64}, []time.Duration{0}, 64},
		{"64 in pieces", []int{30, 34}, []time.Duration{5 * time.Millisecond}, 64},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &disk{}
				o := options(t.TempDir())
				o.Sync = d.sync
				j, _ := mustOpen(t, o)
				begin := time.Now()
				for _, n := range c.records {
					fill(t, j, n)
					time.Sleep(5 * time.Millisecond)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				var after []time.Duration
				for _, at := range d.good() {
					after = append(after, at.Sub(begin))
				}
				if !slices.Equal(after, c.after) || j.Durable() != c.durable {
					t.Fatalf("fsyncs after %v, want %v; durable %d", after, c.after, j.Durable())
				}
				select {
				case <-j.Changed():
				default:
					t.Error("Changed was not signalled")
				}
				j.Close()
			})
		})
	}
}

func TestSyncFlushesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t.TempDir())
		o.Sync = (&disk{}).sync
		j, _ := mustOpen(t, o)
		fill(t, j, 3)
		begin := time.Now()
		mustSync(t, j)
		if waited := time.Since(begin); waited != 0 || j.Durable() != 3 {
			t.Fatalf("waited %v, durable %d", waited, j.Durable())
		}
		j.Close()
	})
}

func TestAfterAFailedFsyncRecordsAreWrittenAgainElsewhere(t *testing.T) {
	for name, before := range map[string]int{"first segment": 0, "later": 10, "over several segments": 25} {
		t.Run(name, func(t *testing.T) {
			d := &disk{}
			o := options(t.TempDir())
			o.Sync, o.SegmentBytes = d.sync, 4*300
			j, _ := mustOpen(t, o)
			fill(t, j, before)
			mustSync(t, j)
			d.failNext(1)
			fill(t, j, 15)
			mustSync(t, j)
			f := <-j.Faults()
			if !f.Safe || !errors.Is(f.Err, errIO) {
				t.Fatalf("fault %+v", f)
			}
			fill(t, j, 5)
			mustSync(t, j)
			if d.again {
				t.Error("a file whose fsync failed was trusted again")
			}
			for range 2 {
				entries, holes := all(t, j.Read, j.Durable())
				if len(entries) != before+20 || len(holes) != 0 {
					t.Fatalf("%d entries, holes %v", len(entries), holes)
				}
				j.Close()
				var rep Report
				if j, rep = mustOpen(t, o); len(rep.Damaged) > 0 || rep.TornBytes > 0 {
					t.Fatalf("report %+v", rep)
				}
			}
		})
	}
}

func TestAFailingDiskIsTriedEverySecondAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		o := options(t.TempDir())
		o.Sync = d.sync
		j, _ := mustOpen(t, o)
		fill(t, j, 5)
		mustSync(t, j)
		d.failNext(4) // the group's, and three attempts to write again
		fill(t, j, 5)
		time.Sleep(flushAfter)
		synctest.Wait()
		fill(t, j, 1) // stays in memory
		if err := j.Sync(t.Context()); !errors.Is(err, errIO) {
			t.Fatalf("sync: %v", err)
		}
		if f := <-j.Faults(); f.Safe {
			t.Fatalf("fault %+v", f)
		}
		time.Sleep(3 * retryAfter)
		synctest.Wait()
		if f := <-j.Faults(); !f.Safe || j.Durable() != 11 {
			t.Fatalf("fault %+v, durable %d", f, j.Durable())
		}
		fill(t, j, 1)
		mustSync(t, j)
		if entries, holes := all(t, j.Read, 12); len(entries) != 12 || len(holes) != 0 {
			t.Fatalf("%d entries, holes %v", len(entries), holes)
		}
		j.Close()
	})
}

func TestAFailedFsyncWhileOpeningIsRepaired(t *testing.T) {
	o := written(t, 50)
	d := &disk{fail: 1}
	o.Sync = d.sync
	j, _ := mustOpen(t, o)
	if f := <-j.Faults(); f.Safe {
		t.Fatalf("fault %+v", f)
	}
	if f := <-j.Faults(); !f.Safe {
		t.Fatalf("fault %+v", f)
	}
	fill(t, j, 1)
	mustSync(t, j)
	if entries, holes := all(t, j.Read, j.Durable()); len(entries) != 51 || len(holes) != 0 || d.again {
		t.Fatalf("%d entries, holes %v, again %v", len(entries), holes, d.again)
	}
}

func TestAFullDiskKeepsNoRefusedRecordAndRecoversWithSpace(t *testing.T) {
	if !alone(t) {
		return
	}
	for _, c := range []struct {
		name    string
		segment int64
		limit   uint64
	}{
		{"in the middle of a record", 8 << 20, 2500},
		{"in the header of a segment", 1500, 20},
		{"at the first byte of a record", 8 << 20, 0}, // the limit is where the record begins
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t.TempDir())
			o.SegmentBytes = c.segment
			j, _ := mustOpen(t, o)
			fill(t, j, 4)
			mustSync(t, j)
			if c.limit == 0 {
				c.limit = uint64(segmentsOf(t, o.Dir)[0].size)
			}
			free := limitFiles(t, c.limit)
			var err error
			for err == nil {
				_, err = j.Append(start, body(int(j.Last())))
			}
			kept := j.Last()
			for range 3 {
				if _, err := j.Append(start, body(99)); !errors.Is(err, unix.EFBIG) || j.Last() != kept {
					t.Fatalf("append: %v, last %d", err, j.Last())
				}
			}
			seq := j.Lose(ReasonDiskFull)
			free()
			fill(t, j, 3)
			mustSync(t, j)
			for range 2 {
				entries, holes := all(t, j.Read, j.Durable())
				if len(entries) != int(kept)+3 || len(holes) != 1 || holes[0] != newHole(seq, seq, ReasonDiskFull) {
					t.Fatalf("%d entries for %d, holes %v", len(entries), kept+3, holes)
				}
				for _, e := range entries {
					if strings.Contains(string(e.Raw), "reader-99") {
						t.Fatal("a record that was refused is there")
					}
				}
				j.Close()
				j, _ = mustOpen(t, o)
			}
		})
	}
}

// aloneEnv is set in a process that runs one test only.
const aloneEnv = "JOURNAL_TEST_ALONE"

// alone reports whether the test is the only one in this process. If not, it runs
// the test in a process of its own and fails when that fails: limitFiles limits a
// whole process, and "go test" makes a test binary write a file of its own.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneEnv) != "" {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), aloneEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("alone in a process: %v\n%s", err, out)
	}
	return false
}

// limitFiles limits the size of files, so that writes are cut short and fail as on
// a full disk. It is called only after alone has returned true.
func limitFiles(t *testing.T, size uint64) (free func()) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	free = func() { _ = unix.Setrlimit(unix.RLIMIT_FSIZE, &old) }
	t.Cleanup(free)
	return free
}
