package wire

import (
	"errors"
	"fmt"
	"slices"

	"gatehouse/gateway/fact"
)

// MaxBaseline is how many values a Baseline has at most.
const MaxBaseline = 200

// Usual is what a measurement was compared with: what the gate's thermometer usually
// reads of people while its ambient temperature is in a range 5 °C wide.
type Usual struct {
	Ambient  fact.Temp `json:"ambient_c"` // lower end of the range, °C
	Readings int       `json:"readings"`  // of people without a fever, that it was told from
	Median   fact.Temp `json:"median_c"`  // of them, with the site offset, °C
	Spread   fact.Temp `json:"spread_c"`  // robust standard deviation of them, or the least that the policy allows
	High     fact.Temp `json:"high_c"`    // high at or above, °C
}

// Baseline is what a thermometer has read of people without a fever while its ambient
// temperature was in a range. It replaces an earlier record of the device and range.
type Baseline struct {
	Device  string      `json:"device"`    // its name in the agent's configuration
	Ambient fact.Temp   `json:"ambient_c"` // lower end of the range, which is 5 °C wide
	Values  []fact.Temp `json:"values_c"`  // the newest, 200 at most, as the device gave them, oldest first
}

// Kind is KindBaseline.
func (*Baseline) Kind() Kind { return KindBaseline }

// Check returns an error that says what is missing.
func (b *Baseline) Check() error {
	switch {
	case b.Device == "":
		return errors.New("device is missing")
	case len(b.Values) == 0 || len(b.Values) > MaxBaseline:
		return fmt.Errorf("%d values: must be 1 to %d", len(b.Values), MaxBaseline)
	}
	return nil
}

// CheckPair is what a contact thermometer and the gate's own showed of the same person.
type CheckPair struct {
	Contact   fact.Temp `json:"contact_c"`   // as the guard entered it, °C
	Screening fact.Temp `json:"screening_c"` // of the gate's thermometer, with the site offset, °C
	Reading   uint64    `json:"reading"`     // seq of its reading, this journal
}

// FieldCheck is a check of a gate's thermometer against a contact thermometer. It is
// recorded again with each step; the record with the highest seq counts.
type FieldCheck struct {
	Device string          `json:"device"`   // the thermometer
	Began  Time            `json:"began_at"` // tells this check of the device from others
	State  fact.CheckState `json:"state"`
	Offset fact.Temp       `json:"offset_c"` // site offset in force, °C
	Pairs  []CheckPair     `json:"pairs"`
	Result *CheckResult    `json:"result,omitempty"` // present when State is done
}

// MaxPairs is how many pairs a field check has at most.
const MaxPairs = 20

// CheckResult is what a field check has found.
type CheckResult struct {
	Mean     fact.Temp `json:"mean_error_c"`      // of screening minus contact, °C
	Spread   fact.Temp `json:"spread_c"`          // standard deviation of it, °C
	Proposed fact.Temp `json:"proposed_offset_c"` // offset_c with which the mean would be 0
	Passed   bool      `json:"passed"`
	// Faults say what is wrong with the thermometer.
	Faults []fact.CheckFault `json:"faults,omitempty"`
	Due    Time              `json:"due_at"` // when the next check is due
}

// Kind is KindCheck.
func (*FieldCheck) Kind() Kind { return KindCheck }

// Check returns an error that says what is missing.
func (c *FieldCheck) Check() error {
	switch {
	case c.Device == "" || c.Began.IsZero():
		return errors.New("device or began_at is missing")
	case !slices.Contains([]fact.CheckState{fact.CheckOpen, fact.CheckDone, fact.CheckGivenUp}, c.State):
		return fmt.Errorf("state %.20q is neither open, done nor given-up", c.State)
	case len(c.Pairs) > MaxPairs:
		return fmt.Errorf("%d pairs: at most %d", len(c.Pairs), MaxPairs)
	case (c.State == fact.CheckDone) != (c.Result != nil):
		return errors.New("a result belongs to a check that is done, and only to it")
	case c.Result != nil && c.Result.Due.IsZero():
		return errors.New("due_at is missing")
	}
	return nil
}
