// Package trial tries rules out before they are in force: cases, each with what has
// passed, who comes and what must be decided, go through the gate; and two versions of
// the rules are compared.
package trial

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/fact"

	"gatehouse/gateway/policy"
)

// File is a file of cases.
type File struct {
	Policy string `yaml:"policy"` // file, beside this one
	Roster string `yaml:"roster"` // file, beside this one
	// RosterText is a roster itself, for cases that are kept by the county's desk.
	RosterText string `yaml:"roster_text,omitempty"`

	Zone   string            `yaml:"zone,omitempty"` // default Asia/Shanghai
	Lanes  []Lane            `yaml:"lanes,omitempty"`
	People map[string]string `yaml:"people"` // cards and codes, by the names of the cases
	Cases  []Case            `yaml:"cases"`
}

// Lane is one way through the gate; a file that lists none has one, which measures.
type Lane struct {
	Name     string `yaml:"name"`
	Measures *bool  `yaml:"measures,omitempty"` // default true
}

// Case is one situation, and what the rules must say.
type Case struct {
	Name     string    `yaml:"name"`
	Baseline *Baseline `yaml:"baseline,omitempty"` // what the thermometers have read before; absent: nothing
	Given    []Step    `yaml:"given,omitempty"`    // what has passed before, oldest first
	When     Step      `yaml:"when"`
	Then     Then      `yaml:"then"`

	line int
}

// Step is somebody who comes to the gate.
type Step struct {
	At          string      `yaml:"at"`                    // 2020-02-14 08:00, as the gate's clock shows it
	Who         string      `yaml:"who"`                   // a name of people, or nobody: without a card
	Goes        string      `yaml:"goes,omitempty"`        // in or out; absent: at a reader for both ways
	Lane        string      `yaml:"lane,omitempty"`        // default: the first one
	Temperature Temperature `yaml:"temperature,omitempty"` // screening; none: not measured; default 36.5
	Ambient     *fact.Temp  `yaml:"ambient,omitempty"`     // °C; default 20, of a device that is rated for 16 to 35
	With        string      `yaml:"with,omitempty"`        // contact, forehead: entered; second: another device
	Picks       string      `yaml:"picks,omitempty"`       // oldest: the guard picks whose second measurement it is
	Clock       string      `yaml:"clock,omitempty"`       // unsynchronised: not known to be right
	Restart     string      `yaml:"restart,omitempty"`     // before this: agent, or computer
	Then        *Then       `yaml:"then,omitempty"`        // of a step of given; absent: it passes
}

// Baseline is what the gate's thermometers usually read of people, at an ambient
// temperature of 20 to 25 °C.
type Baseline struct {
	Median fact.Temp `yaml:"median_c"`
	Spread fact.Temp `yaml:"spread_c"` // robust standard deviation
}

// Temperature is a value such as 36.5, or "none".
type Temperature string

// Then is what must be decided. What is absent is not asked.
type Then struct {
	Verdict     fact.Verdict     `yaml:"verdict"`
	Reasons     []fact.Reason    `yaml:"reasons,flow,omitempty"` // all of them, in their order
	Instruction fact.Instruction `yaml:"instruction,omitempty"`
	Rule        string           `yaml:"rule,omitempty"`    // that decided about the card
	Next        string           `yaml:"next,omitempty"`    // 2020-02-15 00:00: from when it lets the card pass
	Episode     fact.EpisodeStep `yaml:"episode,omitempty"` // what it means in a fever episode, or none
	Ready       string           `yaml:"ready,omitempty"`   // 2020-02-14 08:10: from when the second measurement counts
	Told        int              `yaml:"told,omitempty"`    // fever episodes that have ended unsettled before this step
}

const layout = "2006-01-02 15:04"

// The bounds of a baseline, in °C/100.
const baselineMin, baselineMax, spreadMax = 3000, 3729, 200

// mostCases bounds a file.
const mostCases = 10_000

// Suite is a file of cases with its rules.
type Suite struct {
	file   File
	roster string
	rules  *policy.Rules
	zone   *time.Location
}

// Load reads a file of cases and the rules that it names, or the given ones instead.
// Its error names line and reason.
func Load(path, policyFile, rosterFile string) (*Suite, error) {
	text, err := config.Read(path)
	if err != nil {
		return nil, err
	}
	s, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	dir := filepath.Dir(path)
	s.roster = cmp.Or(rosterFile, filepath.Join(dir, s.file.Roster))
	s.rules, err = Rules(cmp.Or(policyFile, filepath.Join(dir, s.file.Policy)), s.roster)
	return s, err
}

// parse reads cases, without rules.
func parse(text []byte) (*Suite, error) {
	f, err := config.Parse[File](text)
	if err != nil {
		return nil, err
	}
	if text, err = config.Text(text); err != nil {
		return nil, err
	}
	for i, line := range config.Lines(text, "cases") {
		if i < len(f.Cases) {
			f.Cases[i].line = line
		}
	}
	s := &Suite{file: f}
	if s.zone, err = config.Zone(f.Zone); err != nil {
		return nil, err
	}
	return s, s.check()
}

// Check returns what is wrong with the text of cases, each fault with its line.
func Check(text []byte) error {
	_, err := parse(text)
	return err
}

// Parse reads the text of cases, which are tried on a policy, with the roster that stands in
// the text as roster_text; where none does, with the one given.
func Parse(text []byte, p policy.Policy, roster []byte) (*Suite, error) {
	s, err := parse(text)
	if err != nil {
		return nil, err
	}
	if s.file.RosterText != "" {
		roster = []byte(s.file.RosterText)
	}
	if s.rules, err = Parsed(p, roster); err != nil {
		return nil, fmt.Errorf("roster_text: %w", err)
	}
	return s, nil
}

// Parsed returns the rules of a policy and the text of its roster, without the key for
// pseudonyms.
func Parsed(p policy.Policy, roster []byte) (*policy.Rules, error) {
	return policy.ParseRosterText(p, roster, plain{})
}

// Roster returns the name of the roster's file.
func (s *Suite) Roster() string { return s.roster }

// Rules reads a policy and its roster without the key for pseudonyms.
func Rules(policyFile, rosterFile string) (*policy.Rules, error) {
	p, err := policy.Load(policyFile)
	if err != nil {
		return nil, err
	}
	return policy.LoadRules(p, rosterFile, plain{})
}

// Guards returns the guards of a list beside rules that Parsed or Rules has returned.
func Guards(list []policy.Guard, r *policy.Rules) (policy.Guards, error) {
	return policy.NewGuards(list, r, plain{})
}

// plain takes cards as they are.
type plain struct{}

func (plain) Pseudonym(kind, code string) string {
	return kind + " " + strings.ToUpper(strings.TrimSpace(code))
}

// check returns what is wrong with the cases, each fault with its line.
func (s *Suite) check() error {
	if len(s.file.Cases) == 0 || len(s.file.Cases) > mostCases {
		return fmt.Errorf("cases: none are given, or more than %d", mostCases)
	}
	var errs []error
	names := map[string]int{}
	for _, c := range s.file.Cases {
		add := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("line %d: %s: %w", c.line, c.Name, fmt.Errorf(format, args...)))
		}
		if before := names[c.Name]; c.Name == "" || before > 0 {
			add("name: is missing, or the case on line %d has it", before)
		}
		names[c.Name] = c.line
		if !c.Then.Verdict.Valid() {
			add("then.verdict %q: write pass, refuse, retest, invalid or fever", c.Then.Verdict)
		}
		for i, step := range append(slices.Clone(c.Given), c.When) {
			if err := s.checkStep(step); err != nil {
				add("step %d: %w", i+1, err)
			}
		}
		if b := c.Baseline; b != nil && (b.Median < baselineMin || b.Median > baselineMax || b.Spread < 0 ||
			b.Spread > spreadMax) {
			add("baseline: write median_c, 30 to 37.29, and spread_c, 0 to 2")
		}
		if c.When.Then != nil {
			add("when.then: write then beside when")
		}
	}
	return errors.Join(errs...)
}

func (s *Suite) checkStep(x Step) error {
	if _, err := time.ParseInLocation(layout, x.At, s.zone); err != nil {
		return fmt.Errorf("at %q: write it as 2020-02-14 08:00", x.At)
	}
	if _, known := s.file.People[x.Who]; !known && x.Who != nobody {
		return fmt.Errorf("who %q is not listed under people", x.Who)
	}
	if !fact.Direction(x.Goes).Valid() {
		return fmt.Errorf("goes %q: write in or out", x.Goes)
	}
	if x.Lane != "" && !slices.ContainsFunc(s.file.Lanes, func(l Lane) bool { return l.Name == x.Lane }) {
		return fmt.Errorf("lane %q is not listed under lanes", x.Lane)
	}
	if _, _, err := x.Temperature.value(); err != nil {
		return fmt.Errorf("temperature %q: write a number such as 36.5, or none", x.Temperature)
	}
	if x.With != "" && x.With != secondDevice && !fact.HandHeld(x.With).Valid() {
		return fmt.Errorf("with %q: write contact, forehead or second, or leave it away", x.With)
	}
	if x.Picks != "" && (x.Picks != oldest || x.Who != nobody) {
		return fmt.Errorf("picks %q: write oldest, and who: nobody, or leave it away", x.Picks)
	}
	if x.Clock != "" && x.Clock != unsynchronised {
		return fmt.Errorf("clock %q: write unsynchronised, or leave it away", x.Clock)
	}
	if x.Restart != "" && x.Restart != restartAgent && x.Restart != restartComputer {
		return fmt.Errorf("restart %q: write agent or computer", x.Restart)
	}
	return nil
}

// value returns the temperature; measured is false when nobody was measured.
func (t Temperature) value() (v fact.Temp, measured bool, err error) {
	switch t {
	case "":
		return 3650, true, nil
	case "none":
		return 0, false, nil
	}
	v, err = fact.ParseTemp(string(t))
	return v, true, err
}
