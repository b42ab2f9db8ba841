package engine

import (
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// passing returns a passage of a card.
func passing(card string, way fact.Direction, readings ...uint64) wire.Passage {
	return wire.Passage{Verdict: fact.VerdictPass, Direction: way, Credential: "card/" + card, Readings: readings}
}

// A record that is a little older than the one before is no clock that was set back.
func TestAnHourOfDisorderMovesNothing(t *testing.T) {
	r := rules(t, classes, "", "00000000A1,resident,active,7,,,,,")
	for back, want := range map[string]string{"14 07:00": "08:00", "14 06:59": "06:59"} {
		var s State
		s.Take(r, passing("A1", "in", 1), at(t, "14 08:00"))
		s.Take(r, passing("B1", "in", 2), at(t, back))
		if got := s.lasts["card/A1"].at.Format("15:04"); got != want {
			t.Errorf("after a record of %s: A1 came at %s, want %s", back, got, want)
		}
	}
}

func TestOnlyWhatARuleAsksForIsKept(t *testing.T) {
	r := rules(t, classes, sealedRules, roster)
	var s State
	s.Take(r, passing("E1", "in", 1), at(t, "14 08:00")) // no quota, no uses
	s.Take(r, passing("A1", "in", 2), at(t, "14 08:00")) // its quota counts exits
	if len(s.trips) != 0 {
		t.Errorf("kept: %v", s.trips)
	}
	s.Take(r, passing("F1", "in", 3), at(t, "14 08:00")) // uses
	if len(s.trips["card/F1"]) != 1 || len(s.trips) != 1 {
		t.Errorf("kept: %v", s.trips)
	}
	for i := range 300 {
		s.Take(r, passing("A1", "in", uint64(10+i)), at(t, "14 09:00"))
		if len(s.recent) > 2*recentKept {
			t.Fatalf("%d passages are remembered", len(s.recent))
		}
	}
	if len(s.recent) < recentKept {
		t.Errorf("only %d passages are remembered", len(s.recent))
	}
}

// The rules reach back a week, for the visitor's uses: what is older goes.
func TestOldPassagesGo(t *testing.T) {
	r := rules(t, classes, sealedRules, roster)
	if r.Reach() != 7*24*time.Hour {
		t.Fatalf("the rules reach back %s", r.Reach())
	}
	for day, want := range map[string]int{"08 08:00": 2, "09 08:00": 1} {
		var s State
		s.Take(r, passing("A1", "out", 1), at(t, "01 08:00"))
		s.Take(r, passing("A2", "out", 2), at(t, day))
		if got := len(s.trips["household/7"]); got != want {
			t.Errorf("until %s: %d exits are kept, want %d", day, got, want)
		}
	}
}

// The roster has moved the card to another household since: the exit stays where it was
// counted.
func TestAnExitStaysWithItsHousehold(t *testing.T) {
	r := rules(t, classes, "", "00000000A1,resident,active,8,,,,,\n00000000B1,resident,active,7,,,,,")
	var s State
	p := passing("A1", "out", 1)
	p.Basis = &wire.Basis{Rule: "classes.resident", Household: "household/7"}
	s.Take(r, p, at(t, "14 08:00"))
	if got, _ := play(t, r, &s, "14 09:00 B1 out"); got[0] != "quota-used" {
		t.Errorf("%v", got)
	}
}

// What is taken back was not the card's last passage: where it went last stays.
func TestAnEarlierPassageIsTakenBack(t *testing.T) {
	r := rules(t, "worker: {fever: turn-away, directions: [in, out], anti_passback: hard}", "",
		"00000000A1,worker,active,,,,,,\n00000000B1,worker,active,,,,,,")
	var s State
	s.Take(r, passing("A1", "in", 1), at(t, "14 08:00"))
	s.Take(r, passing("A1", "out", 2), at(t, "14 09:00"))
	s.Take(r, passing("B1", "in", 3), at(t, "14 09:00"))
	amended := passing("A1", "in", 1)
	amended.Verdict = fact.VerdictRefuse
	s.Take(r, amended, at(t, "14 09:30"))
	if got, _ := play(t, r, &s, "14 10:00 A1 out"); got[0] != "anti-passback" {
		t.Errorf("A1 went out last: %v", got)
	}
	amended.Readings = []uint64{2}
	s.Take(r, amended, at(t, "14 11:00"))
	if s.lasts["card/A1"].direction != "in" {
		t.Errorf("A1: %+v", s.lasts["card/A1"])
	}
}

func TestAQuotaOfEachCardLeavesOutWhatIsReplaced(t *testing.T) {
	r := rules(t, "courier: {fever: turn-away, directions: [in], quota: {entries: 1, days: 1, per: card}}", "",
		"00000000A1,courier,active,,,,,,")
	var s State
	s.Take(r, passing("A1", "in", 1), at(t, "14 08:00"))
	ask := Ask{Credential: "card/A1", Direction: "in", At: at(t, "14 08:00"), Readings: []uint64{1}}
	if d := Decide(r, &s, ask); !d.Allowed {
		t.Errorf("the same visit: %+v", d)
	}
	ask.Readings = []uint64{2}
	if d := Decide(r, &s, ask); d.Allowed {
		t.Errorf("another one: %+v", d)
	}
}

func TestWhoShowsALostCardIsIdentified(t *testing.T) {
	for more, want := range map[string]bool{"": false, "lost: {pass: deny}\n": false,
		"lost: {pass: identify}\n": true} {
		r := rules(t, classes, more, "00000000C1,resident,lost,8,,,,,")
		d := Decide(r, &State{}, Ask{Credential: "card/C1", At: at(t, "14 08:00")})
		if d.Allowed || d.Identify != want {
			t.Errorf("%q: %+v", more, d)
		}
	}
}

func TestALaneThatComesFirstOnBothWays(t *testing.T) {
	r := rules(t, "truck: {fever: turn-away, directions: [in, out], before: [{lane: wash, within: 30m}]}", "",
		"00000000A1,truck,active,,,,,,")
	for _, way := range []string{"in", "out", "both"} {
		if got, _ := play(t, r, &State{}, "14 08:00 A1 "+way); got[0] != "other-lane-first" {
			t.Errorf("%s: %v", way, got)
		}
	}
}

func TestClock(t *testing.T) {
	wall := time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
	wrong := clock.Moment{Wall: time.Date(2037, 1, 1, 0, 0, 0, 0, time.UTC), Boot: 2 * time.Hour}
	var c Clock
	if at, unsure := c.Judge(wrong, false, false); !at.Equal(wrong.Wall) || !unsure {
		t.Errorf("no time was ever known: %s, %v", at, unsure)
	}
	c.Restore(wrong.Wall, 0, false)
	if !c.known.IsZero() {
		t.Error("an unsure time is the first that is known")
	}
	c.Note(clock.Moment{Wall: wall, Boot: 30 * time.Minute})
	if at, unsure := c.Judge(wrong, false, false); !at.Equal(wall.Add(90*time.Minute)) || !unsure {
		t.Errorf("an hour and a half later: %s, %v", at, unsure)
	}
	if at, unsure := c.Judge(wrong, false, true); !at.Equal(wrong.Wall) || !unsure {
		t.Errorf("by its own clock: %s, %v", at, unsure)
	}
	if at, unsure := c.Judge(wrong, true, false); !at.Equal(wrong.Wall) || unsure {
		t.Errorf("synchronised: %s, %v", at, unsure)
	}
	c.Restore(wall.Add(-time.Minute), 0, false)
	if !c.known.Equal(wall) {
		t.Errorf("an earlier time that is unsure: %s", c.known)
	}
	c.Restore(wall.Add(-time.Minute), 0, true)
	if !c.known.Equal(wall.Add(-time.Minute)) {
		t.Errorf("an earlier time that is sure: %s", c.known)
	}
}
