package replay

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// recordAt returns a record of some milliseconds after the boot.
func recordAt(seq uint64, ms int64) wire.Record {
	return wire.Record{Seq: seq, BootNS: ms * int64(time.Millisecond)}
}

// boots are the boot clocks of items in milliseconds; those of people who come have a C.
func boots(items []item) (out []string) {
	for _, x := range items {
		s := fmt.Sprint(x.boot.Milliseconds())
		if x.body == nil {
			s += "C" + x.device
		}
		out = append(out, s)
	}
	return out
}

// A record waits until no measurement that began before it can end.
func TestRecordsWaitForWhoHadComeBefore(t *testing.T) {
	measured := func(ms, took int64) *wire.Reading {
		return &wire.Reading{Device: "t", BootNS: ms * int64(time.Millisecond),
			Temperature: &wire.Temperature{DurationMS: took}}
	}
	var q queue
	for i, c := range []struct {
		ms   int64
		body wire.Body
		want []string
	}{
		{1000, &wire.Health{}, nil},
		{2000, &wire.Health{}, nil},
		{3000, measured(3000, 1000), nil}, // came with the record before: after it
		{9000, &wire.Health{}, nil},
		{9001, &wire.Clock{}, []string{"1000"}},
		{10_000, measured(10_000, 5000), nil}, // came at 5000
		{10_001, &wire.Clock{}, []string{"2000", "2000Ct"}},
		{12_000, &wire.Clock{Reason: "start"}, []string{"3000", "5000Ct", "9000", "9001", "10000", "10001", "12000"}},
		{20_000, &wire.Clock{}, nil},
	} {
		if got := boots(q.add(recordAt(uint64(i), c.ms), c.body)); !slices.Equal(got, c.want) {
			t.Errorf("record %d: %q, want %q", i, got, c.want)
		}
	}
	if got := boots(q.rest()); !slices.Equal(got, []string{"20000"}) || len(q.rest()) != 0 {
		t.Errorf("%q are left", got)
	}
	for i := range queueMost + 3 {
		out := q.add(recordAt(uint64(i), 1), &wire.Health{})
		if want := max(0, min(1, i+1-queueMost)); len(out) != want {
			t.Fatalf("%d come out after %d at one time, want %d", len(out), i+1, want)
		}
	}
}

func TestTimesThatAreNear(t *testing.T) {
	at := func(d time.Duration) *wire.Time {
		x := wire.At(time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC).Add(d))
		return &x
	}
	for _, c := range []struct {
		a, b *wire.Time
		want bool
	}{{nil, nil, true}, {at(0), nil, false}, {nil, at(0), false}, {at(0), at(0), true},
		{at(0), at(2 * time.Second), true}, {at(2 * time.Second), at(0), true},
		{at(0), at(2*time.Second + 1), false}} {
		if got := near(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: %v", c.a, c.b, got)
		}
	}
}

// Of many readings the oldest are forgotten: of those it is not known whether they are missing.
func TestWhichReadingIsMissing(t *testing.T) {
	var p pending
	for seq := uint64(2); seq <= 2*seenMost; seq += 2 {
		p.seen(seq)
	}
	if p.forgotten != 0 || p.missing([]uint64{2, 4}) != 0 || p.missing([]uint64{2, 3}) != 3 {
		t.Errorf("forgotten up to %d", p.forgotten)
	}
	p.seen(2*seenMost + 2)
	for seq, want := range map[uint64]uint64{1: 0, 2: 0, 3: 3, 4: 0, 2*seenMost + 2: 0,
		2*seenMost + 3: 2*seenMost + 3} {
		if got := p.missing([]uint64{seq}); got != want {
			t.Errorf("%d: missing %d, want %d", seq, got, want)
		}
	}
}

// A verdict waits three minutes for its counterpart, and a minute when the agent has ended.
func TestHowLongAVerdictWaits(t *testing.T) {
	for name, c := range map[string]struct {
		cut  bool
		boot time.Duration // after it, or after the start
		want bool
	}{
		"waits": {false, patience, false}, "too long": {false, patience + 1, true},
		"ended": {true, window, false}, "ended long ago": {true, window + 1, true}, "another boot": {true, -1, true},
		"just started": {true, 0, false},
	} {
		for _, recorded := range []bool{true, false} {
			var p pending
			passage := &wire.Passage{Readings: []uint64{1}}
			at := clock.Moment{Boot: time.Hour}
			if recorded {
				p.was(item{rec: wire.Record{Seq: 7, BootNS: int64(at.Boot)}, boot: at.Boot}, passage)
			} else {
				p.is(at, passage)
			}
			if c.cut {
				p.cut(at.Boot)
				p.cut(2 * at.Boot) // it had ended before
			}
			out := p.due(at.Boot + c.boot)
			if len(out) == 1 != c.want {
				t.Errorf("%s: %+v", name, out)
			}
		}
	}
}

func TestTooManyVerdictsDoNotWait(t *testing.T) {
	for _, recorded := range []bool{true, false} {
		var p pending
		for i := range uint64(pendingMost + 1) {
			if out := p.due(0); len(out) != 0 {
				t.Fatalf("%d verdicts wait: %d come out", i, len(out))
			}
			passage := &wire.Passage{Readings: []uint64{i + 1}}
			if recorded {
				p.was(item{rec: wire.Record{Seq: i + 1}}, passage)
			} else {
				p.is(clock.Moment{}, passage)
			}
		}
		if out := p.due(0); len(out) != pendingMost+1 {
			t.Errorf("recorded %v: %d come out", recorded, len(out))
		}
	}
}

// A survey learns the lanes of each run, from what was read and which devices there were.
func TestASurveyFindsTheLanesOfEachRun(t *testing.T) {
	var s Survey
	for seq, body := range []wire.Body{
		&wire.Reading{Type: fact.ReadingCard, Device: "r", Lane: "east"},
		&wire.Clock{Reason: "start"},
		&wire.Health{Device: "t", Model: "mlx90614"},
		&wire.Health{Device: "s", Model: "qr-scanner"},
		&wire.Health{Device: "r2", Model: "rdm6300"},
		&wire.Health{Device: "x", Model: "no such model"},
		&wire.Passage{Lane: "east", Reasons: []fact.Reason{fact.ReasonNoThermometer}},
		&wire.Passage{Lane: "yard", Reasons: []fact.Reason{fact.ReasonNoReader}},
		&wire.Clock{Reason: "synchronised"},
		&wire.Clock{Reason: "start"},
		&wire.Reading{Type: fact.ReadingTemperature, Device: "t", Lane: "east"},
		&wire.Reading{Type: fact.ReadingCode, Device: "s", Lane: "west"},
		&wire.Passage{Lane: "west", Reasons: []fact.Reason{fact.ReasonNotMeasured}},
		&wire.Passage{Lane: "yard", Reasons: []fact.Reason{fact.ReasonNoReader}},
		&wire.Health{Device: "r2", Model: "rdm6300"},
	} {
		s.Take(wire.Record{Seq: uint64(seq)}, body)
	}
	if n := len(s.Runs()); n != 3 {
		t.Fatalf("%d runs", n)
	}
	for seq, want := range map[uint64]string{
		0: "east true [(no record of it) thermometer east] [r]",
		1: "east true [t] [r]; yard true [(no record of it) thermometer yard] [s r2]",
		8: "east true [t] [r]; yard true [(no record of it) thermometer yard] [s r2]",
		9: "east true [t] [r]; yard true [(no record of it) thermometer yard] [r2]; " +
			"west false [(no record of it) thermometer west] [s]",
	} {
		got := ""
		for i, l := range runOf(s.Runs(), seq).lanes() {
			if i > 0 {
				got += "; "
			}
			got += fmt.Sprint(l.Name, " ", l.Measures, " ", l.Thermometers, " ", l.Readers)
		}
		if got != want {
			t.Errorf("seq %d: %s, want %s", seq, got, want)
		}
	}
	if l := runOf(nil, 5).lanes(); len(l) != 1 || !l[0].Measures {
		t.Errorf("without records: %+v", l)
	}
	if later := runOf([]Run{{From: 9}}, 5); later.From != 9 {
		t.Errorf("before the first start: %+v", later)
	}
}

// What holds until another record says otherwise is kept however old it is; the rest for two
// days.
func TestWhatIsKeptOfThePast(t *testing.T) {
	alarm := func(device string, kind fact.AlarmType) wire.Body { return &wire.Alarm{Type: kind, Device: device} }
	p := emptyPast(thirty(t, ""), 1000)
	day := func(n int, body wire.Body) passed {
		return passed{bootID: "b", body: body, Earlier: gate.Earlier{Boot: time.Duration(n) * 24 * time.Hour,
			Passage: nil}}
	}
	for n, body := range []wire.Body{alarm("t", fact.AlarmDeviceDoubtful), alarm("u", fact.AlarmDeviceDoubtful),
		alarm("t", fact.AlarmDeviceDoubtful), &wire.FieldCheck{Device: "t"}, &wire.Baseline{Device: "t", Ambient: 2000},
		&wire.Baseline{Device: "t", Ambient: 2500}, &wire.Baseline{Device: "t", Ambient: 2000},
		alarm("e2", fact.AlarmUnresolved), &wire.Reading{}, &wire.Reading{}, &wire.Reading{}} {
		p.keep(day(n, body))
	}
	p.prune(p.kept[len(p.kept)-1])
	var days []int
	for _, e := range p.kept {
		days = append(days, int(e.Boot/(24*time.Hour)))
	}
	if want := []int{1, 2, 3, 5, 6, 8, 9, 10}; !slices.Equal(days, want) {
		t.Errorf("the days %v are kept, want %v", days, want)
	}
	p = emptyPast(thirty(t, "episode: {wait: 1m, expires: 2h}\n"), 1000)
	start := time.Date(2020, 2, 14, 8, 0, 0, 0, county)
	for _, minutes := range []int{0, 60, 119, 120, 300} {
		passage := &wire.Passage{Verdict: fact.VerdictPass}
		p.keep(passed{bootID: "b", Earlier: gate.Earlier{At: start, Boot: time.Duration(minutes) * time.Minute,
			Passage: passage}})
	}
	p.prune(p.kept[len(p.kept)-1])
	if len(p.kept) != 2 || p.kept[0].Boot != 2*time.Hour {
		t.Errorf("%d passages are kept: %+v", len(p.kept), p.kept)
	}
}

// The age of a record is by the boot clock where that is the same, else by the wall clock.
func TestTheAgeOfARecord(t *testing.T) {
	start := time.Date(2020, 2, 14, 8, 0, 0, 0, county)
	now := passed{bootID: "b", Earlier: gate.Earlier{At: start, Boot: time.Hour}}
	for name, c := range map[string]struct {
		e    passed
		want time.Duration
	}{
		"the same boot": {passed{bootID: "b", Earlier: gate.Earlier{At: start.Add(-5 * time.Hour),
			Boot: 50 * time.Minute}}, 10 * time.Minute},
		"another boot": {passed{bootID: "a", Earlier: gate.Earlier{At: start.Add(-5 * time.Hour), Boot: time.Minute}},
			5 * time.Hour},
		"itself": {now, 0},
		"of a later time": {passed{bootID: "a", Earlier: gate.Earlier{At: start.Add(time.Second)}},
			1<<63 - 1},
	} {
		if got := c.e.age(now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
