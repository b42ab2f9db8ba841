package trial

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// Words of a step.
const (
	nobody          = "nobody"
	unsynchronised  = "unsynchronised"
	restartAgent    = "agent"
	restartComputer = "computer"
	secondDevice    = "second"
	oldest          = "oldest"
	noEpisode       = "none"
)

// Outcome is what became of a case.
type Outcome struct {
	Name  string
	Line  int
	Got   string   // verdict, reasons and rule
	Wrong []string // what is not as written; empty: all is
}

// Run lets all cases go through the gate, each for itself.
func (s *Suite) Run() []Outcome {
	var out []Outcome
	for _, c := range s.file.Cases {
		out = append(out, s.try(c))
	}
	return out
}

// try plays one case.
func (s *Suite) try(c Case) Outcome {
	o := Outcome{Name: c.Name, Line: c.line}
	p := &play{suite: s, baseline: c.Baseline, now: clock.Moment{Boot: time.Hour}}
	for i, step := range c.Given {
		then := Then{Verdict: fact.VerdictPass}
		if step.Then != nil {
			then = *step.Then
		}
		for _, wrong := range then.compare(p.step(step), p.told, s.zone) {
			o.Wrong = append(o.Wrong, fmt.Sprintf("given, step %d (%s): %s", i+1, step.Who, wrong))
		}
	}
	got := p.step(c.When)
	o.Got = Brief(got, s.zone)
	o.Wrong = append(o.Wrong, c.Then.compare(got, p.told, s.zone)...)
	return o
}

// play is one case on its way through the gate.
type play struct {
	suite    *Suite
	gate     *gate.Gate
	now      clock.Moment
	seq      uint64
	passages []gate.Earlier
	baseline *Baseline
	told     int // fever episodes that ended unsettled when the time until this step had passed
}

// step lets somebody come, and returns the last passage of their visit.
func (p *play) step(x Step) (last wire.Passage) {
	p.pass(x)
	if p.gate == nil || x.Restart != "" {
		p.restart(x.Restart == restartComputer)
	}
	p.gate.SetSynchronised(p.now, x.Clock != unsynchronised)
	p.gate.Tick(p.now)
	p.told = len(p.gate.Unresolved())
	first := p.seq + 1
	keep := func(events []gate.Event) {
		for _, e := range events {
			passage := e.Passage
			p.passages = append(p.passages, gate.Earlier{At: p.now.Wall, Synchronised: x.Clock != unsynchronised,
				Boot: p.now.Boot, Passage: &passage})
			if slices.ContainsFunc(passage.Readings, func(seq uint64) bool { return seq >= first }) {
				last = passage
			}
		}
	}
	lane := p.suite.laneOf(x.Lane)
	if all := p.gate.Episodes(); x.Picks == oldest && len(all) > 0 {
		_ = p.gate.Retest(p.now, lane.Name, all[0].ID) // where it can't be, the case shows it
	}
	if x.Who != nobody {
		kind, code := "card", p.suite.file.People[x.Who]
		if text, is := strings.CutPrefix(code, "code:"); is {
			kind, code = "code", text
		}
		keep(p.observe(wire.Reading{Device: "reader " + lane.Name, Type: fact.ReadingCard,
			Credential: plain{}.Pseudonym(kind, code), Direction: fact.Direction(x.Goes)}))
	}
	if v, measured, _ := x.Temperature.value(); measured && lane.Measures {
		t := wire.Temperature{Object: v, Screening: v, Ambient: 2000, RatedMin: 1600, RatedMax: 3500, Samples: 5,
			Settled: true}
		if x.Ambient != nil {
			t.Ambient = *x.Ambient
		}
		r := wire.Reading{Device: lane.Thermometers[0], Type: fact.ReadingTemperature, Temperature: &t}
		switch {
		case x.With == secondDevice:
			r.Device = lane.Thermometers[1]
		case x.With != "":
			r = wire.Reading{Device: x.With, Type: fact.ReadingEntered, Lane: lane.Name,
				Entered: &wire.Entered{Value: v, With: fact.HandHeld(x.With), Of: p.of(first)}}
		}
		keep(p.observe(r))
	}
	p.now = p.now.Add(2 * p.suite.rules.Limits.Pairing)
	keep(p.gate.Tick(p.now))
	return last
}

// of returns the readings of the person for whom the guard enters a value: what they
// tapped, or without a card what opened the oldest fever episode.
func (p *play) of(first uint64) []uint64 {
	if all := p.gate.Episodes(); p.seq < first && len(all) > 0 {
		return []uint64{wire.EpisodeReading(all[0].ID)}
	} else if p.seq < first {
		return nil
	}
	return []uint64{first}
}

func (p *play) observe(r wire.Reading) []gate.Event {
	p.seq++
	return p.gate.Observe(p.now, p.seq, r)
}

// pass lets the time until a step pass. A clock that is not right shows what the step
// says, whatever has passed.
func (p *play) pass(x Step) {
	at, err := time.ParseInLocation(layout, x.At, p.suite.zone)
	if err != nil {
		return // the case was checked
	}
	passed := at.Sub(p.now.Wall)
	if p.now.Wall.IsZero() || passed < 0 || x.Clock == unsynchronised {
		passed = time.Minute
	}
	p.now = clock.Moment{Wall: at.UTC(), Boot: p.now.Boot + passed}
}

// restart makes a gate that knows what the journal holds.
func (p *play) restart(computer bool) {
	if computer {
		p.now.Boot = time.Minute
		for i := range p.passages {
			p.passages[i].Boot = 0
		}
	}
	p.gate = gate.New(gate.Config{Rules: p.suite.rules, Zone: p.suite.zone, Lanes: p.suite.gateLanes()})
	for _, e := range p.passages {
		p.gate.Remember(e)
	}
	if p.baseline == nil {
		return
	}
	for _, l := range p.suite.gateLanes() {
		for _, device := range l.Thermometers {
			p.gate.RememberBaseline(p.baseline.record(device))
		}
	}
}

// record returns readings whose median and spread are those of the baseline: of three, two
// are as far from the median as makes the spread.
func (b Baseline) record(device string) *wire.Baseline {
	away := fact.Temp(float64(b.Spread)/1.4826 + 0.5)
	out := &wire.Baseline{Device: device, Ambient: 2000}
	for i := range fact.Temp(wire.MaxBaseline) {
		out.Values = append(out.Values, b.Median+away*(i%3-1))
	}
	return out
}

// laneOf returns the lane with a name, or the first one.
func (s *Suite) laneOf(name string) gate.Lane {
	lanes := s.gateLanes()
	if i := slices.IndexFunc(lanes, func(l gate.Lane) bool { return l.Name == name }); i >= 0 {
		return lanes[i]
	}
	return lanes[0]
}

// gateLanes returns the lanes of the cases, each with its devices.
func (s *Suite) gateLanes() (out []gate.Lane) {
	lanes := s.file.Lanes
	if len(lanes) == 0 {
		lanes = []Lane{{}}
	}
	for _, l := range lanes {
		out = append(out, gate.Lane{Name: l.Name, Measures: l.Measures == nil || *l.Measures,
			Thermometers: []string{
				"thermometer " + l.Name,
				"thermometer 2 " + l.Name,
			}, Readers: []string{"reader " + l.Name}})
	}
	return out
}

// compare returns what of a passage is not as written.
func (t Then) compare(p wire.Passage, told int, zone *time.Location) []string {
	rule, next, episode, ready := "", "", noEpisode, ""
	if p.Episode != nil {
		episode, ready = string(p.Episode.Step), p.Episode.Ready.In(zone).Format(layout)
	}
	if p.Basis != nil {
		rule = p.Basis.Rule
		if p.Basis.Next != nil {
			next = p.Basis.Next.In(zone).Format(layout)
		}
	}
	var want []string
	add := func(what, wanted, got string) {
		if wanted != "" && wanted != got {
			want = append(want, what+wanted)
		}
	}
	add("", string(t.Verdict), string(p.Verdict))
	add("because of ", fact.JoinReasons(t.Reasons, ", "), fact.JoinReasons(p.Reasons, ", "))
	add("", string(t.Instruction), string(p.Instruction))
	add("by ", t.Rule, rule)
	add("may pass again from ", t.Next, next)
	add("in the episode ", string(t.Episode), episode)
	add("ready at ", t.Ready, ready)
	if t.Told != 0 && t.Told != told {
		want = append(want, fmt.Sprintf("%d unsettled episodes ended before, not %d", t.Told, told))
	}
	if len(want) == 0 {
		return nil
	}
	return []string{"want " + strings.Join(want, ", ") + "; got " + Brief(p, zone)}
}

// Brief returns a passage in a line: verdict, reasons, instruction and rule.
func Brief(p wire.Passage, zone *time.Location) string {
	if p.Verdict == "" {
		return "no verdict"
	}
	s := fmt.Sprintf("%s (%s), %s", p.Verdict, fact.JoinReasons(p.Reasons, ", "), p.Instruction)
	if p.Basis != nil {
		s += ", by " + p.Basis.Rule
		if p.Basis.Next != nil {
			s += ", again from " + p.Basis.Next.In(zone).Format(layout)
		}
	}
	if p.Episode != nil {
		s += fmt.Sprintf(", in the episode %s, ready at %s", p.Episode.Step, p.Episode.Ready.In(zone).Format(layout))
	}
	return s
}
