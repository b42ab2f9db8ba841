package post

import (
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

const red7, red8 = "red-unanswered:7", "red-unanswered:8"

func TestARedEscalates(t *testing.T) {
	stranger := refused(fact.ReasonUnknownCard, 1)
	amended := fever(1, 2)
	amended.Amends = true
	let := stranger
	let.Verdict, let.Override = fact.VerdictPass, &wire.Override{}
	stopped := stranger
	stopped.Override = &wire.Override{}
	for name, c := range map[string]struct {
		do   func(s *scene)
		want string
	}{
		"in time":           {func(s *scene) { show(s, 7, fever(1)); s.now = 2*time.Minute - 1 }, ""},
		"a fever":           {func(s *scene) { show(s, 7, fever(1)); s.now = 2 * time.Minute }, red7},
		"a sealed one":      {func(s *scene) { show(s, 7, refused(fact.ReasonSealed, 1)) }, red7},
		"an unknown card":   {func(s *scene) { show(s, 7, stranger) }, red7},
		"an amber one":      {func(s *scene) { show(s, 7, refused(fact.ReasonQuota, 1)) }, ""},
		"answered":          {func(s *scene) { show(s, 7, fever(1)); answer(s, 7) }, ""},
		"another answered":  {func(s *scene) { show(s, 7, fever(1)); answer(s, 8) }, red7},
		"amended, same one": {func(s *scene) { show(s, 7, fever(1)); s.Passage(at(time.Minute), 8, amended) }, red7},
		"amended, answered": {func(s *scene) { show(s, 7, fever(1)); show(s, 8, amended); answer(s, 8) }, ""},
		"the old answered":  {func(s *scene) { show(s, 7, fever(1)); show(s, 8, amended); answer(s, 7) }, red7},
		"answered, amended": {func(s *scene) { show(s, 7, fever(1)); answer(s, 7); show(s, 8, amended) }, ""},
		"another kind": {func(s *scene) { show(s, 7, stranger); show(s, 8, amended) },
			red8},
		"let pass": {func(s *scene) { show(s, 7, stranger); show(s, 8, let) }, ""},
		"stopped":  {func(s *scene) { show(s, 8, stopped) }, ""},
		"two":      {func(s *scene) { show(s, 7, fever(1)); show(s, 8, fever(2)) }, red7 + " " + red8},
	} {
		s := play(Config{Zone: time.UTC})
		s.now = 2 * time.Minute
		c.do(s)
		if got := s.alarms(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func show(s *scene, seq uint64, p wire.Passage) { s.Passage(at(0), seq, p) }

func answer(s *scene, seq uint64) {
	s.Did(at(s.now), at(s.now), wire.Audit{Actor: Anybody, Action: "isolate", Passage: seq})
}

func TestRedsOfBeforeARestart(t *testing.T) {
	unknown := clock.Moment{}
	for name, c := range map[string]struct {
		at       clock.Moment
		answered bool
		want     string
	}{
		"not answered":    {at(-3 * time.Minute), false, red7},
		"a moment ago":    {at(-time.Minute), false, ""},
		"of 10 min ago":   {at(-10 * time.Minute), false, red7},
		"too old":         {at(-10*time.Minute - 1), false, ""},
		"answered":        {at(-3 * time.Minute), true, ""},
		"not known when ": {unknown, false, ""},
	} {
		s := play(Config{Zone: time.UTC})
		s.Earlier(at(0), c.at, 7, fever(1), c.answered)
		if got := s.alarms(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if s.now = 2 * time.Minute; c.at == unknown && s.alarms() != red7 {
			t.Errorf("%s: it is forgotten", name)
		}
	}
}

func TestAnswersThatAreTooFast(t *testing.T) {
	for name, c := range map[string]struct {
		ms   []int64
		want string
	}{
		"five":             {[]int64{300, 300, 300, 300, 999}, "answers-too-fast"},
		"four":             {[]int64{300, 300, 300, 300}, ""},
		"a second is read": {[]int64{300, 300, 300, 300, 1000}, ""},
		"five of six":      {[]int64{300, 300, 5000, 300, 300, 300}, "answers-too-fast"},
		"four of six":      {[]int64{300, 300, 5000, 300, 5000, 300}, ""},
		"not any more":     {[]int64{1, 1, 1, 1, 1, 5000, 5000}, ""},
		"not known":        {[]int64{0, 0, 0, 0, 0, 0}, ""},
	} {
		s := play(Config{Zone: time.UTC, Guards: []string{"a", "b"}}).did("a", SignIn)
		for i, ms := range c.ms {
			s.Did(at(0), at(0), wire.Audit{Actor: "a", Action: "isolate", Passage: uint64(i + 1), AfterMS: ms})
		}
		if got := s.did("a", SignIn).alarms(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if got := s.did("b", SignIn).alarms(); got != "" {
			t.Errorf("%s: the next guard is told %q", name, got)
		}
	}
}

func TestMoreRedsThanAreKept(t *testing.T) {
	s := play(Config{Zone: time.UTC})
	for i := range uint64(60) {
		show(s, i+1, fever(i+1))
	}
	s.now = time.Hour
	if n := len(s.Alarms(at(s.now))); n != mostReds {
		t.Errorf("%d", n)
	}
	for i := range uint64(60) {
		answer(s, i+1)
	}
	if len(s.reds.open) != 0 || len(s.reds.done) != mostReds {
		t.Errorf("%d, %d", len(s.reds.open), len(s.reds.done))
	}
	for _, typ := range []fact.AlarmType{fact.AlarmFever, fact.AlarmDeviceGone, fact.AlarmOverridden} {
		if Raises(typ) {
			t.Errorf("%s is not the post's", typ)
		}
	}
	if !Raises(fact.AlarmRedUnanswered) || len(Notes()) != 8 {
		t.Error("its own")
	}
}
