// Package retention removes from the store, beside the commits and in small steps,
// the records that are older than the county keeps them.
package retention

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/wire"
)

// Config says for how long the store keeps the records of each kind, counted from
// when the county received them. What is not set is kept for ever.
type Config struct {
	Readings Age `yaml:"readings,omitempty"` // measurements and taps of gates' devices, at least 1h
	Health   Age `yaml:"health,omitempty"`   // states of devices, agents and clocks, baselines, at least 1h
	Passages Age `yaml:"passages,omitempty"` // verdicts of gates; counts by the hour stay on the desk; at least 3d
	Tracks   Age `yaml:"tracks,omitempty"`   // where machines were; the desk counts by their clocks; at least 3d
	Runs     Age `yaml:"runs,omitempty"`     // disinfection runs, at least 3d
	Alerts   Age `yaml:"alerts,omitempty"`   // alarms, what guards answered, field checks, at least 3d
}

// Age is a duration that is written in days: 14d; or as Go writes it: 36h.
type Age time.Duration

const day = 24 * time.Hour

// UnmarshalText reads an age.
func (a *Age) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if n, isDays := strings.CutSuffix(s, "d"); isDays {
		days, err := strconv.ParseUint(n, 10, 16)
		if err == nil {
			*a = Age(time.Duration(days) * day)
			return nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is no age: write days like 14d, or hours like 36h", s)
	}
	*a = Age(d)
	return nil
}

// MarshalText writes an age as UnmarshalText reads it.
func (a Age) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// String returns 14d for whole days, and otherwise what Go writes.
func (a Age) String() string {
	if d := time.Duration(a); d%day == 0 && d != 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return time.Duration(a).String()
}

// rule says for how long records of some kinds are kept.
type rule struct {
	name  string // of the key
	age   time.Duration
	least time.Duration
	kinds []wire.Kind
}

func (c Config) rules() []rule {
	return []rule{
		{"readings", time.Duration(c.Readings), time.Hour, []wire.Kind{wire.KindReading}},
		{"health", time.Duration(c.Health), time.Hour, []wire.Kind{wire.KindHealth, wire.KindClock, wire.KindBaseline}},
		{"passages", time.Duration(c.Passages), 3 * day, []wire.Kind{wire.KindPassage}},
		{"tracks", time.Duration(c.Tracks), 3 * day, []wire.Kind{wire.KindTrack}},
		{"runs", time.Duration(c.Runs), 3 * day, []wire.Kind{wire.KindRun}},
		{"alerts", time.Duration(c.Alerts), 3 * day, []wire.Kind{wire.KindAlarm, wire.KindAudit, wire.KindCheck}},
	}
}

// Check returns what is wrong.
func (c Config) Check() error {
	var errs []error
	for _, r := range c.rules() {
		if r.age != 0 && r.age < r.least {
			errs = append(errs, fmt.Errorf("%s: %s is less than %s: write at least that, or leave the key out to keep "+
				"them for ever", r.name, Age(r.age), Age(r.least)))
		}
	}
	return errors.Join(errs...)
}

// Kept is for how long records are kept, for people.
type Kept struct {
	Name  string // of the key
	Age   Age    // 0: for ever
	Kinds []wire.Kind
}

// Kept returns for how long each sort of records is kept.
func (c Config) Kept() (out []Kept) {
	for _, r := range c.rules() {
		out = append(out, Kept{r.name, Age(r.age), r.kinds})
	}
	return out
}
