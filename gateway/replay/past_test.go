package replay

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// thirty are rules that look back for 30 days, and more.
func thirty(t interface{ Fatal(...any) }, more string) *policy.Rules {
	p, err := policy.Parse([]byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n" +
		"classes:\n  resident: {fever: go-home, directions: [in, out], anti_passback: hard, amnesty: 8h,\n" +
		"    quota: {exits: 9, days: 30, per: household}}\n" + more))
	if err != nil {
		t.Fatal(err)
	}
	r, err := policy.ParseRoster(p, strings.NewReader("card,class,status,household,from,until\n"+
		"code:A,resident,active,1,,\ncode:B,resident,active,1,,\ncode:C,resident,active,2,,\n"), asTheyAre{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var county = time.FixedZone("CST", 8*60*60)

// stay is a gate's past on the way through days, restarts and wrong clocks.
type stay struct {
	t      *rapid.T
	now    clock.Moment
	boot   int
	unsync bool
	seq    uint64
	last   []uint64 // readings of the newest passage
}

// next lets something happen, and returns the record of it.
func (s *stay) next() passed {
	s.now = s.now.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 7 * time.Hour,
		26 * time.Hour}).Draw(s.t, "passes"))
	switch rapid.IntRange(0, 12).Draw(s.t, "what") {
	case 0:
		s.boot++
		s.now.Boot = time.Minute
		s.unsync = rapid.Bool().Draw(s.t, "unsync")
	case 1:
		s.now.Wall = s.now.Wall.Add(rapid.SampledFrom([]time.Duration{-48 * time.Hour, -2 * time.Hour, 90 * time.Hour}).
			Draw(s.t, "set"))
	}
	e := passed{bootID: fmt.Sprint(s.boot), Earlier: gate.Earlier{At: s.now.Wall, Boot: s.now.Boot,
		Synchronised: !s.unsync}}
	if rapid.IntRange(0, 9).Draw(s.t, "clock") == 0 {
		return e
	}
	s.seq++
	p := &wire.Passage{Verdict: rapid.SampledFrom([]fact.Verdict{fact.VerdictPass, fact.VerdictPass,
		fact.VerdictRefuse, fact.VerdictFever}).Draw(s.t, "verdict"),
		Direction:  rapid.SampledFrom([]fact.Direction{fact.DirectionIn, fact.DirectionOut}).Draw(s.t, "way"),
		Credential: rapid.SampledFrom([]string{"code/A", "code/B", "code/C"}).Draw(s.t, "card"),
		Class:      "resident", Readings: []uint64{s.seq}}
	p.Credential = strings.TrimPrefix(p.Credential, "code/")
	if rapid.IntRange(0, 5).Draw(s.t, "amends") == 0 {
		p.Readings = append(p.Readings, s.last...)
	}
	s.last, e.Passage = p.Readings, p
	return e
}

// What is kept of a long past, and what of it is only counted, decides as all of it would.
func TestWhatIsForgottenDecidesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := thirty(t, rapid.SampledFrom([]string{"", "episode: {wait: 1m, expires: 2h}\n",
			"unsynchronised: own-clock\n"}).Draw(t, "more"))
		cfg := gate.Config{Rules: r, Zone: county, Lanes: []gate.Lane{{Readers: []string{"reader"}}}}
		s := stay{t: t, now: clock.Moment{Wall: time.Date(2020, 2, 1, 8, 0, 0, 0, county), Boot: time.Hour}}
		p := emptyPast(r, 4)
		var all []passed
		for range rapid.IntRange(1, 80).Draw(t, "records") {
			e := s.next()
			all = append(all, e)
			p.keep(e)
			p.pruneAt = min(p.pruneAt, len(p.kept)+rapid.IntRange(1, 5).Draw(t, "more"))
		}
		if rapid.Bool().Draw(t, "reboot") {
			s.boot++
			s.now.Boot = time.Minute
		}
		bootID := fmt.Sprint(s.boot)
		whole, kept := gate.New(cfg), gate.New(cfg)
		for _, e := range all {
			if e.bootID != bootID {
				e.Boot = 0
			}
			whole.Remember(e.Earlier)
		}
		p.restore(kept, bootID, s.now.Boot)
		for _, g := range []*gate.Gate{whole, kept} {
			g.SetSynchronised(s.now, !s.unsync)
		}
		for i, card := range []string{"A", "B", "C", "A", "B", "C"} {
			way := []fact.Direction{fact.DirectionOut, fact.DirectionIn}[i/3]
			s.now = s.now.Add(rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Hour}).Draw(t, "then"))
			tap := wire.Reading{Device: "reader", Type: fact.ReadingCard, Credential: card, Direction: way}
			seq := s.seq + uint64(i) + 1
			want, got := whole.Observe(s.now, seq, tap), kept.Observe(s.now, seq, tap)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s goes %s: %+v, want %+v", card, way, got, want)
			}
		}
	})
}

// What a gate needs of a past of months is as large as its people and days, not as the past.
func TestALongPastIsNotKept(t *testing.T) {
	p := emptyPast(thirty(t, ""), pruneLeast)
	now := clock.Moment{Wall: time.Date(2020, 2, 1, 8, 0, 0, 0, county), Boot: time.Hour}
	for seq := range uint64(100_000) {
		now = now.Add(time.Minute)
		p.keep(passed{bootID: "b", Earlier: gate.Earlier{At: now.Wall, Boot: now.Boot, Synchronised: true,
			Passage: &wire.Passage{Verdict: fact.VerdictPass, Credential: "A", Readings: []uint64{seq}}}})
		p.keep(passed{bootID: "b", Earlier: gate.Earlier{At: now.Wall, Boot: now.Boot},
			body: &wire.Reading{Device: "thermometer", BootID: "b", BootNS: int64(now.Boot)}})
		p.keep(passed{bootID: "b", Earlier: gate.Earlier{At: now.Wall, Boot: now.Boot},
			body: &wire.Baseline{Device: "thermometer", Ambient: fact.Temp(seq % 3)}})
		if most := 3 * 2 * 60 * 48; len(p.kept) > 2*most {
			t.Fatalf("%d records are kept after %d minutes", len(p.kept), seq)
		}
	}
	passages := 0
	for _, e := range p.kept {
		if e.body == nil {
			passages++
		}
	}
	if most := 60 * 48; passages > 2*most {
		t.Errorf("%d passages are kept", passages)
	}
}

// emptyPast is a past by some rules, of which nothing is looked at for its age before so many
// records are kept.
func emptyPast(r *policy.Rules, pruneAt int) past {
	return past{rules: r, zone: county, pruneAt: pruneAt, old: memories(Config{Rules: r})}
}
