package status

import (
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
)

func received(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestOnlyWhatAScreenShowsWakesIt(t *testing.T) {
	b := NewBoard()
	gone := Condition{Type: fact.AlarmDeviceGone, Device: "reader", Detail: "x"}
	full := Condition{Type: fact.AlarmJournalWrite, Detail: "full"}
	for _, c := range []struct {
		what     string
		post     func()
		changed  bool
		troubled bool
	}{
		{"the gate", func() { b.SetGate(Gate{Lanes: []string{"in"}}) }, true, false},
		{"the county answers", func() { b.SetDelivery(Delivery{Linked: true}) }, true, false},
		{"the county still answers", func() { b.SetDelivery(Delivery{Linked: true}) }, false, false},
		{"the journal", func() { b.SetJournal(Journal{Pending: 3}) }, false, false},
		{"a condition", func() { b.Set(gone) }, false, true},
		{"the same condition", func() { b.Set(gone) }, false, false},
		{"records can't be kept", func() { b.Set(full) }, true, true},
		{"they can again", func() { b.Clear(fact.AlarmJournalWrite, "") }, true, true},
	} {
		c.post()
		changed, troubled := received(b.Changed()), received(b.Troubled())
		if changed != c.changed || troubled != c.troubled {
			t.Errorf("%s: changed %v, troubled %v", c.what, changed, troubled)
		}
	}
	if s := b.Snapshot(); !s.Delivery.Linked || s.Pending != 3 || !slices.Equal(s.Lanes, []string{"in"}) ||
		s.Unkept != "" {
		t.Errorf("%+v", s)
	}
}

// What an earlier run left counts until a part of this one has posted about it.
func TestAConditionOfAnEarlierRunGivesWay(t *testing.T) {
	b := NewBoard()
	damaged := Condition{Type: fact.AlarmJournalDamaged, Detail: "one range"}
	gone := Condition{Type: fact.AlarmDeviceGone, Device: "reader", Detail: "unplugged"}
	sold := Condition{Type: fact.AlarmDeviceGone, Device: "sold", Detail: "unplugged"}
	b.Clear(damaged.Type, "")
	for _, c := range []Condition{damaged, gone, sold} {
		b.Restore(c, true)
	}
	b.Forget(func(device string) bool { return device == "reader" })
	if got := b.Conditions(); len(got) != 1 || got["device-gone:reader"] != gone {
		t.Errorf("%+v", got)
	}
	b.Restore(gone, false) // a later record of the earlier run
	if got := b.Conditions(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAStuckPartIsFound(t *testing.T) {
	b, start := NewBoard(), clock.Moment{Boot: time.Hour}
	if b.Stuck(start) != nil {
		t.Error("nothing has started")
	}
	b.SetTurned("station", start)
	b.SetTurned("recorder", start)
	now := start.Add(StuckAfter)
	if s := b.Snapshot(); len(b.Stuck(now)) != 0 || s.Stuck(now) {
		t.Error("too early")
	}
	now = now.Add(time.Second)
	b.SetTurned("recorder", now)
	if s := b.Snapshot(); !slices.Equal(b.Stuck(now), []string{"station"}) || !s.Stuck(now) {
		t.Errorf("stuck: %v, turned %s", b.Stuck(now), s.Turned)
	}
}
