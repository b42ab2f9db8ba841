package kiosk

import (
	"context"
	"net/http"
	"slices"

	"gatehouse/devices"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/wire"
)

// What the guard does in a field check of a thermometer; each is a record of its own.
const (
	ActionCheck        = "check"         // begins one
	ActionCheckContact = "check-contact" // opens the keys for the contact thermometer's value
	ActionCheckAgain   = "check-again"   // the person is measured once more
	ActionCheckEnd     = "check-end"     // gives it up
	ActionCheckClose   = "check-close"   // its result has been read
)

// FieldCheck is a field check, as the page draws it.
type FieldCheck struct {
	State     fact.CheckState   `json:"state"`
	Pairs     int               `json:"pairs"`
	Needed    int               `json:"needed"`
	Screening *fact.Temp        `json:"screening_c,omitempty"` // of the person who was measured last
	Problem   fact.Reason       `json:"problem,omitempty"`     // why the last measurement does not count
	Offset    fact.Temp         `json:"offset_c"`
	Result    *wire.CheckResult `json:"result,omitempty"`
}

// checkItem returns the field check that is on in a lane, or has just ended, as an item.
func checkItem(c *status.Check) item {
	return item{id: "c" + c.Device, look: LookCheck, device: c.Device, lane: c.Lane, check: c}
}

// fillCheck sets the fields of a view that are about a field check.
func (v *View) fillCheck(c *status.Check) {
	v.Check = &FieldCheck{State: c.State, Pairs: len(c.Pairs), Needed: honesty.PairsNeeded, Screening: c.Screening,
		Problem: c.Problem, Offset: c.Offset, Result: c.Result}
	switch {
	case c.State != fact.CheckOpen:
		v.Actions = []string{ActionCheckClose}
	case c.Screening != nil:
		v.Actions = []string{ActionCheckContact, ActionCheckAgain, ActionCheckEnd}
	default:
		v.Actions = []string{ActionCheckEnd}
	}
}

// checkDue reports whether the field check of a thermometer is overdue.
func (s *Screen) checkDue(device string) bool {
	return slices.ContainsFunc(s.status.Holds, func(c status.Condition) bool {
		return c.Type == fact.AlarmCheckDue && c.Device == device
	})
}

// checkable returns the thermometers of the gate that work.
func (s *Screen) checkable() (out []Meter) {
	for _, d := range s.status.Devices {
		if d.Kind == devices.KindThermometer && d.State == fact.DeviceOK {
			out = append(out, Meter{d.Name, s.label(d.Lane)})
		}
	}
	return out
}

// checkStep takes a step of a field check.
func (k *Kiosk) checkStep(w http.ResponseWriter, r *http.Request, g Gate) {
	type step struct {
		Device string          `json:"device"`
		Do     honesty.CheckDo `json:"do"`
		Value  string          `json:"value"` // of contact
	}
	act(w, r, func(ctx context.Context, m step) error {
		s := honesty.CheckStep{Device: m.Device, Do: m.Do}
		if m.Do == honesty.CheckContact {
			entered, err := enteredOf(m.Value, fact.HandHeldContact)
			if err != nil {
				return err
			}
			s.Value = entered.Value
		}
		return g.Check(ctx, s)
	})
}
