package alerts

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

// measured returns a passage of an episode that uses some readings.
func measured(episode string, step fact.EpisodeStep, screening fact.Temp, readings ...uint64) *wire.Passage {
	p := &wire.Passage{Verdict: fact.VerdictFever, Reasons: []fact.Reason{fact.ReasonFever}, Readings: readings,
		Temperature: &wire.Temperature{Screening: screening, Object: screening},
		Episode: &wire.EpisodeStep{ID: episode, Step: step, First: 3840, With: "t", Since: wire.At(t0),
			Ready: wire.At(t0.Add(time.Minute)), Until: wire.At(t0.Add(time.Hour))}}
	if step == fact.EpisodeCleared {
		p.Verdict, p.Reasons = fact.VerdictPass, []fact.Reason{fact.ReasonNormal}
	}
	return p
}

func fever(passage uint64, screening fact.Temp) *wire.Alarm {
	return &wire.Alarm{ID: fact.AlarmFever.ID(strconv.FormatUint(passage, 10)), Type: fact.AlarmFever,
		State: fact.AlarmRaised, Passage: passage, Screening: &screening}
}

func again(passage uint64, episode string) *wire.Alarm {
	return &wire.Alarm{ID: fact.AlarmFeverConfirmed.ID(episode), Type: fact.AlarmFeverConfirmed,
		State: fact.AlarmRaised, Passage: passage}
}

// byHand makes the measurement of a passage one of a contact thermometer.
func byHand(p *wire.Passage) *wire.Passage {
	p.Entered = &wire.Entered{Value: p.Temperature.Screening, With: fact.HandHeldContact}
	return p
}

// amends makes a passage replace the one before.
func amends(p *wire.Passage) *wire.Passage { p.Amends = true; return p }

// stages are what journals hold of fevers, by seq, and what becomes of the alerts: the
// newest first, type, level, and what the second measurement has said.
var stages = map[string]struct {
	bodies []wire.Body
	want   []string
}{
	"not measured again": {
		[]wire.Body{1: measured("e1", fact.EpisodeOpened, 3840, 1), 2: fever(1, 3840)},
		[]string{"fever red "},
	},
	"a normal second measurement": {
		[]wire.Body{1: measured("e1", fact.EpisodeOpened, 3840, 1), 2: fever(1, 3840),
			3: byHand(measured("e1", fact.EpisodeCleared, 3660, 9))},
		[]string{"fever over cleared 36.60 contact"},
	},
	"a fever again": {
		[]wire.Body{1: measured("e1", fact.EpisodeOpened, 3840, 1), 2: fever(1, 3840),
			3: measured("e1", fact.EpisodeConfirmed, 3820, 9), 4: again(3, "e1")},
		[]string{"fever-confirmed red ", "fever red confirmed 38.20 "},
	},
	"a fever again, which a contact thermometer denies": {
		[]wire.Body{1: measured("e1", fact.EpisodeOpened, 3840, 1), 2: fever(1, 3840),
			3: measured("e1", fact.EpisodeConfirmed, 3820, 9), 4: again(3, "e1"),
			5: byHand(measured("e1", fact.EpisodeCleared, 3670, 12))},
		[]string{"fever-confirmed over cleared 36.70 contact", "fever over cleared 36.70 contact"},
	},
	"the card comes after the alarm": {
		[]wire.Body{1: measured("e1", fact.EpisodeOpened, 3840, 1), 2: fever(1, 3840),
			3: amends(measured("e1", fact.EpisodeOpened, 3850, 1, 2)),
			4: measured("e1", fact.EpisodeCleared, 3640, 9)},
		[]string{"fever over cleared 36.40 "},
	},
	"the card shows that somebody known has come again": {
		[]wire.Body{1: measured("e1", fact.EpisodeOpened, 3840, 1), 2: fever(1, 3840),
			3: measured("e7", fact.EpisodeOpened, 3830, 7), 4: fever(3, 3830),
			5: amends(measured("e1", fact.EpisodeEarly, 3830, 7, 8)),
			6: measured("e1", fact.EpisodeCleared, 3650, 9)},
		[]string{"fever over cleared 36.50 ", "fever over cleared 36.50 "},
	},
	"two people": {
		[]wire.Body{1: measured("e1", fact.EpisodeOpened, 3840, 1), 2: fever(1, 3840),
			3: measured("e7", fact.EpisodeOpened, 3830, 7), 4: fever(3, 3830),
			5: measured("e7", fact.EpisodeCleared, 3650, 9)},
		[]string{"fever over cleared 36.50 ", "fever red "},
	},
	"what decides nothing": {
		[]wire.Body{1: measured("e1", fact.EpisodeOpened, 3840, 1), 2: fever(1, 3840),
			3: measured("e1", fact.EpisodeEarly, 3650, 9), 4: measured("e1", fact.EpisodeContact, 3650, 12)},
		[]string{"fever red "},
	},
	"the alarm is raised after a restart, when it is settled": {
		[]wire.Body{1: measured("e1", fact.EpisodeOpened, 3840, 1),
			2: measured("e1", fact.EpisodeCleared, 3650, 9), 3: fever(1, 3840)},
		[]string{"fever over cleared 36.50 "},
	},
	"a gate whose policy has no rule": {
		[]wire.Body{1: &wire.Passage{Verdict: fact.VerdictFever, Reasons: []fact.Reason{fact.ReasonFever},
			Readings: []uint64{1}}, 2: fever(1, 3840)},
		[]string{"fever red "},
	},
}

func (l *list) settled() (out []string) {
	l.t.Helper()
	for _, a := range l.open() {
		s := string(a.Type) + " " + a.Level + " "
		if a.Settled != nil {
			s += string(a.Settled.Step) + " " + a.Settled.Screening.String() + " " + string(a.Settled.With)
		}
		out = append(out, s)
	}
	return out
}

func entries(t *testing.T, bodies []wire.Body) (out []wire.Entry) {
	t.Helper()
	for i, b := range bodies[1:] {
		out = append(out, committed.Entry(t, uint64(i+1), t0.Add(time.Duration(i)*time.Minute), b))
	}
	return out
}

func TestASecondMeasurementIsSaidOfTheFever(t *testing.T) {
	for name, c := range stages {
		t.Run(name, func(t *testing.T) {
			all := entries(t, c.bodies)
			together, ahead, single := newList(t), newList(t), newList(t)
			together.commit(all...)
			for _, e := range all { // alarms overtake their journal
				if e.Record.Kind == wire.KindAlarm {
					ahead.Arrive(t0, committed.Batch(e))
				}
			}
			for _, e := range all {
				ahead.commit(e)
				single.commit(e)
			}
			for how, l := range map[string]*list{"together": together, "alarms ahead": ahead, "one by one": single} {
				got := l.settled()
				if !same(got, c.want) {
					t.Errorf("%s: %q, want %q", how, got, c.want)
				}
			}
		})
	}
}

// same reports whether two lists have the same members.
func same(a, b []string) bool {
	count := map[string]int{}
	for _, x := range a {
		count[x]++
	}
	for _, x := range b {
		count[x]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestAClearedFeverLeavesTheListAfterAWhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	l := openList(t, path)
	l.commit(entries(t, stages["a normal second measurement"].bodies)...)
	l.commit(committed.Entry(t, 4, t0, measured("e20", fact.EpisodeOpened, 3840, 20)),
		committed.Entry(t, 5, t0, fever(4, 3840)), committed.Entry(t, 6, t0, measured("e20",
			fact.EpisodeConfirmed, 3840, 21)), committed.Entry(t, 7, t0, again(6, "e20")),
		committed.Entry(t, 8, t0, byHand(measured("e20", fact.EpisodeCleared, 3640, 22))))
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{clearedShown, 3}, {clearedShown + 3*time.Minute, 1}} {
		l.must(openList(t, path).Tidy(t.Context(), t0.Add(c.after)))
		if got := l.settled(); len(got) != c.want {
			t.Errorf("after %s: %q", c.after, got)
		}
	}
}
