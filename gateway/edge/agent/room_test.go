package agent

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// hand is a clock that stands until it is moved.
type hand struct{ now clock.Moment }

func (h *hand) Now() clock.Moment  { return h.now }
func (h *hand) Synchronised() bool { return true }

// onDisk makes a recorder whose disk has as much room as free says.
func onDisk(t *testing.T, free *int64) (*recorder, *hand) {
	t.Helper()
	h := &hand{clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC), Boot: time.Hour}}
	j, _, err := journal.Open(journal.Options{Dir: t.TempDir(), HostID: "h", Log: slog.New(slog.DiscardHandler),
		DiskSpace: func(string) (int64, int64, error) { return *free, 1 << 30, nil }}, h.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	a := &Agent{opts: Options{Clock: h}, log: slog.New(slog.DiscardHandler), journal: j, board: newBoard(), alarms: newOvertakers(),
		gate: gate.New(gate.Config{Rules: &policy.Rules{}, Zone: time.UTC})}
	return &recorder{Agent: a}, h
}

// raised gives the alarms in the journal, in order.
func raised(t *testing.T, r *recorder) (out []string) {
	t.Helper()
	if err := r.journal.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := r.journal.Read(1, 1000, 1<<20)
	if err != nil && !errors.Is(err, journal.ErrClosed) {
		t.Fatal(err)
	}
	for _, e := range c.Entries {
		if body, err := e.Record.DecodeBody(); err == nil && e.Record.Kind == wire.KindAlarm {
			a := body.(*wire.Alarm)
			out = append(out, a.ID+" "+string(a.State))
		}
	}
	return out
}

func TestLittleRoomIsAnAlarmAndShedsInOrder(t *testing.T) {
	free := int64(1 << 29)
	r, h := onDisk(t, &free)
	turn := func(mib int64) {
		free = mib << 20
		h.now = h.now.Add(time.Second)
		r.room(h.now)
		r.alarms()
	}
	turn(500)
	if got := raised(t, r); len(got) != 0 {
		t.Fatalf("with plenty of room: %q", got)
	}
	turn(20) // of a reserve of 64: health is shed
	seq := r.append(h.now, &wire.Health{Device: "reader", Model: "rdm6300", State: "gone"})
	if seq != r.journal.Last() {
		t.Errorf("the hole has seq %d, the journal is at %d", seq, r.journal.Last())
	}
	if r.board.detail(fact.AlarmJournalWrite) != "" {
		t.Error("shedding in order counts as a failure")
	}
	turn(500)
	if got := strings.Join(raised(t, r), ", "); got != "journal-disk-low raised, journal-disk-low cleared" {
		t.Error(got)
	}
	c, err := r.journal.Read(1, 1000, 1<<20)
	if err != nil || len(c.Holes) != 1 || c.Holes[0].From != seq || c.Holes[0].Reason != journal.ReasonDiskFull {
		t.Errorf("holes %v, %v", c.Holes, err)
	}
}

// An alarm that no disk took used to be held for told, and was never told.
func TestAnAlarmThatCouldNotBeKeptComesAgain(t *testing.T) {
	free := int64(1 << 29)
	r, h := onDisk(t, &free)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	r.append(h.now, &wire.Clock{Reason: "start", BootID: "b"})
	// The kernel refuses longer files, for a moment: nothing can be written.
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 64, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	r.board.set(fact.AlarmDeviceGone, "reader", "unplugged")
	r.alarms()
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if got := raised(t, r); len(got) != 0 {
		t.Fatalf("it could be written: %q", got)
	}
	r.alarms()
	if got := strings.Join(raised(t, r), ", "); got != "device-gone:reader raised" {
		t.Errorf("alarms %q", got)
	}
}

func TestAFailedFsyncIsOverAfterAWhile(t *testing.T) {
	free := int64(1 << 29)
	r, h := onDisk(t, &free)
	r.diskFault(journal.Fault{Err: errors.New("input/output error"), Safe: true})
	r.room(h.now)
	r.alarms()
	h.now = h.now.Add(faultOver + time.Second)
	r.room(h.now)
	r.alarms()
	if got := strings.Join(raised(t, r), ", "); got != "journal-sync-failed raised, journal-sync-failed cleared" {
		t.Error(got)
	}
}

func TestADiskThatWillBeFullSoonIsToldWhileTheCountyIsAway(t *testing.T) {
	free := int64(1 << 29)
	r, h := onDisk(t, &free)
	for range 62 { // some 60 kB a second: half a GiB lasts a little more than two hours
		h.now = h.now.Add(time.Second)
		for range 20 {
			r.append(h.now, &wire.Health{Device: "reader", Model: "rdm6300", State: "ok", Detail: strings.Repeat("x", 3000)})
		}
		r.room(h.now)
	}
	r.alarms()
	if got := r.board.detail(fact.AlarmJournalDiskLow); !strings.Contains(got, "full in 2 hours") {
		t.Errorf("%q", got)
	}
}
