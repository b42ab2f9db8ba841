package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// small returns the DiskSpace of a disk of 4 MiB with *free bytes left.
func small(free *int64) func(string) (int64, int64, error) {
	return func(string) (int64, int64, error) { return *free, 4 << 20, nil }
}

func kinds() map[wire.Kind]wire.Body {
	return map[wire.Kind]wire.Body{
		wire.KindReading: body(1),
		wire.KindHealth:  &wire.Health{Device: "reader", Model: "rdm6300", State: "ok"},
		wire.KindTrack: &wire.Track{Machine: "drone-1", Source: "mavlink", At: wire.At(start.Wall),
			Points: []wire.TrackPoint{{}}},
		wire.KindAlarm: &wire.Alarm{ID: "fever:1", Type: "fever", State: fact.AlarmRaised},
		wire.KindAudit: &wire.Audit{Action: "called", Actor: "guard"},
	}
}

func TestKindsAreShedInOrderAsSpaceRunsOut(t *testing.T) {
	free := int64(3 << 20)
	o := options(t.TempDir())
	o.DiskSpace = small(&free)
	j, _ := mustOpen(t, o)
	defer j.Close()
	for _, c := range []struct {
		kib   int64
		level Level
		shed  []wire.Kind
	}{
		{3000, Plenty, nil},
		{500, ShedTail, nil},
		{200, ShedHealth, []wire.Kind{wire.KindHealth}},
		{100, ShedTracks, []wire.Kind{wire.KindHealth, wire.KindTrack}},
		{300, ShedTail, nil},
	} {
		free = c.kib << 10
		if got := j.CheckSpace(start); got.Level != c.level || got.Free != free {
			t.Errorf("%d KiB: %+v, want level %d", c.kib, got, c.level)
		}
		for kind, b := range kinds() {
			_, err := j.Append(start, b)
			shed := false
			for _, k := range c.shed {
				shed = shed || k == kind
			}
			if errors.Is(err, ErrShed) != shed || err != nil && !shed {
				t.Errorf("%d KiB: append %s: %v", c.kib, kind, err)
			}
		}
	}
}

func TestAFullDiskReleasesTheBallastForAlarms(t *testing.T) {
	free := int64(3 << 20)
	o := options(t.TempDir())
	o.DiskSpace = small(&free)
	j, _ := mustOpen(t, o)
	defer j.Close()
	j.CheckSpace(start)
	ballast := filepath.Join(o.Dir, ballastFile)
	if info, err := os.Stat(ballast); err != nil || info.Size() != 64<<10 {
		t.Fatalf("ballast: %v %v", info, err)
	}
	fill(t, j, 3)
	j.mu.Lock()
	released := j.queue.releaseBallast(unix.ENOSPC)
	j.mu.Unlock()
	if _, err := os.Stat(ballast); !released || !os.IsNotExist(err) {
		t.Fatalf("the ballast stays: %v %v", released, err)
	}
	free = 64 << 10
	for kind, b := range kinds() {
		_, err := j.Append(start, b)
		if kept := kind == wire.KindAlarm || kind == wire.KindAudit; kept != (err == nil) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if got := j.CheckSpace(start).Level; got != OnlyAlarms {
		t.Errorf("with space for the ballast only: level %d", got)
	}
	free = 2 << 20
	if got := j.CheckSpace(start).Level; got != Plenty {
		t.Errorf("with space again: level %d", got)
	}
	if _, err := os.Stat(ballast); err != nil {
		t.Errorf("the ballast is not there again: %v", err)
	}
	fill(t, j, 1)
}

func TestShortSpaceRemovesOnlyAcknowledgedSegments(t *testing.T) {
	synctest.Test(t, shortSpaceRemovesOnlyAcknowledgedSegments)
}

func shortSpaceRemovesOnlyAcknowledgedSegments(t *testing.T) {
	free := int64(3 << 20)
	o := options(t.TempDir())
	o.DiskSpace, o.SegmentBytes = small(&free), 1200
	j, _ := mustOpen(t, o)
	defer j.Close()
	fill(t, j, 40)
	mustSync(t, j)
	if err := j.Acknowledge(start, State{Through: 20, Store: "s", Term: 1}); err != nil {
		t.Fatal(err)
	}
	before := len(segmentsOf(t, o.Dir))
	j.CheckSpace(start)
	synctest.Wait()
	if len(segmentsOf(t, o.Dir)) != before {
		t.Fatal("with plenty of space something was removed")
	}
	free = 400 << 10
	j.CheckSpace(start)
	synctest.Wait()
	left := segmentsOf(t, o.Dir)
	if len(left) >= before || left[0].first > 21 {
		t.Fatalf("%d segments of %d are left, the first begins with %d", len(left), before, left[0].first)
	}
	entries, holes := all(t, j.Read, j.Durable())
	if n := len(entries); n < 20 || entries[n-20].Record.Seq != 21 {
		t.Errorf("%d entries, holes %v", n, holes)
	}
}

func TestFullInFollowsTheRateOfAppends(t *testing.T) {
	free := int64(3 << 20)
	o := options(t.TempDir())
	o.DiskSpace = small(&free)
	j, _ := mustOpen(t, o)
	defer j.Close()
	now := start
	j.CheckSpace(now)
	for range 20 {
		fill(t, j, 10)
		now = now.Add(30 * time.Second)
		j.CheckSpace(now)
	}
	got := j.CheckSpace(now)
	var size int64
	for _, s := range segmentsOf(t, o.Dir) {
		size += s.size - headerLen
	}
	want := time.Duration(float64(10*time.Minute) * float64(free) / float64(size))
	if d := got.FullIn - want; d > time.Minute || d < -time.Minute {
		t.Errorf("full in %s, want %s", got.FullIn, want)
	}
}

func TestMemoryIsBoundedWhileTheDiskFails(t *testing.T) {
	d := &disk{}
	o := options(t.TempDir())
	o.Sync = d.sync
	j, _ := mustOpen(t, o)
	d.failNext(1 << 30)
	var err error
	for n := 0; err == nil && n < 200_000; n++ {
		_, err = j.Append(start, body(n))
	}
	if !errors.Is(err, errIO) {
		t.Fatalf("append: %v", err)
	}
	j.mu.Lock()
	held := j.queue.unsynced.bytes() + len(j.queue.unsynced.flushing)
	j.mu.Unlock()
	if held > maxMemory+maxPayload {
		t.Errorf("%d bytes in memory", held)
	}
	d.failNext(0)
	mustSyncSoon(t, j)
	entries, holes := all(t, j.Read, j.Durable())
	if uint64(len(entries)) != j.Last() || len(holes) > 0 {
		t.Errorf("%d entries of %d, holes %v", len(entries), j.Last(), holes)
	}
	j.Close()
}

func mustSyncSoon(t *testing.T, j *Journal) {
	t.Helper()
	for range 100 {
		if j.Sync(t.Context()) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the journal does not recover")
}
