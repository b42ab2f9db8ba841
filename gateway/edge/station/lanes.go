package station

import (
	"errors"
	"fmt"
	"slices"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// Lane is one way through the gate, for one person at a time. A gate whose
// configuration lists none has one, with all its devices.
type Lane struct {
	Name      string         `yaml:"name"`                // unique at this gate; passages name it
	Direction fact.Direction `yaml:"direction,omitempty"` // in or out, of its readers that have none; absent: both
	Measures  *bool          `yaml:"measures,omitempty"`  // false: the card alone decides; default true
}

// measures reports whether people are measured in it.
func (l Lane) measures() bool { return l.Measures == nil || *l.Measures }

// lanes returns the lanes with their devices, as the gate takes them.
func (c Config) lanes() []gate.Lane {
	listed := c.Lanes
	if len(listed) == 0 {
		listed = []Lane{{}}
	}
	var out []gate.Lane
	for _, l := range listed {
		x := gate.Lane{Name: l.Name, Measures: l.measures()}
		for _, d := range c.Devices {
			m, err := devices.Find(d.Model)
			if err != nil || c.laneOf(d).Name != l.Name {
				continue // Check reports it
			}
			switch m.Kind {
			case devices.KindThermometer:
				x.Thermometers = append(x.Thermometers, d.Name)
			case devices.KindCardReader, devices.KindScanner:
				x.Readers = append(x.Readers, d.Name)
			}
		}
		out = append(out, x)
	}
	return out
}

// laneOf returns the lane of a device: the one it names, or the only one.
func (c Config) laneOf(d Device) Lane {
	if len(c.Lanes) == 1 && d.Lane == "" {
		return c.Lanes[0]
	}
	for _, l := range c.Lanes {
		if l.Name == d.Lane {
			return l
		}
	}
	return Lane{}
}

// checkLanes returns what is wrong with the lanes and with which devices belong
// to them.
func (c Config) checkLanes() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for i, l := range c.Lanes {
		key := fmt.Sprintf("lanes[%d] %s", i, l.Name)
		if err := wire.CheckID(l.Name); err != nil {
			add("%s: %w", key, err)
		}
		if slices.ContainsFunc(c.Lanes[:i], func(x Lane) bool { return x.Name == l.Name }) {
			add("%s: the name is used twice", key)
		}
		if !l.Direction.Valid() {
			add("%s: direction %q: write in or out, or leave it away", key, l.Direction)
		}
	}
	for i, d := range c.Devices {
		m, err := devices.Find(d.Model)
		if err != nil {
			continue // its own check reports it
		}
		if err := c.checkLaneOf(d, m); err != nil {
			add("devices[%d] %s: %w", i, d.Name, err)
		}
	}
	for i, l := range c.lanes() {
		switch {
		case len(c.Lanes) == 0:
		case len(l.Readers) == 0:
			add("lanes[%d] %s: no reader or scanner belongs to it: nobody could pass", i, l.Name)
		case l.Measures && len(l.Thermometers) == 0:
			add("lanes[%d] %s: no thermometer belongs to it: nobody could pass; "+
				"write measures: false if nobody is measured there", i, l.Name)
		case !l.Measures && len(l.Thermometers) > 0:
			add("lanes[%d] %s: it does not measure, and thermometer %s belongs to it", i, l.Name, l.Thermometers[0])
		}
	}
	return errors.Join(errs...)
}

// checkLaneOf returns what is wrong with the lane of a device of model m.
func (c Config) checkLaneOf(d Device, m devices.Model) error {
	// A display, lamps and a buzzer can serve all lanes; a barrier can't.
	shared := m.Kind == devices.KindDisplay || m.Kind == devices.KindOutputs && d.Pins[devices.PinBarrier] == ""
	switch {
	case d.Lane == "" && len(c.Lanes) > 1 && !shared:
		return fmt.Errorf("lane is missing: write which of the %d lanes it belongs to", len(c.Lanes))
	case d.Lane != "" && c.laneOf(d).Name == "":
		return fmt.Errorf("lane %q is not listed under lanes", d.Lane)
	}
	if l := c.laneOf(d); d.Direction != "" && l.Direction != "" && d.Direction != l.Direction {
		return fmt.Errorf("direction %s contradicts that of its lane %s, %s", d.Direction, l.Name, l.Direction)
	}
	return nil
}
