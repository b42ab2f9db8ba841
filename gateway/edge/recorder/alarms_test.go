package recorder

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
)

var noon = time.Date(2020, 2, 14, 12, 0, 0, 0, time.UTC)

// record returns the changes at a moment, and takes them as recorded from seq on.
func record(a alarms, b *status.Board, at time.Time, seq uint64) string {
	var out []string
	for i, al := range a.changes(b.Conditions(), at) {
		a.recorded(al, seq+uint64(i), at)
		s := al.ID + " " + string(al.State) + " " + al.Detail
		if al.Updates != 0 {
			s += fmt.Sprint(" updates ", al.Updates)
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestAConditionIsOneAlarmHoweverOftenItIsPosted(t *testing.T) {
	a, b := newAlarms(), status.NewBoard()
	for range 3 {
		b.Set(status.Condition{Type: fact.AlarmDeviceGone, Device: "thermometer", Detail: "unplugged"})
	}
	if got := record(a, b, noon, 1); got != "device-gone:thermometer raised unplugged" {
		t.Fatal(got)
	}
	if got := record(a, b, noon, 2); got != "" {
		t.Fatal("again", got)
	}
	b.Clear(fact.AlarmDeviceGone, "thermometer")
	if got := record(a, b, noon, 2); got != "device-gone:thermometer cleared " {
		t.Fatal(got)
	}
}

func TestAConditionWithAnotherDetailUpdatesItsAlarm(t *testing.T) {
	a, b := newAlarms(), status.NewBoard()
	b.Set(status.Condition{Type: fact.AlarmJournalDiskLow, Detail: "the disk will be full in 47 hours"})
	record(a, b, noon, 7)
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
		b.Set(status.Condition{Type: fact.AlarmJournalDiskLow, Detail: c.detail})
		if got := strings.TrimPrefix(record(a, b, noon.Add(c.after), 100), "journal-disk-low "); got != c.want {
			t.Errorf("after %s %q is recorded as %q, want %q", c.after, c.detail, got, c.want)
		}
	}
}
