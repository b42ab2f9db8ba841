package post

import (
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

func TestTheFifthWrongPINIsTold(t *testing.T) {
	s := play(Config{Zone: time.UTC, Guards: []string{"a"}})
	for i := range guessing {
		if got := s.alarms(); got != "" {
			t.Errorf("after %d: %q", i, got)
		}
		s.did("a", PINWrong)
	}
	if got := s.alarms(); got != "pin-guessed" {
		t.Errorf("%q", got)
	}
	if v := s.View(at(0)); v.Wait != time.Hour+2*time.Minute {
		t.Errorf("no PIN is taken until %s", v.Wait)
	}
	s.now = 2 * time.Minute
	if v := s.View(at(s.now)); v.Wait != 0 {
		t.Errorf("the wait is over, and it says until %s", v.Wait)
	}
}

func TestASignOutLeavesNoNote(t *testing.T) {
	s := play(config()).did("east-1", SignIn)
	s.Did(
		at(0),
		at(0),
		wire.Audit{Actor: "east-1", Action: HandOver, Handover: &wire.Handover{Notes: []string{"all-quiet"}}},
	)
	if n := s.did("east-2", SignIn).View(at(0)).Note; n == nil || len(n.Notes) != 1 {
		t.Fatalf("%+v", n)
	}
	// Who has not read it hands the post on without one: the old note is not theirs.
	if n := s.did("east-2", SignOut).did("east-1", SignIn).View(at(0)).Note; n == nil || n.From != "east-2" ||
		len(n.Notes) != 0 {
		t.Errorf("%+v", n)
	}
}

func TestAnAnsweredRedOfBeforeARestartDoesNotComeBack(t *testing.T) {
	s := play(Config{Zone: time.UTC})
	s.Earlier(at(0), at(-time.Minute), 7, fever(1), true)
	s.Earlier(at(0), at(-time.Minute), 8, refused(fact.ReasonQuota, 2), true)
	s.Passage(at(0), 9, fever(1, 3))
	if s.now = time.Hour; s.alarms() != "" || len(s.reds.done) != 1 {
		t.Errorf("%q, %d", s.alarms(), len(s.reds.done))
	}
}

// From 22:00 to 06:00 nobody is expected: the time before counts.
func TestARestartAtNightCountsTheDay(t *testing.T) {
	cfg := config()
	for name, c := range map[string]struct{ came, want time.Duration }{
		"an hour of the day":   {15 * time.Hour, time.Hour},
		"not a minute of it":   {16 * time.Hour, 0},
		"since before the day": {-100 * time.Hour, 16 * time.Hour},
	} {
		p := New(cfg, at(17*time.Hour))
		p.CameEarlier(at(17*time.Hour), at(c.came))
		if got := p.quiet.lasts; got < c.want-2*time.Minute || got > c.want+2*time.Minute {
			t.Errorf("%s: quiet for %s, want %s", name, got, c.want)
		}
	}
	cfg.Rules.Duty.Hours = nil
	p := New(cfg, at(0))
	p.Tick(at(time.Minute), true, false)
	if p.quiet.lasts != time.Minute {
		t.Error("without hours the clock does not matter")
	}
	if (policy.Duty{}).Within() != 5*time.Minute {
		t.Error("the default")
	}
}
