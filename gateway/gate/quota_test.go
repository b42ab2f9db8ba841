package gate

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// closed returns the rules of a compound where each household goes out once in two
// days, with two cards in each of two households.
func closed(t interface{ Fatal(...any) }) *policy.Rules {
	p, err := policy.Parse([]byte(`version: "2"
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}
classes:
  resident:
    fever: go-home
    directions: [in, out]
    windows: [{from: "06:00", until: "22:00", directions: [out]}]
    quota: {exits: 1, days: 2, per: household}
    anti_passback: hard
    amnesty: 12h
`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := policy.ParseRoster(p, strings.NewReader(`card,class,status,household,from,until
00000000A1,resident,active,1,,
00000000A2,resident,active,1,,
00000000B1,resident,active,2,,
00000000B2,resident,active,2,,2020-02-20
`), plain{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// day is a gate, its journal, and what has been read.
type day struct {
	rules    *policy.Rules
	gate     *Gate
	now      clock.Moment
	synced   bool
	seq      uint64
	readings []wire.Reading // as the journal has them
	passages []Earlier
}

func (d *day) restart() {
	d.gate = New(Config{Rules: d.rules, Zone: time.UTC, Lanes: []Lane{
		{Name: "1", Measures: true, Thermometers: []string{"t1"}, Readers: []string{"r1"}},
		{Name: "2", Measures: true, Thermometers: []string{"t2"}, Readers: []string{"r2"}}}})
	d.gate.SetSynchronised(d.now, d.synced)
	for _, e := range d.passages {
		d.gate.Remember(e)
	}
}

// observe gives the gate a reading, and keeps what it decides.
func (d *day) observe(r wire.Reading) (out []wire.Passage) {
	d.seq++
	d.readings = append(d.readings, r)
	for _, e := range d.gate.Observe(d.now, d.seq, r) {
		p := e.Passage
		out = append(out, p)
		d.passages = append(d.passages, Earlier{At: d.now.Wall, Synchronised: d.synced, Boot: d.now.Boot, Passage: &p})
	}
	return out
}

// come lets somebody tap and be measured.
func (d *day) come(lane, card string, way fact.Direction, screening fact.Temp) []wire.Passage {
	out := d.observe(wire.Reading{Device: "r" + lane, Type: fact.ReadingCard, Credential: card, Direction: way})
	return append(out, d.observe(wire.Reading{Device: "t" + lane, Type: fact.ReadingTemperature,
		Temperature: temperature(0, screening).t})...)
}

// exits returns how often each household went out on which days.
func (d *day) exits() map[string][]string {
	out := map[string][]string{}
	for _, e := range d.passages {
		if p := e.Passage; p.Verdict == fact.VerdictPass && p.Direction == fact.DirectionOut {
			out[p.Basis.Household] = append(out[p.Basis.Household], p.Basis.At.Format(time.DateOnly))
		}
	}
	return out
}

// Whoever taps at whichever lane, whenever the agent restarts: no household goes out
// more often than once in two days, at night nobody does, and nobody passes whose
// reading is not valid. While the clock is synchronised, the same decisions follow from
// a state that was never lost.
func TestAQuotaHoldsWhateverTheRestarts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &day{rules: closed(t), synced: true, now: clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC),
			Boot: time.Hour}}
		d.restart()
		never := &day{rules: d.rules, synced: true, now: d.now}
		never.restart()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			d.now = d.now.Add(time.Duration(rapid.IntRange(10, 8*3600).Draw(t, "seconds")) * time.Second)
			never.now = d.now
			lane := rapid.SampledFrom([]string{"1", "2"}).Draw(t, "lane")
			card := rapid.SampledFrom([]string{"A1", "A2", "B1", "B2", "E1"}).Draw(t, "card")
			way := rapid.SampledFrom([]fact.Direction{fact.DirectionIn, fact.DirectionOut}).Draw(t, "way")
			screening := fact.Temp(rapid.SampledFrom([]int{3390, 3650, 3650, 3650, 3840}).Draw(t, "screening"))
			if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				d.restart()
			}
			got, want := d.come(lane, card, way, screening), never.come(lane, card, way, screening)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("after restarts: %+v\nwithout:        %+v", got, want)
			}
			for _, p := range got {
				if p.Verdict == fact.VerdictPass && (card == "E1" || screening != 3650) {
					t.Fatalf("%s passes with %s", card, screening)
				}
			}
		}
		for household, days := range d.exits() {
			for i := 1; i < len(days); i++ {
				before, _ := time.Parse(time.DateOnly, days[i-1])
				if after, _ := time.Parse(time.DateOnly, days[i]); after.Sub(before) < 48*time.Hour {
					t.Fatalf("household %s went out on %v", household, days)
				}
			}
		}
	})
}

// The power was off for days and the clock has no battery: days are judged by the last
// known time, and every verdict says so.
func TestAnUnsynchronisedClockJudgesByTheLastKnownDay(t *testing.T) {
	d := &day{rules: closed(t), synced: true, now: clock.Moment{Wall: time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC),
		Boot: time.Hour}}
	d.restart()
	if p := d.come("1", "A1", "out", 3650); p[0].Verdict != fact.VerdictPass {
		t.Fatalf("%+v", p)
	}
	for i := range d.passages {
		d.passages[i].Boot = 0 // of an earlier boot
	}
	d.synced, d.now = false, clock.Moment{Wall: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), Boot: 90 * time.Second}
	d.restart()
	p := d.come("1", "A2", "out", 3650)
	if got := p[0].Reasons; !slices.Equal(got, []fact.Reason{fact.ReasonQuota, fact.ReasonClockUnknown}) {
		t.Errorf("the household on the same day: %v", got)
	}
	p = d.come("1", "B2", "out", 3650)
	last := p[len(p)-1]
	if last.Verdict != fact.VerdictPass || last.Basis.At.Format(time.DateTime) != "2020-02-14 08:01:30" ||
		!slices.Contains(last.Reasons, fact.ReasonClockUnknown) {
		t.Errorf("another household: %+v, judged at %s", last, last.Basis.At)
	}
	d.now = d.now.Add(24 * time.Hour)
	d.restart() // the same boot: it has counted a day
	if p := d.come("1", "B1", "out", 3650); p[0].Basis.At.Format(time.DateOnly) != "2020-02-15" {
		t.Errorf("a day later it is %s", p[0].Basis.At)
	}
	d.synced, d.now.Wall = true, time.Date(2020, 2, 18, 8, 0, 0, 0, time.UTC)
	d.gate.SetSynchronised(d.now, true)
	if p := d.come("1", "A2", "out", 3650); p[0].Verdict != fact.VerdictPass || len(p[0].Reasons) != 1 {
		t.Errorf("with the right time: %+v", p)
	}
}

// Two of a household tap in two lanes at once.
func TestTwoLanesDoNotShareOneExit(t *testing.T) {
	d := &day{rules: closed(t), synced: true, now: clock.Moment{Wall: time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC),
		Boot: time.Hour}}
	d.restart()
	tap := func(lane, card string) []wire.Passage {
		return d.observe(wire.Reading{Device: "r" + lane, Type: fact.ReadingCard, Credential: card, Direction: "out"})
	}
	measure := func(lane string) []wire.Passage {
		return d.observe(wire.Reading{Device: "t" + lane, Type: fact.ReadingTemperature,
			Temperature: temperature(0, 3650).t})
	}
	if p := append(tap("1", "A1"), tap("2", "A2")...); len(p) != 0 {
		t.Fatalf("both may still go: %+v", p)
	}
	if a, b := measure("1"), measure("2"); a[0].Verdict != fact.VerdictPass || b[0].Reasons[0] != fact.ReasonQuota {
		t.Errorf("%+v\n%+v", a, b)
	}
}

// A record of a clock that was wrong counts on the day by which it was judged, one that
// was not judged by a time counts when it was written.
func TestAnEarlierPassageCountsOnTheDayItWasJudged(t *testing.T) {
	morning := time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
	judged := wire.At(morning)
	for name, e := range map[string]Earlier{
		"judged": {At: morning.Add(-50 * 365 * 24 * time.Hour),
			Passage: &wire.Passage{Basis: &wire.Basis{At: &judged}}},
		"not judged": {At: morning, Passage: &wire.Passage{Basis: &wire.Basis{}}},
		"no basis":   {At: morning, Passage: &wire.Passage{}},
	} {
		e.Passage.Verdict, e.Passage.Direction, e.Passage.Credential = fact.VerdictPass, "out", "A1"
		e.Passage.Readings = []uint64{1}
		d := &day{rules: closed(t), synced: true, seq: 10,
			now: clock.Moment{Wall: morning.Add(time.Hour), Boot: time.Hour}}
		d.restart()
		d.gate.Remember(e)
		if p := d.come("1", "A2", "out", 3650); p[0].Reasons[0] != fact.ReasonQuota {
			t.Errorf("%s: the household goes out again: %+v", name, p)
		}
		if p := d.come("2", "B1", "out", 3650); p[len(p)-1].Verdict != fact.VerdictPass {
			t.Errorf("%s: another household: %+v", name, p)
		}
	}
}
