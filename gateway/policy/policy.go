// Package policy holds the rules of a gate: a rule set, read from a YAML file, and a
// roster, read from a CSV file, of the cards that may pass. A card that the roster does
// not list may not. Package engine applies them.
package policy

import (
	"fmt"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/fact"
)

// Policy is one version of the rule set. What an absent key means stands at its type.
type Policy struct {
	Version string           `yaml:"version"` // named in every passage it decided
	Limits  Limits           `yaml:"limits"`
	Default string           `yaml:"default,omitempty"` // deny: who is not listed may not pass; it can't be changed
	Classes map[string]Class `yaml:"classes"`
	Sealed  *Sealed          `yaml:"sealed,omitempty"` // absent: cards with the status sealed pass neither way
	Lost    Lost             `yaml:"lost,omitempty"`
	Passes  *Passes          `yaml:"passes,omitempty"`  // absent: signed passes don't count
	Episode *Episode         `yaml:"episode,omitempty"` // absent: the first reading settles it
	// Unsynchronised says what days and hours are judged by while the clock is not
	// known to be right.
	Unsynchronised Unsynchronised `yaml:"unsynchronised,omitempty"`
	Post           `yaml:",inline"`

	Thermometers `yaml:",inline"`
}

// Limits are the numbers that readings are compared with.
type Limits struct {
	Fever        fact.Temp     `yaml:"fever_c"`         // fever at or above; 37.3 °C is the rule in force
	InvalidBelow fact.Temp     `yaml:"invalid_below_c"` // no forehead reads this low unless it is cold
	Pairing      time.Duration `yaml:"pairing"`         // card and temperature belong together within this
}

// Class is a class of people, such as residents, or of vehicles.
type Class struct {
	Fever        fact.Instruction `yaml:"fever"`                   // go-home (lives here) or turn-away
	Directions   []fact.Direction `yaml:"directions,flow"`         // in which its cards may pass
	Windows      []Window         `yaml:"windows,omitempty"`       // hours; absent: all
	Quota        *Quota           `yaml:"quota,omitempty"`         // absent: none
	AntiPassback Passback         `yaml:"anti_passback,omitempty"` // absent: off
	Amnesty      time.Duration    `yaml:"amnesty,omitempty"`       // of anti_passback; absent: 24h
	Purposes     []string         `yaml:"purposes,flow,omitempty"` // its passes name one of them; absent: not asked
	Before       []Before         `yaml:"before,omitempty"`        // lanes to pass before others
}

// Window is a time of day in which a class may pass. A direction that no window of the
// class names is open at all hours.
type Window struct {
	Days       []string         `yaml:"days,flow,omitempty"`       // mon to sun, on which it begins; absent: all
	From       string           `yaml:"from"`                      // 06:00, in the county's time
	Until      string           `yaml:"until"`                     // 22:00, not included; before from: of the next day
	Directions []fact.Direction `yaml:"directions,flow,omitempty"` // absent: both
}

// Quota bounds how often a household, or each card, passes. One of Exits and Entries
// is given.
type Quota struct {
	Exits   int  `yaml:"exits,omitempty"`
	Entries int  `yaml:"entries,omitempty"`
	Days    int  `yaml:"days"` // calendar days of the county, today included
	Per     Each `yaml:"per"`
}

// Each says whose passages a quota counts together.
type Each string

// Whose they are.
const (
	PerHousehold Each = "household"
	PerCard      Each = "card"
)

// Passback says what happens to a card that goes the way that it went last.
type Passback string

// What happens.
const (
	PassbackOff  Passback = "off"
	PassbackSoft Passback = "soft" // it passes, and the passage says so
	PassbackHard Passback = "hard" // it is refused
)

// DefaultAmnesty is after how long the last direction of a card is forgotten.
const DefaultAmnesty = 24 * time.Hour

// Before is a lane that a card passes before others, such as the disinfection of
// vehicles.
type Before struct {
	Lane       string           `yaml:"lane"`                      // that must have been passed
	Within     time.Duration    `yaml:"within"`                    // so long before at most
	At         []string         `yaml:"at,flow,omitempty"`         // lanes that ask for it; absent: all but such lanes
	Directions []fact.Direction `yaml:"directions,flow,omitempty"` // in which it is asked; absent: both
}

// Sealed says what households may do that have a card with the status sealed. It then
// holds for all cards of the household.
type Sealed struct {
	In       Entry    `yaml:"in,omitempty"`          // absent: deny
	Visits   []string `yaml:"visits,flow,omitempty"` // classes and purposes of cards that visit such households
	Openings Openings `yaml:"openings,omitempty"`    // absent: none
}

// Entry says whether somebody of a sealed household may come home.
type Entry string

// Whether they may.
const (
	EntryAllow Entry = "allow"
	EntryDeny  Entry = "deny"
)

// Openings says when somebody of a sealed household may leave.
type Openings string

// When they may.
const (
	OpeningsNone     Openings = "none"
	OpeningsDeclared Openings = "declared" // in the time in the column opening of the roster
)

// Lost says what becomes of whoever shows a card that was reported lost.
type Lost struct {
	Pass LostPass `yaml:"pass,omitempty"` // absent: deny
}

// Passes says that codes which the county has signed count as cards.
type Passes struct {
	Days int `yaml:"days"` // for which a pass may be valid at most, 1 to 31
}

// LostPass says whether the person may pass.
type LostPass string

// Whether they may.
const (
	LostDeny     LostPass = "deny"
	LostIdentify LostPass = "identify" // after the guard has checked who it is
)

// Unsynchronised says what days and hours are judged by.
type Unsynchronised string

// By what. The default is LastKnownDay.
const (
	LastKnownDay Unsynchronised = "last-known-day" // the last known time and what the boot clock has counted since
	OwnClock     Unsynchronised = "own-clock"      // the wall clock, as it is
)

// Load reads and checks a rule file. Its error names line and reason.
func Load(path string) (Policy, error) {
	b, err := config.Read(path)
	if err != nil {
		return Policy{}, err
	}
	p, err := Parse(b)
	if err != nil {
		return p, fmt.Errorf("%s:\n%w", path, err)
	}
	return p, nil
}

// Parse reads and checks the text of a rule file.
func Parse(text []byte) (Policy, error) {
	p, err := config.Parse[Policy](text)
	if err != nil {
		return p, err
	}
	if text, err = config.Text(text); err != nil {
		return p, err
	}
	return p, p.check(text)
}

// OnFever returns the instruction for somebody of a class who has a fever. Unknown
// classes are turned away.
func (p Policy) OnFever(class string) fact.Instruction {
	if c, ok := p.Classes[class]; ok {
		return c.Fever
	}
	return fact.InstructTurnAway
}
