package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

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

// thermometer returns the name of the first thermometer of the gate that works.
func (s *Screen) thermometer() string {
	for _, d := range s.status.Devices {
		if d.Kind == devices.KindThermometer && d.State == fact.DeviceOK {
			return d.Name
		}
	}
	return ""
}

// checkRefusals are the words of the page, check.wrong.<code>, for steps that can't be
// taken.
var checkRefusals = []struct {
	err  error
	code string
}{{honesty.ErrNoCheck, "none"}, {honesty.ErrCheckIsOn, "is-on"}, {honesty.ErrCheckFault, "fault"},
	{honesty.ErrCheckEmpty, "nobody"}}

// checkStep takes a step of a field check. The answer is as that of enter.
func (k *Kiosk) checkStep(w http.ResponseWriter, r *http.Request, g Gate) {
	var m struct {
		Device string          `json:"device"` // "": the gate's thermometer
		Do     honesty.CheckDo `json:"do"`
		Value  string          `json:"value"` // of contact
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&m); err != nil {
		http.Error(w, "failed: not understood: "+err.Error(), http.StatusBadRequest)
		return
	}
	step := honesty.CheckStep{Device: m.Device, Do: m.Do}
	if m.Do == honesty.CheckContact {
		value, err := fact.ParseTemp(m.Value)
		entered := wire.Entered{Value: value, With: fact.HandHeldContact}
		if err = errors.Join(err, entered.Check()); err != nil {
			http.Error(w, "range: "+err.Error(), http.StatusUnprocessableEntity)
			return
		}
		step.Value = value
	}
	if step.Device == "" {
		k.mu.Lock()
		step.Device = k.screen.thermometer()
		k.mu.Unlock()
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	err := g.Check(ctx, step)
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if errors.Is(err, honesty.ErrCheckStep) || errors.Is(err, honesty.ErrCheckDevice) {
		http.Error(w, "failed: "+err.Error(), http.StatusBadRequest)
		return
	}
	for _, x := range checkRefusals {
		if errors.Is(err, x.err) {
			http.Error(w, x.code+": "+err.Error(), http.StatusConflict)
			return
		}
	}
	for _, x := range refusals { // a fever, that can't be told of anybody
		if errors.Is(err, x.err) {
			http.Error(w, x.code+": "+err.Error(), http.StatusConflict)
			return
		}
	}
	http.Error(w, "failed: "+err.Error(), http.StatusServiceUnavailable)
}
