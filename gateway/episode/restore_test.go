package episode

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// record returns the passage of a step, as the journal holds it.
func record(at clock.Moment, e Episode, s fact.EpisodeStep, p Person, readings ...uint64) Record {
	return Record{At: at, ThisBoot: true, Sure: true, Person: p, Readings: readings, Step: e.Wire(at, s)}
}

func restored(r policy.Episode, records ...Record) *Book {
	b := New(r)
	for _, x := range records {
		b.Take(x)
	}
	return b
}

func TestARestartChangesNothing(t *testing.T) {
	b := opened(t, rules, alone)
	var records []Record
	judge := func(d time.Duration, p Person, e Evidence) {
		x, s, _ := b.Judge(after(d), "e1", p, e)
		records = append(records, record(after(d), x, s, p, e.Reading))
		if got := restored(rules, records...); !reflect.DeepEqual(got.All(), b.All()) {
			t.Errorf("after %s: %+v, want %+v", s, got.All(), b.All())
		}
	}
	judge(time.Second, alone, at(1, Fever, 38_60))
	judge(2*time.Second, wang, at(1, Fever, 38_60))
	judge(time.Minute, wang, at(2, Normal, 36_60))
	judge(12*time.Minute, wang, at(3, Unjudged, 33_60))
	judge(13*time.Minute, wang, at(4, Normal, 36_60))
	judge(14*time.Minute, wang, at(5, Unjudged, 33_60))
	judge(15*time.Minute, wang, at(6, Fever, 38_60))
	judge(16*time.Minute, wang, at(7, Normal, 36_60))
	judge(17*time.Minute, wang, contact(at(8, Normal, 36_60)))
	if len(b.All()) > 0 {
		t.Error(b.All())
	}
}

// The journal's last records go through the gate again: what came first comes once more.
func TestARecordMayComeTwice(t *testing.T) {
	b := opened(t, rules, wang)
	x, _ := b.Of("wang")
	first := record(after(0), x, fact.EpisodeOpened, wang, 1)
	cleared := record(after(time.Minute), x, fact.EpisodeCleared, wang, 2)
	if got := restored(rules, first, cleared, first, cleared).All(); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestAPassageOfAnotherEpisodeWithdrawsItsReadings(t *testing.T) {
	b := opened(t, rules, wang)
	x, _ := b.Of("wang")
	y, s, _ := b.Judge(after(time.Minute), "", alone, at(4, Fever, 38_30))
	records := []Record{record(after(0), x, fact.EpisodeOpened, wang, 1), record(after(time.Minute), y, s, alone, 4)}
	z, s, _ := b.Judge(after(time.Minute), "", wang, at(4, Fever, 38_30))
	records = append(records, record(after(time.Minute), z, s, wang, 4, 5))
	if got := restored(rules, records...); !reflect.DeepEqual(got.All(), b.All()) || len(got.All()) != 1 {
		t.Errorf("%+v", got.All())
	}
	mixed := Record{At: after(time.Minute), ThisBoot: true, Readings: []uint64{1, 9}}
	if got := restored(rules, append(records, mixed)...).All(); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

// The computer was off for five minutes: by the wall clock the wait goes on.
func TestAcrossABootTheWallClockCounts(t *testing.T) {
	b := opened(t, rules, wang)
	x, _ := b.Of("wang")
	old := record(after(time.Minute), x, fact.EpisodeEarly, wang, 2)
	old.ThisBoot = false
	now := clock.Moment{Wall: start.Add(6 * time.Minute), Boot: time.Minute}
	const soon, ends = 5 * time.Minute, 115 * time.Minute // 10 minutes and 2 hours after the first reading
	const anew, late = 11 * time.Minute, 121 * time.Minute
	for name, c := range map[string]struct {
		before, now  bool
		ready, until time.Duration
	}{
		"both are right":      {true, true, soon, ends},
		"it was not right":    {false, true, anew, late},
		"it is not right now": {true, false, anew, late},
	} {
		old.Sure = c.before
		b := restored(rules, old)
		if un := b.Lapse(clock.Moment{Boot: 100 * time.Hour}); len(un) > 0 {
			t.Errorf("%s: it ends before its time is known", name)
		}
		b.Carry(now, c.now)
		e, _ := b.Of("wang")
		if e.Ready != c.ready || e.Until != c.until || e.Since != start || e.First != 38_40 {
			t.Errorf("%s: ready %s, until %s, %+v", name, e.Ready, e.Until, e)
		}
		b.Carry(now.Add(time.Minute), c.now) // a minute later nothing has changed
		if again, _ := b.Of("wang"); again.Ready != c.ready || again.Until != c.until {
			t.Errorf("%s: then ready %s, until %s", name, again.Ready, again.Until)
		}
	}
}

func TestTheClockThatBecomesRightShortensTheWait(t *testing.T) {
	b := opened(t, rules, wang)
	x, _ := b.Of("wang")
	old := record(after(0), x, fact.EpisodeOpened, wang, 1)
	old.ThisBoot = false
	b = restored(rules, old)
	b.Carry(clock.Moment{Boot: time.Minute}, false)
	// A tap is recorded in this boot, then NTP answers.
	e, _ := b.Of("wang")
	b.Take(record(clock.Moment{Boot: 2 * time.Minute}, e, fact.EpisodeEarly, wang, 3))
	if e, _ = b.Of("wang"); e.Ready != 11*time.Minute {
		t.Errorf("ready %s", e.Ready)
	}
	if un := b.Lapse(clock.Moment{Boot: 121*time.Minute - 1}); len(un) > 0 {
		t.Error("it ends too early")
	}
	b.Carry(clock.Moment{Wall: start.Add(8 * time.Minute), Boot: 3 * time.Minute}, true)
	if e, _ = b.Of("wang"); e.Ready != 5*time.Minute || e.Until != 115*time.Minute {
		t.Errorf("ready %s until %s", e.Ready, e.Until)
	}
	if un := b.Lapse(clock.Moment{Boot: 115 * time.Minute}); len(un) != 1 {
		t.Error("it does not end")
	}
}

// A clock that is wrong although it claims to be right keeps nobody longer than the
// rules.
func TestNobodyWaitsLongerThanTheRulesSay(t *testing.T) {
	b := opened(t, rules, wang)
	x, _ := b.Of("wang")
	old := record(after(0), x, fact.EpisodeOpened, wang, 1)
	shorter := policy.Episode{Wait: time.Minute, Expires: time.Hour}
	e := restored(shorter, old).All()[0]
	if e.Ready != time.Hour+time.Minute || e.Until != 2*time.Hour {
		t.Errorf("ready %s, until %s", e.Ready, e.Until)
	}
	old.ThisBoot = false
	b = restored(rules, old)
	b.Carry(clock.Moment{Wall: start.AddDate(-1, 0, 0), Boot: time.Minute}, true)
	if e = b.All()[0]; e.Ready != 11*time.Minute || e.Until != 121*time.Minute {
		t.Errorf("ready %s, until %s", e.Ready, e.Until)
	}
}

func TestCarriedEpisodesStayInTheirOrder(t *testing.T) {
	b := opened(t, rules, wang)
	first, _ := b.Of("wang")
	second, s, _ := b.Judge(after(time.Minute), "", alone, at(12, Fever, 38_00))
	b = restored(rules, record(after(time.Minute), second, s, alone, 12),
		record(after(2*time.Minute), first, fact.EpisodeEarly, wang, 13))
	b.Carry(after(3*time.Minute), true)
	if all := b.All(); len(all) != 2 || all[0].ID != "e1" || all[1].ID != "e12" {
		t.Errorf("%+v", all)
	}
}

// Whatever is measured in whatever order, and wherever the agent starts again: the book
// is the same, nobody is cleared by a value that can't clear them, and all ends.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := with(rapid.SampledFrom([]policy.Second{"", policy.SecondAny, policy.SecondOther,
			policy.SecondContact}).Draw(t, "second"))
		b := New(r)
		now := after(0)
		var records []Record
		people := []Person{alone, wang, {Credential: "zhao"}, {Credential: "sun", Lane: "west"}}
		for seq := range uint64(rapid.IntRange(1, 40).Draw(t, "measurements")) {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(15*time.Minute)).Draw(t, "pause")))
			for _, e := range b.Lapse(now) {
				records = append(records, Record{Readings: []uint64{wire.EpisodeReading(e.ID)}}) // the alarm's
			}
			p := rapid.SampledFrom(people).Draw(t, "who")
			ev := at(seq+1, rapid.SampledFrom([]Finding{Unjudged, Normal, High, Fever}).Draw(t, "finding"), 37_00)
			switch rapid.IntRange(0, 2).Draw(t, "with") {
			case 1:
				ev = other(ev)
			case 2:
				ev = contact(ev)
			}
			picked := ""
			if all := b.All(); len(all) > 0 && p == alone && rapid.Bool().Draw(t, "picked") {
				picked = rapid.SampledFrom(all).Draw(t, "of").ID
			}
			before, was := b.Of(p.Credential)
			if picked != "" {
				before, was = b.Find(picked)
			}
			e, s, _ := b.Judge(now, picked, p, ev)
			if s == fact.EpisodeCleared && (!was || ev.Finding < Normal || ev.Finding == Fever ||
				!ev.Contact && (before.State == fact.EpisodeConfirmed || now.Boot < before.Ready ||
					r.Second == policy.SecondContact || r.Second != policy.SecondAny && ev.With == before.With)) {
				t.Fatalf("%+v is cleared by %+v", before, ev)
			}
			if was && s == "" {
				t.Fatalf("%+v is forgotten", before)
			}
			if s != "" {
				records = append(records, record(now, e, s, p, seq+1))
			}
			if got, want := restored(r, records...).All(), b.All(); !slices.EqualFunc(got, want, same) {
				t.Fatalf("restored %+v, want %+v", got, want)
			}
		}
		if b.Lapse(now.Add(r.Expires)); len(b.All()) > 0 {
			t.Fatalf("%+v does not end", b.All())
		}
	})
}

func same(a, b Episode) bool { return reflect.DeepEqual(a, b) }
