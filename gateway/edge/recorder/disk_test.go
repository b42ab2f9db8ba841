package recorder

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// turn lets a second pass.
func (g *rig) turn() {
	g.h.now = g.h.now.Add(time.Second)
	g.WatchDisk(g.h.now)
	g.Turn(g.h.now)
}

func TestLittleRoomIsAnAlarmAndShedsInOrder(t *testing.T) {
	g := newRig(t)
	turn := func(mib int64) {
		g.free = mib << 20
		g.turn()
	}
	turn(500)
	if got := g.recorded(); len(got) != 0 {
		t.Fatalf("with plenty of room: %q", got)
	}
	turn(20) // of a reserve of 64: health is shed
	seq := g.Append(g.h.now, &wire.Health{Device: "reader", Model: "rdm6300", State: fact.DeviceGone})
	if seq != g.journal.Last() {
		t.Errorf("the hole has seq %d, the journal is at %d", seq, g.journal.Last())
	}
	if g.board.Detail(fact.AlarmJournalWrite) != "" {
		t.Error("shedding in order counts as a failure")
	}
	turn(500)
	if got := strings.Join(g.recorded(), ", "); got != "journal-disk-low raised, journal-disk-low cleared" {
		t.Error(got)
	}
	c, err := g.journal.Read(1, 1000, 1<<20)
	if err != nil || len(c.Holes) != 1 || c.Holes[0].From != seq || c.Holes[0].Reason != journal.ReasonDiskFull {
		t.Errorf("holes %v, %v", c.Holes, err)
	}
}

// An alarm that no disk took used to count as recorded, and never was.
func TestAnAlarmThatCouldNotBeKeptComesAgain(t *testing.T) {
	g := newRig(t)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	g.Append(g.h.now, &wire.Clock{Reason: "start", BootID: "b"})
	// The kernel refuses longer files, for a moment: nothing can be written.
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 64, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	g.board.Set(status.Condition{Type: fact.AlarmDeviceGone, Device: "reader", Detail: "unplugged"})
	g.raiseAlarms(g.h.now)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if got := g.recorded(); len(got) != 0 {
		t.Fatalf("it could be written: %q", got)
	}
	g.raiseAlarms(g.h.now)
	if got := strings.Join(g.recorded(), ", "); got != "device-gone:reader raised" {
		t.Errorf("alarms %q", got)
	}
}

func TestAFailedFsyncIsOverAfterAWhile(t *testing.T) {
	g := newRig(t)
	g.diskFailed(g.h.now, journal.Fault{Err: errors.New("input/output error"), Safe: true})
	g.turn()
	g.h.now = g.h.now.Add(faultOver)
	g.turn()
	if got := strings.Join(g.recorded(), ", "); got != "journal-sync-failed raised, journal-sync-failed cleared" {
		t.Error(got)
	}
}

func TestADiskThatWillBeFullSoonIsAnAlarmWhileTheCountyIsAway(t *testing.T) {
	g := newRig(t)
	for range 62 { // some 60 kB a second: half a GiB lasts a little more than two hours
		for range 20 {
			g.Append(g.h.now, &wire.Health{
				Device: "reader", Model: "rdm6300", State: fact.DeviceOK, Detail: strings.Repeat("x", 3000)})
		}
		g.turn()
	}
	if got := g.board.Detail(fact.AlarmJournalDiskLow); !strings.Contains(got, "full in 2 hours") {
		t.Errorf("%q", got)
	}
	s := g.board.Snapshot()
	if s.Pending < 1240 || s.FullIn.Hours() < 2 || s.FullIn.Hours() > 3 {
		t.Errorf("the board has %+v", s)
	}
	if s.Stuck(g.h.now) || !s.Stuck(g.h.now.Add(time.Minute)) {
		t.Errorf("the recorder last turned at %s, now it is %s", s.Turned, g.h.now.Boot)
	}
}
