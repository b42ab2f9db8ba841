package station

import (
	"slices"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
)

// Ways returns the directions in which the readers of the gate let people pass.
func (c Config) Ways() []fact.Direction {
	var out []fact.Direction
	for _, way := range []fact.Direction{fact.DirectionIn, fact.DirectionOut} {
		if slices.ContainsFunc(c.Devices, func(d Device) bool { return c.reads(d) && c.goes(d, way) }) {
			out = append(out, way)
		}
	}
	return out
}

// reads reports whether a device is a reader or scanner of a lane.
func (c Config) reads(d Device) bool {
	return slices.ContainsFunc(c.lanes(), func(l gate.Lane) bool { return slices.Contains(l.Readers, d.Name) })
}

// goes reports whether a reader is for a way.
func (c Config) goes(d Device, way fact.Direction) bool {
	own := d.Direction
	if own == fact.DirectionNone {
		own = c.laneOf(d).Direction
	}
	return own == fact.DirectionNone || own == way
}

// Without returns the configuration without some devices: those that do not work.
func (c Config) Without(names []string) Config {
	listed := func(d Device) bool { return slices.Contains(names, d.Name) }
	c.Devices = slices.DeleteFunc(slices.Clone(c.Devices), listed)
	return c
}

// Locked says why nobody can pass the devices of the gate, whatever the rules; empty:
// somebody can. enters says that there is a screen at which values are entered.
func (c Config) Locked(enters bool) string {
	reader := false
	for _, l := range c.lanes() {
		reader = reader || len(l.Readers) > 0
		if len(l.Readers) > 0 && (!l.Measures || len(l.Thermometers) > 0 || enters) {
			return ""
		}
	}
	if !reader {
		return "no lane has a reader or scanner that works: who comes is not known"
	}
	return "every lane measures, none has a thermometer that works, and there is no guard's screen (kiosk:) at which " +
		"a value could be entered"
}
