package station

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/devices/frame"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// afterAlarms returns a station that has restarted while conditions held, and
// how many alarms the journal holds of these. The agent has drone-1 besides the
// station's devices.
func afterAlarms(t *testing.T, details map[string]string) (g *rig, n int) {
	t.Helper()
	g = newRig(t)
	for id, detail := range details {
		kind, device, _ := strings.Cut(id, ":")
		g.board.Set(status.Condition{Type: fact.AlarmType(kind), Device: device, Detail: detail})
	}
	g.rec.Begin(g.h.now, func(string) bool { return true })
	if n = len(strings.Split(g.alarms(0), ", ")); n != len(details) && len(details) > 0 {
		t.Fatalf("%d alarms were raised", n)
	}
	g.stop()
	g.start(func(device string) bool { return g.st.Has(device) || device == "drone-1" })
	return g, len(details)
}

// run lets seconds pass; the thermometer yields what it is given, if anything.
func (g *rig) run(seconds int, object fact.Temp) {
	for i := range seconds {
		g.wait(1)
		if object != 0 {
			g.sample(g.h.now.Wall, int(object)+i%3)
		}
		g.st.turn(g.h.now)
		g.rec.WatchDisk(g.h.now)
		g.rec.Turn(g.h.now)
	}
}

func TestARestartLeavesAlarmsAlone(t *testing.T) {
	g, n := afterAlarms(t, map[string]string{
		"device-gone:reader":       "unplugged",
		"device-fault:thermometer": "it repeats the same value: switch it off and on",
		"machine-fault:drone-1":    "motor", "collector-foreign": "a stranger", "store-changed": "another store",
	})
	g.fail("reader", devices.ErrGone, "still")
	g.run(20, 2100) // it measures, and nobody knows yet whether it is stuck
	if got := g.alarms(n); got != "" {
		t.Errorf("after a restart: %s", got)
	}
}

func TestARestartEndsWhatIsKnownToHaveEnded(t *testing.T) {
	g, n := afterAlarms(t, map[string]string{
		"device-gone:reader": "unplugged", "device-gone:thermometer": "unplugged", "device-fault:thermometer": "silent",
		"device-gone:sold": "unplugged", "machine-fault:drone-9": "motor", "journal-disk-low": "12 MiB",
		"journal-sync-failed": "input/output error", "a-kind-of-another-version": "x",
	})
	want := "a-kind-of-another-version cleared, device-gone:sold cleared, machine-fault:drone-9 cleared"
	if got := g.alarms(n); got != want {
		t.Errorf("at once: %s", got)
	}
	g.run(10, 2100)
	if got := g.alarms(n + 3); got != "device-gone:thermometer cleared, journal-disk-low cleared" &&
		got != "journal-disk-low cleared, device-gone:thermometer cleared" {
		t.Errorf("in ten seconds: %s", got)
	}
	g.run(40, 2100)
	if got := g.alarms(n + 5); got != "device-gone:reader cleared, device-fault:thermometer cleared" &&
		got != "device-fault:thermometer cleared, device-gone:reader cleared" {
		t.Errorf("then: %s", got)
	}
	g.run(10*60, 2100)
	if got := g.alarms(n + 7); got != "journal-sync-failed cleared" {
		t.Errorf("last: %s", got)
	}
}

// A device may word each error in its own way.
func TestADeviceThatFailsInAnotherWayUpdatesItsAlarmAMinuteLater(t *testing.T) {
	g, _ := afterAlarms(t, nil)
	for _, text := range []string{"no answer", "a short circuit", "a short circuit"} {
		g.fail("reader", devices.ErrFault, text)
		g.run(61, 2100)
	}
	var got []string
	for _, body := range g.bodies() {
		if a, ok := body.(*wire.Alarm); ok {
			words := a.Detail[strings.LastIndex(a.Detail, ": ")+2:]
			got = append(got, fmt.Sprint(a.ID, " ", a.State, " ", words, " ", a.Updates))
		}
	}
	if len(got) != 2 || got[0] != "device-fault:reader raised no answer 0" ||
		!strings.HasPrefix(got[1], "device-fault:reader raised a short circuit ") || strings.HasSuffix(got[1], " 0") {
		t.Errorf("%q", got)
	}
}

// A thermometer that says nothing is at fault, a reader is not.
func TestASilentThermometerIsAFault(t *testing.T) {
	g := newRig(t)
	g.run(5, 0)
	if d := g.board.Snapshot().Devices; d[0].State != fact.DeviceOK || d[1].State != fact.DeviceOK {
		t.Errorf("too early: %+v", d)
	}
	g.run(1, 0)
	d := g.board.Snapshot().Devices
	if d[0].State != fact.DeviceFault || d[1].State != fact.DeviceOK {
		t.Errorf("%+v", d)
	}
	if idle := g.h.now.Boot - d[0].Heard; idle != 6*time.Second {
		t.Errorf("idle for %s", idle)
	}
}

func TestSomebodyIsAskedToShowACodeAgain(t *testing.T) {
	g := newRig(t)
	asked := func() (wants []gate.Wants) {
		g.st.publish()
		for _, p := range g.board.Snapshot().Prompts {
			wants = append(wants, p.Wants)
		}
		return wants
	}
	g.fail("reader", devices.ErrFrame, "a glitch")
	if len(asked()) != 0 || len(g.out.cues) != 0 {
		t.Fatalf("after a glitch: %v", asked())
	}
	g.fail("reader", frame.ErrUnread, "neither UTF-8 nor GB18030")
	if got := asked(); !slices.Equal(got, []gate.Wants{gate.WantsCode}) || len(g.out.cues) != 1 {
		t.Fatalf("%v, %d cues", got, len(g.out.cues))
	}
	if c := <-g.out.cues; c.Lamp != devices.LampAmber {
		t.Fatalf("%+v", c)
	}
	g.wait(4.9)
	if len(asked()) != 1 {
		t.Fatal("it is over too soon")
	}
	g.wait(0.1)
	if len(asked()) != 0 {
		t.Fatal("it is never over")
	}
	g.fail("reader", frame.ErrUnread, "neither UTF-8 nor GB18030")
	g.st.arrived(g.h.now, arrival{in: g.in["reader"], r: devices.Tap{At: time.Now(), Code: cardA}})
	if got := asked(); slices.Contains(got, gate.WantsCode) {
		t.Fatalf("after a code that was read: %v", got)
	}
}
