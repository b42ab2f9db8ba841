package agent

import (
	"context"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
)

// deviceStates are the devices of a gate, those that are named broken.
func deviceStates(broken ...string) status.Snapshot {
	var s status.Snapshot
	for _, name := range []string{"in", "out"} {
		s.Devices = append(s.Devices, status.Device{Name: name, State: fact.DeviceOK})
	}
	for _, name := range broken {
		s.Devices = append(s.Devices, status.Device{Name: name, State: fact.DeviceGone})
	}
	return s
}

// A gate whose readers fail, and whose cards are over one day, says so while it runs, and
// says when it is over.
func TestItIsJudgedAgainWhetherSomebodyCanPass(t *testing.T) {
	r := newRig(t)
	r.addReader("in")
	r.write(r.cfg.Roster, []byte("card,class,status,household,from,until\n62E3086CED,resident,active,,,2020-02-15\n"))
	r.cfg.Station.Devices[0].Direction = fact.DirectionIn
	r.cfg.Station.Devices = append(r.cfg.Station.Devices, station.Device{Name: "out", Model: "rdm6300",
		Port: "/dev/absent2", Direction: fact.DirectionOut})
	f, err := readFiles(r.cfg, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l := newLocks(r.cfg, f)
	start := clock.Moment{Wall: time.Date(2020, 2, 14, 23, 0, 0, 0, f.zone), Boot: time.Hour}
	broken, doubtful := deviceStates("in", "out"), deviceStates()
	broken.Devices = broken.Devices[2:]
	one := deviceStates()
	one.Devices[1].State = fact.DeviceFault
	doubtful.Holds = []status.Condition{{Type: fact.AlarmDeviceDoubtful, Device: "in"}}
	const same = "(not judged)"
	for i, c := range []struct {
		after time.Duration
		s     status.Snapshot
		want  string
	}{
		{0, status.Snapshot{}, ""}, // the devices have not said anything yet
		{10 * time.Second, deviceStates(), same},
		{20 * time.Second, one, same},
		{79 * time.Second, one, same},
		{80 * time.Second, one, "out: no reader or scanner for this way works"},
		{90 * time.Second, one, same},
		{100 * time.Second, deviceStates(), ""},
		{110 * time.Second, one, same}, // it counts from now
		{120 * time.Second, broken, same},
		{170 * time.Second, broken, "out: no reader or scanner for this way works"},
		{180 * time.Second, broken, "no lane has a reader or scanner that works: who comes is not known"},
		{190 * time.Second, doubtful, "in: no reader or scanner for this way works"},
		{200 * time.Second, deviceStates(), ""},
		{time.Hour - 1, deviceStates(), same},
		{time.Hour, deviceStates(), ""}, // the last day of the only card
		{25 * time.Hour, deviceStates(), "expired"},
		{26 * time.Hour, deviceStates(), same},
		{-72 * time.Hour, deviceStates(), ""}, // the clock was set
	} {
		why, again := l.look(start.Add(c.after), c.s)
		if !again {
			why = same
		}
		if why != c.want && (c.want != "expired" || !strings.HasSuffix(why, "for the reason expired")) {
			t.Errorf("step %d, after %s: %q, want %q", i, c.after, why, c.want)
		}
	}
}

// An agent whose configuration has no gate any more ends the alarm, once.
func TestAnAgentWithoutAGateLocksNobodyOut(t *testing.T) {
	l := newLocks(Config{}, files{})
	for _, want := range []bool{true, false} {
		if why, again := l.look(clock.Moment{}, status.Snapshot{}); why != "" || again != want {
			t.Errorf("%q, %v", why, again)
		}
	}
}

// While an agent runs, the alarm follows.
func TestTheAlarmFollowsTheDay(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	now := time.Now()
	r.write(r.cfg.Roster, []byte("card,class,status,household,from,until\n62E3086CED,resident,active,,,"+
		now.AddDate(0, 0, 1).Format(time.DateOnly)+"\n"))
	var before, after string
	r.run(func(_ context.Context, a *Agent) {
		before = a.Board().Detail(fact.AlarmNobodyPasses)
		a.warnLocked(clock.Moment{Wall: now.AddDate(0, 0, 3)})
		after = a.Board().Detail(fact.AlarmNobodyPasses)
	}, turned)
	if before != "" || !strings.Contains(after, "for the reason expired") {
		t.Errorf("%q, then %q", before, after)
	}
}
