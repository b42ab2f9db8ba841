package replay

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// The last known time goes on with the boot clock of the boot in which it was known, and
// stands still over a boot.
func TestTheTimeOfAForgottenRecord(t *testing.T) {
	start := time.Date(2020, 2, 14, 8, 0, 0, 0, county)
	record := func(boot string, at, since time.Duration, sure bool) passed {
		return passed{bootID: boot, Earlier: gate.Earlier{At: start.Add(at), Boot: since, Synchronised: sure}}
	}
	for name, c := range map[string]struct {
		records []passed
		boot    string
		now     time.Duration
		want    time.Duration // after start
	}{
		"the same boot": {[]passed{record("a", 0, time.Hour, true)}, "a", 4 * time.Hour, 3 * time.Hour},
		"another boot":  {[]passed{record("a", 0, time.Hour, true)}, "b", time.Minute, time.Minute},
		"known in it": {[]passed{record("a", 0, time.Hour, true), record("b", 9*time.Hour, 2*time.Hour, true)}, "b",
			5 * time.Hour, 12 * time.Hour},
		"known before it": {[]passed{record("a", 0, time.Hour, true), record("b", 9*time.Hour, 2*time.Hour, false)},
			"b", 5 * time.Hour, 5 * time.Hour},
	} {
		r := thirty(t, "")
		p := emptyPast(r, 0)
		for _, e := range c.records {
			p.remember(e)
		}
		g := gate.New(gate.Config{Rules: r, Zone: county, Lanes: []gate.Lane{{Readers: []string{"reader"}}}})
		p.restore(g, c.boot, c.now)
		now := clock.Moment{Wall: start.AddDate(-1, 0, 0), Boot: c.now}
		g.SetSynchronised(now, false)
		events := g.Observe(now, 1, wire.Reading{Device: "reader", Type: fact.ReadingCard, Credential: "A",
			Direction: fact.DirectionOut})
		if len(events) != 1 || !events[0].Passage.Basis.At.Equal(start.Add(c.want)) {
			t.Errorf("%s: %+v", name, events)
		}
	}
	if got := Reach(thirty(t, "")); got != 32*24*time.Hour {
		t.Errorf("it reaches back for %s", got)
	}
}

// An agent whose rules do not look back reads no passages when it starts, only starts.
func TestRulesThatDoNotLookBackKnowTheTimeOfStarts(t *testing.T) {
	p, err := policy.Parse([]byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n" +
		"classes: {resident: {fever: go-home, directions: [in, out]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := policy.ParseRoster(p, strings.NewReader("card,class,status,household,from,until\n"+
		"code:A,resident,active,,2020-02-01,2020-12-31\n"), asTheyAre{})
	if err != nil || r.Reach() != 0 {
		t.Fatal(err, r.Reach())
	}
	start := time.Date(2020, 2, 14, 8, 0, 0, 0, county)
	for _, forgotten := range []bool{true, false} {
		x := emptyPast(r, 100)
		for _, e := range []passed{{bootID: "a", Earlier: gate.Earlier{At: start, Boot: time.Hour, Synchronised: true}},
			{bootID: "a", Earlier: gate.Earlier{At: start.Add(5 * time.Hour), Boot: 6 * time.Hour, Synchronised: true,
				Passage: &wire.Passage{Verdict: fact.VerdictPass, Credential: "A", Readings: []uint64{1}}}}} {
			if forgotten {
				x.remember(e)
			} else {
				x.keep(e)
			}
		}
		g := gate.New(gate.Config{Rules: r, Zone: county, Lanes: []gate.Lane{{Readers: []string{"reader"}}}})
		if recent := x.restore(g, "a", 7*time.Hour); len(recent) == 1 == forgotten {
			t.Errorf("forgotten %v: %d passages of this boot", forgotten, len(recent))
		}
		now := clock.Moment{Wall: start.AddDate(-1, 0, 0), Boot: 7 * time.Hour}
		g.SetSynchronised(now, false)
		events := g.Observe(now, 1, wire.Reading{Device: "reader", Type: fact.ReadingCard, Credential: "A",
			Direction: fact.DirectionOut})
		if len(events) != 1 || !events[0].Passage.Basis.At.Equal(start.Add(6*time.Hour)) {
			t.Errorf("forgotten %v: %+v", forgotten, events)
		}
	}
}

// What records say of a card: the newest one counts.
func TestWhatIsKnownOfACard(t *testing.T) {
	passage := func(v fact.Verdict, rule string, reasons ...fact.Reason) *wire.Passage {
		return &wire.Passage{Verdict: v, Reasons: reasons, Credential: "A", Class: "resident",
			Basis: &wire.Basis{Rule: rule}}
	}
	for name, c := range map[string]struct {
		p    *wire.Passage
		want string
	}{
		"passed":             {passage(fact.VerdictPass, "classes.resident"), "active"},
		"lost":               {passage(fact.VerdictRefuse, "lost.pass", fact.ReasonLostCard), "lost"},
		"sealed":             {passage(fact.VerdictRefuse, "sealed", fact.ReasonSealed), "sealed"},
		"came home":          {passage(fact.VerdictPass, "sealed.in", fact.ReasonSealedEntry), "sealed"},
		"with a fever":       {passage(fact.VerdictFever, "sealed.in", fact.ReasonSealedEntry), "active"},
		"a declared opening": {passage(fact.VerdictPass, "sealed.openings", fact.ReasonOpening), "sealed"},
	} {
		var people People
		people.Take(passage(fact.VerdictRefuse, "lost.pass", fact.ReasonLostCard))
		people.Take(c.p)
		if got := string(people.cards["A"].status); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	quota := thirty(t, "").Policy
	for text, want := range map[string]bool{"roster.until 0": true, "roster.uses 2": true, "roster.status 0": false,
		"classes.resident 0": false, "classes.resident 2": false, "pass.until 0": false, "classes.visitor 2": true,
		"classes.visitor 0": false} {
		rule, times, _ := strings.Cut(text, " ")
		p := &wire.Passage{Class: strings.TrimPrefix(rule, "classes."), Basis: &wire.Basis{Rule: rule}}
		if _, err := fmt.Sscan(times, &p.Basis.Times); err != nil {
			t.Fatal(err)
		}
		if p.Basis.Rule == "pass.until" {
			p.Basis.Pass = "01"
		}
		if got := byRoster(quota, p); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// Readings of the last minute go through the gate again after a restart; others only count
// for what is usual.
func TestWhichReadingsGoThroughTheGateAgain(t *testing.T) {
	g := gate.New(gate.Config{Rules: thirty(t, ""), Zone: county, Lanes: []gate.Lane{{Thermometers: []string{"t"}}}})
	for name, c := range map[string]struct {
		boot string
		age  time.Duration
		want bool
	}{"just now": {"b", 0, true}, "within a minute": {"b", window - 1, true}, "a minute ago": {"b", window, false},
		"later": {"b", -1, false}, "another boot": {"a", 0, false}} {
		now, again := time.Hour, false
		e := passed{body: &wire.Reading{Device: "t", BootID: c.boot, BootNS: int64(now - c.age)}}
		if e.restore(g, "b", now, &again); again != c.want {
			t.Errorf("%s: %v", name, again)
		}
	}
}
