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
		s := play(Config{Zone: time.UTC, Asks: true})
		s.now = 2 * time.Minute
		c.do(s)
		if got := s.alarms(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A post without a screen has no button for an answer: that nobody presses it says nothing.
func TestWithoutAScreenNothingIsUnanswered(t *testing.T) {
	s := play(Config{Zone: time.UTC})
	show(s, 7, fever(1))
	s.Earlier(at(0), at(0), 8, refused(fact.ReasonUnknownCard, 2), false)
	if s.now = time.Hour; s.alarms() != "" {
		t.Error(s.alarms())
	}
}

func show(s *scene, seq uint64, p wire.Passage) { s.Passage(at(0), seq, p) }

func answer(s *scene, seq uint64) {
	s.Did(at(s.now), at(s.now), wire.Audit{Actor: Anybody, Action: "isolate", Passage: seq})
}

// inEpisode returns a passage as a step of the episode e1.
func inEpisode(step fact.EpisodeStep, p wire.Passage) wire.Passage {
	p.Episode = &wire.EpisodeStep{ID: "e1", Step: step}
	return p
}

// entered returns a passage on a value that the guard has entered for who has readings of.
func entered(value fact.Temp, p wire.Passage, of ...uint64) wire.Passage {
	p.Entered = &wire.Entered{Value: value, With: fact.HandHeldContact, Of: of}
	return p
}

// What the guard does about somebody with a red verdict answers it, as a button does: also
// when it was before a restart. A new red waits from then on.
func TestARedIsAnsweredByWhatTheGuardDoes(t *testing.T) {
	opened := inEpisode(fact.EpisodeOpened, fever(1))
	opened.Instruction = fact.InstructWait
	named := inEpisode(fact.EpisodeOpened, fever(1, 2))
	named.Instruction = fact.InstructWait
	confirmed := inEpisode(fact.EpisodeConfirmed, fever(9))
	cleared := inEpisode(fact.EpisodeCleared, wire.Passage{Verdict: fact.VerdictPass, Readings: []uint64{9}})
	early := inEpisode(fact.EpisodeEarly, fever(9))
	stranger := refused(fact.ReasonUnknownCard, 1)
	other := confirmed
	other.Episode = &wire.EpisodeStep{ID: "e4", Step: fact.EpisodeConfirmed}
	byHand := wire.Passage{Verdict: fact.VerdictRetest, Readings: []uint64{9}}
	earlyByHand := entered(3660, inEpisode(fact.EpisodeEarly, byHand))
	confirmedLow := inEpisode(fact.EpisodeConfirmed, refused("", 9))
	for name, c := range map[string]struct {
		all    []wire.Passage // seqs 7, 8 and so on, a minute apart
		at, in string         // what is late when the first has waited, and when the last has
	}{
		"cleared":                    {[]wire.Passage{opened, cleared}, "", ""},
		"confirmed":                  {[]wire.Passage{opened, confirmed}, "", "red-unanswered:8"},
		"refused, confirmed":         {[]wire.Passage{opened, confirmedLow}, "", ""},
		"confirmed twice":            {[]wire.Passage{confirmed, confirmed}, red7, red7},
		"cleared after all":          {[]wire.Passage{confirmed, cleared}, "", ""},
		"another's":                  {[]wire.Passage{opened, other}, red7, red7 + " red-unanswered:8"},
		"named":                      {[]wire.Passage{opened, named}, red7, red7},
		"too early":                  {[]wire.Passage{opened, early}, red7, red7},
		"early alone":                {[]wire.Passage{early}, "", ""},
		"entered, a contact value":   {[]wire.Passage{opened, entered(3660, cleared, 1)}, "", ""},
		"entered, too early":         {[]wire.Passage{opened, entered(3660, byHand, 1)}, "", ""},
		"entered for another":        {[]wire.Passage{opened, entered(3660, byHand, 3)}, red7, red7},
		"entered, in the episode":    {[]wire.Passage{opened, earlyByHand}, "", ""},
		"entered for a stranger":     {[]wire.Passage{stranger, entered(3660, stranger, 1)}, "", "red-unanswered:8"},
		"entered first, then tapped": {[]wire.Passage{entered(3840, fever(1)), entered(3840, fever(1, 2))}, red7, red7},
		"entered twice": {[]wire.Passage{entered(3840, fever(1)), entered(3850, fever(1, 2), 1)}, "",
			"red-unanswered:8"},
	} {
		for _, restart := range []bool{false, true} {
			s := play(Config{Zone: time.UTC, Asks: true})
			for i, x := range c.all {
				s.now = time.Duration(i) * time.Minute
				if restart {
					s.Earlier(at(4*time.Minute), at(s.now), uint64(7+i), x, false)
				} else {
					s.Passage(at(s.now), uint64(7+i), x)
				}
			}
			if s.now = 2 * time.Minute; s.alarms() != c.at {
				t.Errorf("%s, restart %v: first %q, want %q", name, restart, s.alarms(), c.at)
			}
			if s.now = 4 * time.Minute; s.alarms() != c.in {
				t.Errorf("%s, restart %v: at last %q, want %q", name, restart, s.alarms(), c.in)
			}
		}
	}
}

// A red that an entered value has answered does not come back when the card is tapped.
func TestARedThatAValueHasAnsweredStaysAnswered(t *testing.T) {
	s := play(Config{Zone: time.UTC, Asks: true})
	show(s, 7, inEpisode(fact.EpisodeOpened, fever(1)))
	s.Earlier(at(0), at(0), 8, inEpisode(fact.EpisodeCleared, wire.Passage{Verdict: fact.VerdictPass,
		Readings: []uint64{9}}), true)
	show(s, 10, inEpisode(fact.EpisodeOpened, fever(1, 2)))
	if s.now = time.Hour; s.alarms() != "" {
		t.Errorf("%q", s.alarms())
	}
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
		s := play(Config{Zone: time.UTC, Asks: true})
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
		s := play(Config{Zone: time.UTC, Guards: []string{"a", "b"}, Asks: true}).did("a", SignIn)
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
	s := play(Config{Zone: time.UTC, Asks: true})
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
