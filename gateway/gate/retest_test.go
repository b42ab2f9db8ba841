package gate

import (
	"errors"
	"fmt"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWhyNobodyIsMeasuredAgain(t *testing.T) {
	for name, c := range map[string]struct {
		lines, lane, id string
		at              float64
		want            error
	}{
		"no such episode":                   {first + "10:00", "west", "e1", 601, ErrNoEpisode},
		"it is over":                        {first + "10:00", "west", "e2", 7201, ErrNoEpisode},
		"too early":                         {first + "5:00", "west", "e2", 600, ErrTooEarly},
		"just in time":                      {first + "5:00", "west", "e2", 601, nil},
		"no lane named":                     {first + "5:00", "", "e2", 601, nil},
		"the yard":                          {first + "5:00", "yard", "e2", 601, ErrNotMeasured},
		"occupied":                          {first + "10:00 west card A2", "west", "e2", 601, ErrOccupied},
		"they have left":                    {first + "10:00 west card A2", "west", "e2", 608, nil},
		"by contact, measured all the same": {first + "10:01 east card A1|10:02 east 36.5", "west", "e2", 700, nil},
	} {
		p := newPost(twice(t))
		for _, line := range strings.Split(c.lines, "|") {
			p.do(t, line)
		}
		if err := p.gate.Retestable(moment(c.at), c.lane, c.id); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := newGate(t).Retest(moment(0), "", "e1"); !errors.Is(err, ErrNoEpisode) {
		t.Error(err)
	}
}

func TestAPickedPersonIsWaitedFor(t *testing.T) {
	p := newPost(twice(t))
	for _, line := range strings.Split("0:00 east 38.4|0:20|10:01 pick 1 at west", "|") {
		p.do(t, line)
	}
	want := []Prompt{{Lane: "west", Wants: WantsTemperature, Since: moment(601), Until: moment(661).Boot, Reading: 1,
		Episode: "e1"}}
	if got := p.gate.Prompts(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	p.do(t, "10:10 west card A1") // they have a card after all
	if got := p.gate.Prompts(); len(got) != 1 || got[0].Wants != WantsTemperature || got[0].Class != "resident" {
		t.Errorf("%+v", got)
	}
	p.do(t, "10:11 west 36.5")
	if got := briefs(p.events[1:]); !slices.Equal(got, []string{"pass normal [2 3] go resident e1:cleared"}) {
		t.Error(got)
	}
}

func TestACardWithItsOwnEpisodeIsNotThePickedPersons(t *testing.T) {
	p := newPost(twice(t))
	lines := first + "1:00 east 38.4|1:20|11:01 pick 3 at west|11:02 west card A1|11:03 west 36.5"
	for _, line := range strings.Split(lines, "|") {
		p.do(t, line)
	}
	if got := briefs(p.events[2:]); !slices.Equal(got, []string{
		"retest one-at-a-time [4] measure-again resident e2:due", "retest one-at-a-time [5] measure-again"}) {
		t.Error(strings.Join(got, "\n"))
	}
}

// A value that was entered for a stranger, whose card no rule knows, is never the next
// person's: neither its fever nor its clearance.
func TestAValueEnteredForAStrangerIsNotTheNextPersons(t *testing.T) {
	for _, value := range []string{"36.5", "38.6"} {
		p := newPost(twice(t))
		lines := "0:00 east 38.4|0:02 east card E1|11:00 contact " + value + " of 1|11:04 east card A1"
		for _, line := range strings.Split(lines, "|") {
			p.do(t, line)
		}
		got := briefs(p.events[len(p.events)-1:])
		if !slices.Equal(got, []string{"retest one-at-a-time [4] measure-again resident"}) {
			t.Errorf("%s: %s", value, strings.Join(briefs(p.events), "\n"))
		}
	}
}

// Whoever has an open episode is told so, and is not asked for a temperature in vain.
func TestWhoComesTooEarlyIsNotAskedToBeMeasured(t *testing.T) {
	p := newPost(twice(t))
	for _, line := range strings.Split(first+"5:00 west card A1", "|") {
		p.do(t, line)
	}
	if got := p.gate.Prompts(); len(got) != 1 || got[0].Wants != WantsNothing {
		t.Errorf("%+v", got)
	}
}

func TestAnEpisodeThatRunsOutIsTold(t *testing.T) {
	p := newPost(twice(t))
	for _, line := range strings.Split(first+"0:30", "|") {
		p.do(t, line)
	}
	if next, ok := p.gate.Next(); !ok || next != moment(7201).Boot {
		t.Errorf("%s %t", next, ok)
	}
	p.do(t, "120:00")
	if un := p.gate.Unresolved(); len(un) > 0 {
		t.Error(un)
	}
	p.do(t, "120:01")
	un := p.gate.Unresolved()
	if len(un) != 1 || un[0].ID != "e2" || un[0].First != 38_40 || un[0].Credential != resident {
		t.Errorf("%+v", un)
	}
	if again := p.gate.Unresolved(); len(again) > 0 || len(p.gate.Episodes()) > 0 {
		t.Error("it is told once")
	}
	// The agent ended when it had raised the alarm.
	p.start()
	if len(p.gate.Episodes()) != 1 {
		t.Fatal("the journal has it still")
	}
	p.gate.EpisodeEnded("e2")
	if len(p.gate.Episodes()) > 0 {
		t.Error("it goes on")
	}
}

// A signed pass is known as long as its bearer has an episode.
func TestAPassIsRememberedForAnEpisode(t *testing.T) {
	r := twice(t)
	r.Passes = &policy.Passes{Days: 1}
	p := newPost(r)
	pass := &wire.Pass{
		ID:    "01",
		Class: "visitor",
		Uses:  1,
		From:  wire.At(moment(-60).Wall),
		Until: wire.At(moment(36000).Wall),
	}
	code := wire.Reading{
		Device:     "r east",
		Type:       fact.ReadingCode,
		Credential: "Q1",
		Pass:       pass,
		Direction:  fact.DirectionIn,
	}
	p.keep(moment(0), p.gate.Observe(moment(0), 1, code))
	p.seq = 1
	p.do(t, "0:01 east 38.4")
	p.do(t, "5:00 contact 36.6 of 2")
	want := []string{openedB, "pass normal+entered [3] go visitor e2:cleared"}
	if got := briefs(p.events); !slices.Equal(got, want) {
		t.Error(strings.Join(got, "\n"))
	}
}

// After a restart nobody knows what the pass said: it must be shown once more.
func TestAPassIsShownAgainAfterARestart(t *testing.T) {
	r := twice(t)
	p := newPost(r)
	p.do(t, "0:00 east card Q1")
	p.do(t, "0:01 east 38.4")
	p.start()
	p.do(t, "5:00 contact 36.6 of 2")
	if got := briefs(p.events)[2:]; !slices.Equal(got, []string{
		"refuse normal+entered+no-card [3] check-identity e2:cleared"}) {
		t.Error(strings.Join(got, "\n"))
	}
}

func TestWithoutARuleAFeverIsOneAtOnce(t *testing.T) {
	r := twice(t)
	r.Episode = nil
	p := newPost(r)
	for _, line := range strings.Split(first+"0:20", "|") {
		p.do(t, line)
	}
	if err := p.gate.Enterable(moment(20), "east", []uint64{2}); !errors.Is(err, ErrFever) {
		t.Error(err)
	}
	p.do(t, "5:00 west card A1")
	p.do(t, "5:01 west 36.5")
	if got := briefs(p.events); !slices.Equal(got, []string{"fever fever [1 2] go-home resident ALARM",
		"pass normal [3 4] go resident"}) || p.gate.Episodes() != nil || p.gate.Unresolved() != nil {
		t.Error(strings.Join(got, "\n"))
	}
}

// Whatever happens, in whatever order and wherever the agent starts again: nobody passes
// whose episode is open, unless a value that may has cleared it; and an episode ends.
func TestNobodyPassesWithAnOpenEpisode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := twice(t)
		r.Episode.Second = rapid.SampledFrom([]policy.Second{"", policy.SecondAny, policy.SecondContact}).
			Draw(t, "second")
		p := newPost(r)
		now := 0.0
		for range rapid.IntRange(1, 60).Draw(t, "readings") {
			now += rapid.SampledFrom([]float64{0.5, 2, 4, 9, 100, 600}).Draw(t, "pause")
			p.act(t, now)
		}
		p.check(t)
		p.gate.Tick(moment(now + 2*3600))
		if len(p.gate.Episodes()) > 0 {
			t.Fatal("an episode does not end")
		}
	})
}

// act lets one thing happen at a moment.
func (p *post) act(t *rapid.T, now float64) {
	lane := rapid.SampledFrom([]string{"east", "west", "yard"}).Draw(t, "lane")
	stamp := fmt.Sprintf("%d:%d", int(now)/60, int(now)%60)
	switch rapid.IntRange(0, 7).Draw(t, "what") {
	case 0, 1, 2:
		p.do(t, stamp+" "+lane+" card "+rapid.SampledFrom([]string{resident, visitor, stranger, lost}).Draw(t, "card"))
	case 3, 4, 5:
		if lane != "yard" {
			p.do(
				t,
				stamp+" "+lane+" "+rapid.SampledFrom([]string{"36.5", "38.4", "33.0", "36.5 higher"}).Draw(t, "value"),
			)
		}
	case 6:
		of := rapid.Uint64Range(1, p.seq+1).Draw(t, "of")
		p.do(t, stamp)
		if at := moment(float64(int(now))); p.gate.Enterable(at, "east", []uint64{of}) == nil {
			p.do(
				t,
				fmt.Sprintf("%s %s %s of %d", stamp, rapid.SampledFrom([]string{"contact", "forehead"}).Draw(t, "by"),
					rapid.SampledFrom([]string{"36.6", "38.6", "34.2"}).Draw(t, "value"), of),
			)
		}
	case 7:
		p.do(t, stamp)
		before := p.gate.Episodes()
		p.start()
		p.do(t, stamp)
		if after := p.gate.Episodes(); !reflect.DeepEqual(after, before) {
			t.Fatalf("after a restart %+v, before it %+v", after, before)
		}
	}
}

// check holds the passages against each other: whoever has an open episode does not pass.
func (p *post) check(t *rapid.T) {
	ill := map[string]*wire.EpisodeStep{} // by credential
	for _, e := range p.past {
		x := e.Passage
		if x.Credential == "" {
			continue
		}
		was := ill[x.Credential]
		over := was != nil && !e.At.Before(was.Until.Time)
		if x.Verdict == fact.VerdictPass && was != nil && !over &&
			(x.Episode == nil || x.Episode.ID != was.ID || x.Episode.Step != fact.EpisodeCleared) {
			t.Fatalf("%+v passes with %+v", x, was)
		}
		switch {
		case x.Episode == nil && over:
			delete(ill, x.Credential)
		case x.Episode != nil && x.Episode.Step == fact.EpisodeCleared:
			delete(ill, x.Credential)
		case x.Episode != nil:
			ill[x.Credential] = x.Episode
		}
	}
}
