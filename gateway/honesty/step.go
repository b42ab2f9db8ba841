package honesty

import (
	"errors"

	"gatehouse/gateway/fact"
)

// CheckDo is what the guard does in a field check.
type CheckDo string

// What the guard does. Measuring a person is no step: the thermometer says that.
const (
	CheckBegin   CheckDo = "begin"
	CheckContact CheckDo = "contact" // enters what the contact thermometer shows
	CheckAgain   CheckDo = "again"   // measures the person once more
	CheckEnd     CheckDo = "end"     // gives the check up, or has read its result
)

// CheckStep is one step of a field check.
type CheckStep struct {
	Device string // the thermometer that is checked
	Do     CheckDo
	Value  fact.Temp // of CheckContact
}

// Why a step of a field check can't be taken.
var (
	ErrNoCheck    = errors.New("no field check of this thermometer is on: begin one")
	ErrCheckIsOn  = errors.New("a field check of this thermometer is on already")
	ErrCheckFault = errors.New("the thermometer does not work: mend it, then check it")
	ErrCheckEmpty = errors.New("nobody was measured: let the person stand before the thermometer first")
	// These are of a page that does not fit the gate.
	ErrCheckStep   = errors.New("this is no step of a field check")
	ErrCheckDevice = errors.New("this is no thermometer of the gate")
)
