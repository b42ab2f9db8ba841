package policy

import (
	"time"

	"gatehouse/gateway/baseline"
)

// Thermometers says what is asked of the gate's own thermometers.
type Thermometers struct {
	Baseline *baseline.Rules `yaml:"baseline,omitempty"` // what is high for the gate; absent: nothing is
	Check    *FieldChecks    `yaml:"check,omitempty"`    // absent: a thermometer that was never checked need not be
}

// FieldChecks says how often a thermometer is compared with a contact thermometer.
type FieldChecks struct {
	Every time.Duration `yaml:"every,omitempty"` // 24h to 2160h; absent: 336h, which is 14 days
}

// DefaultCheckEvery is how often a thermometer is checked where the policy does not say.
// ISO/TR 13154 asks for a drift of less than 0.1 °C over 14 days.
const DefaultCheckEvery = 14 * 24 * time.Hour

// RetestWithin is how long somebody whose value was high for the gate counts as the same
// person when they are measured again.
const RetestWithin = 10 * time.Minute

const fieldCheckMin, fieldCheckMax = 24 * time.Hour, 90 * 24 * time.Hour

// CheckEvery returns how often a thermometer is to be checked.
func (t Thermometers) CheckEvery() time.Duration {
	if t.Check == nil || t.Check.Every == 0 {
		return DefaultCheckEvery
	}
	return t.Check.Every
}

func (c *checker) thermometers(t Thermometers) {
	if t.Baseline != nil {
		if err := t.Baseline.Check(); err != nil {
			c.at("baseline").add("baseline: %w", err)
		}
	}
	if e := t.CheckEvery(); e < fieldCheckMin || e > fieldCheckMax {
		c.at("check").fault("every", " %s: must be 24h to 2160h", e)
	}
}
