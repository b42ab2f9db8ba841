package post

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// at is a moment so long after 06:00.
func at(d time.Duration) clock.Moment {
	return clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC).Add(d), Boot: time.Hour + d}
}

func config() Config {
	return Config{Rules: policy.Post{Duty: policy.Duty{Check: 2 * time.Hour, Quiet: 90 * time.Minute,
		Hours: []policy.Window{{From: "06:00", Until: "22:00"}}}},
		Zone: time.UTC, Guards: []string{"east-1", "east-2"}, Asks: true}
}

// scene is a post that is played.
type scene struct {
	*Post

	now time.Duration
}

func play(cfg Config) *scene { return &scene{Post: New(cfg, at(0))} }

func (s *scene) did(actor, action string) *scene {
	s.Did(at(s.now), at(s.now), wire.Audit{Actor: actor, Action: action})
	return s
}

// wait lets time pass, with a tick each minute.
func (s *scene) wait(d time.Duration) *scene {
	for end := s.now + d; s.now < end; {
		s.now += min(time.Minute, end-s.now)
		s.Tick(at(s.now), true, true)
	}
	return s
}

func (s *scene) alarms() string {
	var out []string
	for _, a := range s.Alarms(at(s.now)) {
		x := string(a.Type)
		if a.Passage > 0 {
			x += fmt.Sprint(":", a.Passage)
		}
		out = append(out, x)
	}
	return strings.Join(out, " ")
}

func fever(readings ...uint64) wire.Passage {
	return wire.Passage{Verdict: fact.VerdictFever, Reasons: []fact.Reason{fact.ReasonFever}, Readings: readings,
		Instruction: fact.InstructGoHome}
}

func refused(why fact.Reason, readings ...uint64) wire.Passage {
	return wire.Passage{Verdict: fact.VerdictRefuse, Reasons: []fact.Reason{why}, Readings: readings}
}

func TestAnAbsentGuardAndAQuietGateAreToldApart(t *testing.T) {
	nobody := config()
	nobody.Guards = nil
	lamps := config()
	lamps.Asks = false
	cards := lamps
	cards.Cards = true
	off := config()
	off.Rules.Duty = policy.Duty{}
	blind := play(config()).did("east-1", SignIn)
	for range 120 {
		blind.now += time.Minute
		blind.Tick(at(blind.now), false, true)
	}
	unsure := play(config()).did("east-1", SignIn)
	for range 119 {
		unsure.now += time.Minute
		unsure.Tick(at(unsure.now), true, false)
	}
	came := play(config()).did("east-1", SignIn).wait(89 * time.Minute)
	came.Came()
	const quiet, absent = "gate-quiet", "guard-absent"
	for name, c := range map[string]struct {
		s    *scene
		want string
	}{
		"nobody signed in":       {play(config()).wait(5*time.Minute - time.Second), ""},
		"nobody for 5 minutes":   {play(config()).wait(5 * time.Minute), absent},
		"somebody signs in":      {play(config()).wait(5*time.Minute).did("east-1", SignIn), ""},
		"signed out":             {left().wait(4 * time.Minute), ""},
		"signed out for long":    {left().wait(5 * time.Minute), absent},
		"nobody came":            {play(config()).did("east-1", SignIn).wait(90 * time.Minute), quiet},
		"nobody came a bit less": {play(config()).did("east-1", SignIn).wait(90*time.Minute - time.Second), ""},
		"somebody came":          {came.wait(89*time.Minute).did("east-1", StillHere), ""},
		"nothing pressed": {play(config()).did("east-1", SignIn).wait(2*time.Hour + 5*time.Minute),
			quiet + " " + absent},
		"asked": {play(config()).did("east-1", SignIn).wait(2*time.Hour + 4*time.Minute), quiet},
		"an answer": {play(config()).did("east-1", SignIn).wait(2*time.Hour+5*time.Minute).did("east-1", "noted"),
			quiet},
		"a wrong PIN is no answer": {play(nobody).wait(2*time.Hour+5*time.Minute).did("east-1", PINWrong),
			quiet + " " + absent},
		"no guards listed":    {play(nobody).wait(2 * time.Hour), quiet},
		"no screen":           {play(lamps).did("east-1", SignIn).wait(3 * time.Hour), quiet},
		"no screen, no cards": {play(lamps).wait(time.Hour), ""},
		"no screen, by card":  {play(cards).wait(5 * time.Minute), absent},
		"no duty":             {play(off).wait(24 * time.Hour), ""},
		"the devices broke":   {blind, ""},
		"the hour not known":  {unsure, ""},
		"at night": {&scene{Post: func() *Post {
			p := New(config(), at(16*time.Hour))
			p.Did(at(16*time.Hour), at(16*time.Hour), wire.Audit{Actor: "east-1", Action: SignIn})
			return p
		}(), now: 16 * time.Hour}, ""},
	} {
		if name == "at night" {
			c.s.wait(110 * time.Minute)
		}
		if got := c.s.alarms(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestWhenTheScreenAsks(t *testing.T) {
	s := play(config()).did("east-1", SignIn).wait(2*time.Hour - time.Second)
	if v := s.View(at(s.now)); v.Until != 0 || v.On != "east-1" || !v.Leave || v.Since != at(0) {
		t.Errorf("too early: %+v", v)
	}
	s.wait(time.Second)
	if v := s.View(at(s.now)); v.Asked != 3*time.Hour || v.Until != 3*time.Hour+5*time.Minute {
		t.Errorf("%+v", v)
	}
	s.Pressed(at(s.now))
	if v := s.View(at(s.now)); v.Until != 0 {
		t.Errorf("it was pressed: %+v", v)
	}
}

func TestTheWaitsOfWrongPINs(t *testing.T) {
	var a Attempts
	now, waits := time.Duration(0), []time.Duration{}
	for range 12 {
		now += a.Wait(now)
		if !a.Begin(now) || a.Begin(now) {
			t.Fatal("one at a time, and no sooner")
		}
		a.End()
		a.wrong(now, "east-1")
		waits = append(waits, a.Wait(now))
	}
	want := "[0s 0s 30s 1m0s 2m0s 4m0s 8m0s 16m0s 30m0s 30m0s 30m0s 30m0s]"
	if got := fmt.Sprint(waits); got != want {
		t.Errorf("waits %s, want %s", got, want)
	}
	if a.Begin(now + a.Wait(now) - 1) {
		t.Error("too early")
	}
	a.forgive("east-2")
	if a.Count(now) != 12 {
		t.Error("another's PIN takes it back")
	}
	if a.forgive("east-1"); a.Count(now) != 0 || a.Wait(now) != 0 {
		t.Error("the guard's own PIN does not")
	}
	a.wrong(now, "x")
	if a.Count(now+24*time.Hour-1) != 1 || a.Count(now+24*time.Hour) != 0 {
		t.Error("it is remembered for a day")
	}
}

func TestTheNextGuardReadsTheNote(t *testing.T) {
	hand := func(s *scene, notes ...string) {
		s.Did(
			at(s.now),
			at(s.now),
			wire.Audit{Actor: s.Actor(), Action: HandOver, Handover: &wire.Handover{Notes: notes}},
		)
	}
	s := play(config())
	if s.Manned() || s.Actor() != Anybody || s.View(at(0)).Note != nil {
		t.Error("nobody is there")
	}
	s.did("east-1", SignIn)
	if !s.Manned() || s.Actor() != "east-1" || s.View(at(0)).Note != nil {
		t.Error("the first guard has nothing to read")
	}
	hand(s, "supplies-low")
	if s.Manned() || s.View(at(0)).Note != nil {
		t.Error("they have left")
	}
	if s.did("east-1", SignIn).View(at(0)).Note != nil {
		t.Error("their own note")
	}
	s.did("east-1", SignOut).did("east-2", SignIn)
	if n := s.View(at(0)).Note; n == nil || n.From != "east-1" {
		t.Errorf("%+v", n)
	}
	if s.did("east-2", TookOver).View(at(0)).Note != nil {
		t.Error("it was read")
	}
	if n := s.did("east-1", SignIn).View(at(0)).Note; n == nil || n.From != "east-2" || len(n.Notes) != 0 {
		t.Errorf("without a note: %+v", n)
	}
	if s.did("gone-1", SignIn).Manned() {
		t.Error("they are not on the list any more")
	}
}

// Whatever happens: what is shown and told after a restart is what was before, and the
// memory stays bounded.
func TestARestartForgetsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := play(config())
		var audits []wire.Audit
		var when []clock.Moment
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			s.now += time.Duration(rapid.IntRange(0, 1000).Draw(t, "seconds")) * time.Second
			a := wire.Audit{Actor: rapid.SampledFrom(config().Guards).Draw(t, "guard"), Action: rapid.SampledFrom(
				[]string{SignIn, SignOut, PINWrong, HandOver, TookOver, StillHere, "noted"}).Draw(t, "action")}
			s.Did(at(s.now), at(s.now), a)
			audits, when = append(audits, a), append(when, at(s.now))
		}
		again := &scene{Post: New(config(), at(s.now)), now: s.now}
		for i, a := range audits {
			again.Did(at(s.now), when[i], a)
		}
		if len(audits) == 0 {
			return
		}
		a, b := s.View(at(s.now)), again.View(at(s.now))
		if fmt.Sprintf("%+v", a.Note) != fmt.Sprintf("%+v", b.Note) || a.On != b.On || a.Since != b.Since ||
			a.Wait != b.Wait {
			t.Fatalf("%+v\nagain %+v", a, b)
		}
		if len(s.attempts.list) > mostWrong {
			t.Fatal("unbounded")
		}
	})
}

func TestQuietAfterARestart(t *testing.T) {
	for name, c := range map[string]struct {
		came clock.Moment
		want string
	}{
		"an hour ago":     {at(9 * time.Hour), ""},
		"90 minutes ago":  {at(8*time.Hour + 30*time.Minute), "gate-quiet"},
		"a little later":  {at(8*time.Hour + 30*time.Minute + time.Second), ""},
		"not known":       {clock.Moment{}, ""},
		"before the boot": {at(-20 * time.Hour), "gate-quiet"},
	} {
		s := &scene{Post: New(config(), at(10*time.Hour)), now: 10 * time.Hour}
		s.did("east-1", SignIn)
		s.CameEarlier(at(10*time.Hour), c.came)
		if got := s.alarms(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func left() *scene { return play(config()).did("east-1", SignIn).did("east-1", SignOut) }
