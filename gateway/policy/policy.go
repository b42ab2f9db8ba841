// Package policy holds the rules of a gate: a rule set, read from a YAML file, with
// the limits of temperatures, and a roster, read from a CSV file, of the cards that
// may pass. A card that the roster does not list may not.
package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/fact"
)

// Policy is one version of the rule set.
type Policy struct {
	Version string           `yaml:"version"` // named in every passage it decided
	Limits  Limits           `yaml:"limits"`
	Classes map[string]Class `yaml:"classes"`
}

// Limits are the numbers that readings are compared with.
type Limits struct {
	Fever        fact.Temp     `yaml:"fever_c"`         // fever at or above; 37.3 °C is the rule in force
	InvalidBelow fact.Temp     `yaml:"invalid_below_c"` // no forehead reads this low unless it is cold
	Pairing      time.Duration `yaml:"pairing"`         // card and temperature belong together within this
}

// Class is a class of people, such as residents.
type Class struct {
	Fever      fact.Instruction `yaml:"fever"`           // go-home (lives here) or turn-away
	Directions []fact.Direction `yaml:"directions,flow"` // in which its cards may pass
}

// The range that a limit may be configured in.
const (
	feverMin, feverMax     = 3600, 4200
	invalidMin, invalidMax = 3000, 3650
	pairingMin, pairingMax = time.Second, time.Minute
)

// Load reads and checks a rule file.
func Load(path string) (Policy, error) {
	p, err := config.Load[Policy](path)
	if err != nil {
		return p, err
	}
	if err := p.check(); err != nil {
		return p, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// Parse reads and checks the text of a rule file.
func Parse(text []byte) (Policy, error) {
	p, err := config.Parse[Policy](text)
	if err != nil {
		return p, err
	}
	return p, p.check()
}

func (p Policy) check() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if p.Version == "" {
		add("version: is missing")
	}
	l := p.Limits
	if l.Fever < feverMin || l.Fever > feverMax {
		add("limits.fever_c %s: must be 36 to 42 °C", l.Fever)
	}
	if l.InvalidBelow < invalidMin || l.InvalidBelow > invalidMax || l.InvalidBelow >= l.Fever {
		add("limits.invalid_below_c %s: must be 30 to 36.5 °C and below fever_c", l.InvalidBelow)
	}
	if l.Pairing < pairingMin || l.Pairing > pairingMax {
		add("limits.pairing %s: must be 1s to 60s", l.Pairing)
	}
	if len(p.Classes) == 0 {
		add("classes: none are given")
	}
	for name, c := range p.Classes {
		if c.Fever != fact.InstructGoHome && c.Fever != fact.InstructTurnAway {
			add("classes.%s.fever %q: write go-home or turn-away", name, c.Fever)
		}
		if len(c.Directions) == 0 {
			add("classes.%s.directions: write in, out or both", name)
		}
		for _, d := range c.Directions {
			if d != fact.DirectionIn && d != fact.DirectionOut {
				add("classes.%s.directions: %q is neither in nor out", name, d)
			}
		}
	}
	return errors.Join(errs...)
}

// Standing says whether a credential may pass at a moment, and why not.
type Standing struct {
	Class   string // empty when unknown
	Allowed bool
	Reason  fact.Reason // why not, when not allowed
}

// Rules is a policy with its roster. It is never changed after LoadRules.
type Rules struct {
	Policy
	people map[string]Person // by pseudonym
}

// Knows reports whether the roster lists a credential.
func (r *Rules) Knows(credential string) bool {
	_, known := r.people[credential]
	return known
}

// Standing looks a credential up. With DirectionNone, of a reader for both ways,
// it is enough that the class may pass one way. day is the wall clock in the county's
// time zone: cards are valid for whole days.
func (r *Rules) Standing(credential string, d fact.Direction, day time.Time) Standing {
	p, known := r.people[credential]
	if !known {
		return Standing{Reason: fact.ReasonUnknownCard}
	}
	s := Standing{Class: p.Class}
	date := day.Format(time.DateOnly)
	switch {
	case p.Status == StatusLost:
		s.Reason = fact.ReasonLostCard
	case p.Status == StatusSealed:
		s.Reason = fact.ReasonSealed
	case p.From != "" && date < p.From:
		s.Reason = fact.ReasonNotYet
	case p.Until != "" && date > p.Until:
		s.Reason = fact.ReasonExpired
	case d != fact.DirectionNone && !slices.Contains(r.Classes[p.Class].Directions, d):
		s.Reason = fact.ReasonDirection
	default:
		s.Allowed = true
	}
	return s
}

// OnFever returns the instruction for somebody of a class who has a fever. Unknown
// classes are turned away.
func (r *Rules) OnFever(class string) fact.Instruction {
	if c, ok := r.Classes[class]; ok {
		return c.Fever
	}
	return fact.InstructTurnAway
}

// People returns the number of credentials in the roster.
func (r *Rules) People() int { return len(r.people) }
