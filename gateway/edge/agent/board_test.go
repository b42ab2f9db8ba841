package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/sense"
	"gatehouse/gateway/wire"
)

var noon = time.Date(2020, 2, 14, 12, 0, 0, 0, time.UTC)

// tell gives the changes at a moment, and says them as the records from seq on.
func tell(b *board, at time.Time, seq uint64) string {
	var out []string
	for i, al := range b.changes(at) {
		b.said(al, seq+uint64(i), at)
		s := al.ID + " " + string(al.State) + " " + al.Detail
		if al.Updates != 0 {
			s += fmt.Sprint(" updates ", al.Updates)
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestAConditionIsOneAlarmHoweverOftenItIsReported(t *testing.T) {
	b := newBoard()
	for range 3 {
		b.set(fact.AlarmDeviceGone, "thermometer", "unplugged")
	}
	if got := tell(b, noon, 1); got != "device-gone:thermometer raised unplugged" {
		t.Fatal(got)
	}
	if got := tell(b, noon, 2); got != "" {
		t.Fatal("again", got)
	}
	b.set(fact.AlarmDeviceGone, "thermometer", "")
	if got := tell(b, noon, 2); got != "device-gone:thermometer cleared " {
		t.Fatal(got)
	}
}

func TestAConditionThatChangesIsTheSameAlarmInOtherWords(t *testing.T) {
	b := newBoard()
	b.set(fact.AlarmJournalDiskLow, "", "the disk will be full in 47 hours")
	tell(b, noon, 7)
	for _, c := range []struct {
		after  time.Duration
		detail string
		want   string
	}{
		{time.Second, "the disk will be full in 46 hours", ""},
		{5 * time.Minute, "the disk will be full in 5 hours", ""}, // numbers alone wait
		{10 * time.Minute, "the disk will be full in 3 hours", "raised the disk will be full in 3 hours updates 7"},
		{10*time.Minute + time.Second, "only alarms are kept", ""},
		{11 * time.Minute, "only alarms are kept", "raised only alarms are kept updates 7"},
		{20 * time.Hour, "only alarms are kept", ""},
		{25 * time.Hour, "only alarms are kept", "raised only alarms are kept updates 7"},
		{25*time.Hour + time.Second, "", "cleared "},
	} {
		b.set(fact.AlarmJournalDiskLow, "", c.detail)
		if got := strings.TrimPrefix(tell(b, noon.Add(c.after), 100), "journal-disk-low "); got != c.want {
			t.Errorf("after %s %q is told as %q, want %q", c.after, c.detail, got, c.want)
		}
	}
}

// gateAfter makes a recorder that an earlier run has left alarms for, with a
// thermometer, a reader and a machine.
func gateAfter(t *testing.T, details map[string]string) (*recorder, *hand) {
	t.Helper()
	free := int64(1 << 29)
	r, h := onDisk(t, &free)
	for id, detail := range details {
		kind, device, _ := strings.Cut(id, ":")
		r.board.set(fact.AlarmType(kind), device, detail)
	}
	r.alarms()
	first := len(raised(t, r))
	if first != len(details) {
		t.Fatalf("%d alarms were raised", first)
	}
	again := &recorder{Agent: r.Agent}
	again.board, again.began = newBoard(), h.now.Boot
	again.inputs = []*input{
		{cfg: Device{Name: "thermometer"}, meter: sense.NewMeter(3730), state: fact.DeviceOK},
		{cfg: Device{Name: "reader"}, taps: sense.NewTaps(), state: fact.DeviceOK}}
	drone := machine.Config{Machine: "drone-1", Name: "drone-1", Type: "drone"}
	m := &bridged{Watch: machine.NewWatch(drone, wire.SourceMAVLink, "b")}
	again.machines, again.byMachine = []*bridged{m}, map[string]*bridged{"drone-1": m}
	if _, err := again.restoreConditions(); err != nil {
		t.Fatal(err)
	}
	again.alarms()
	return again, h
}

// since gives the alarms after the first n.
func since(t *testing.T, r *recorder, n int) string {
	t.Helper()
	return strings.Join(raised(t, r)[n:], ", ")
}

// run lets seconds pass; the thermometer samples what it is given, if anything.
func run(r *recorder, h *hand, seconds int, object fact.Temp) {
	for i := range seconds {
		h.now = h.now.Add(time.Second)
		if object != 0 {
			r.arrived(arrival{in: r.inputs[0], r: devices.Sample{At: h.now.Wall, Object: object + fact.Temp(i%3), Ambient: 2000}})
		}
		r.turn()
	}
}

func TestARestartLeavesAlarmsThatStandAlone(t *testing.T) {
	standing := map[string]string{
		"device-gone:reader":       "unplugged",
		"device-fault:thermometer": "it repeats the same value: switch it off and on",
		"machine-fault:drone-1":    "motor", string(fact.AlarmCollectorForeign): "a stranger", string(fact.AlarmStoreChanged): "another store",
	}
	r, h := gateAfter(t, standing)
	r.failed(h.now, r.inputs[1], fmt.Errorf("%w: still", devices.ErrGone))
	run(r, h, 20, 2100) // it measures, and nobody knows yet whether it is stuck
	if got := since(t, r, len(standing)); got != "" {
		t.Errorf("after a restart: %s", got)
	}
}

func TestARestartEndsWhatIsKnownToHaveEnded(t *testing.T) {
	standing := map[string]string{
		"device-gone:reader": "unplugged", "device-gone:thermometer": "unplugged", "device-fault:thermometer": "silent",
		"device-gone:sold": "unplugged", "machine-fault:drone-9": "motor", string(fact.AlarmJournalDiskLow): "12 MiB",
		string(fact.AlarmJournalSync): "input/output error", "a-kind-of-another-version": "x",
	}
	r, h := gateAfter(t, standing)
	want := "a-kind-of-another-version cleared, device-gone:sold cleared, machine-fault:drone-9 cleared"
	if got := since(t, r, len(standing)); got != want {
		t.Errorf("at once: %s", got)
	}
	n := len(standing) + 3
	run(r, h, 10, 2100)
	if got := since(t, r, n); got != "device-gone:thermometer cleared, journal-disk-low cleared" &&
		got != "journal-disk-low cleared, device-gone:thermometer cleared" {
		t.Errorf("in ten seconds: %s", got)
	}
	run(r, h, 40, 2100)
	if got := since(t, r, n+2); got != "device-gone:reader cleared, device-fault:thermometer cleared" &&
		got != "device-fault:thermometer cleared, device-gone:reader cleared" {
		t.Errorf("then: %s", got)
	}
	run(r, h, 10*60, 2100)
	if got := since(t, r, n+4); got != "journal-sync-failed cleared" {
		t.Errorf("last: %s", got)
	}
}

// Some device may word each error in its own way.
func TestADeviceThatFailsInOtherWordsIsToldAMinuteLater(t *testing.T) {
	r, h := gateAfter(t, nil)
	for _, text := range []string{"no answer", "a short circuit", "a short circuit"} {
		r.failed(h.now, r.inputs[1], fmt.Errorf("%w: %s", devices.ErrFault, text))
		run(r, h, 61, 2100)
	}
	if err := r.journal.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := r.journal.Read(1, 100, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range c.Entries {
		if body, err := e.Record.DecodeBody(); err == nil && e.Record.Kind == wire.KindAlarm {
			a := body.(*wire.Alarm)
			words := a.Detail[strings.LastIndex(a.Detail, ": ")+2:]
			got = append(got, fmt.Sprint(a.ID, " ", a.State, " ", words, " ", a.Updates))
		}
	}
	if len(got) != 2 || got[0] != "device-fault:reader raised no answer 0" ||
		!strings.HasPrefix(got[1], "device-fault:reader raised a short circuit ") || strings.HasSuffix(got[1], " 0") {
		t.Errorf("%q", got)
	}
}
