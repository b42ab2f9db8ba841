package shifted

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/clock"
)

// still is a synchronised clock that does not move.
type still clock.Moment

func (s still) Now() clock.Moment  { return clock.Moment(s) }
func (s still) Synchronised() bool { return true }

func TestAShiftReachesAnOpenClock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shift")
	if _, err := Open(path, clock.System{}); err == nil {
		t.Fatal("opened without a file")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	real := still{Wall: time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC), Boot: time.Hour}
	c, err := Open(path, real)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Now(); got != clock.Moment(real) || !c.Synchronised() {
		t.Fatalf("before any shift: %v, synchronised %v", got, c.Synchronised())
	}
	for _, s := range []struct{ wall, boot time.Duration }{
		{25 * time.Hour, 0}, {-365 * 24 * time.Hour, 0}, {0, time.Minute}, {time.Second, -time.Second}, {0, 0},
	} {
		if err := Write(path, s.wall, s.boot); err != nil {
			t.Fatal(err)
		}
		want := clock.Moment{Wall: real.Wall.Add(s.wall), Boot: real.Boot + s.boot}
		if got := c.Now(); got != want || c.Synchronised() != (s.wall == 0) {
			t.Errorf("shifted by %s and %s: %v, want %v; synchronised %v", s.wall, s.boot, got, want, c.Synchronised())
		}
	}
}
