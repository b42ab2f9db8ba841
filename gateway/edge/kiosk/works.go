package kiosk

import (
	"slices"

	"gatehouse/devices"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
)

// What an idle gate can take.
const (
	asksBoth        = "both"        // card and temperature
	asksTemperature = "temperature" // no reader works
	asksCard        = "card"        // nobody is measured here
	asksByHand      = "by-hand"     // no thermometer works, a reader does: hand-held
	asksNothing     = "nothing"     // neither works
)

// asks returns what the working devices of a gate can take.
func (s *Screen) asks() string {
	thermometers, thermometer, reader := false, false, false
	for _, d := range s.status.Devices {
		switch kindOf(d.Kind) {
		case "thermometer":
			thermometers, thermometer = true, thermometer || d.State == fact.DeviceOK
		case "reader":
			reader = reader || d.State == fact.DeviceOK
		}
	}
	switch {
	case len(s.status.Devices) == 0 || reader && thermometer:
		return asksBoth
	case reader && thermometers:
		return asksByHand
	case reader:
		return asksCard
	case thermometer:
		return asksTemperature
	}
	return asksNothing
}

// Part is a device of an idle gate, where others of its kind do not work as it does.
type Part struct {
	Kind      string `json:"kind"`                // what it takes: card, code or temperature
	Lane      string `json:"lane,omitempty"`      // at a gate with several
	Direction string `json:"direction,omitempty"` // of a reader
	Works     bool   `json:"works"`
}

// takes are the names that the page has for what a kind of device takes.
var takes = map[devices.Kind]string{devices.KindThermometer: "temperature", devices.KindCardReader: "card",
	devices.KindScanner: "code"}

// partly returns the readers of a gate where some of them work and some do not; else the
// thermometers, where that is so of them.
func (s *Screen) partly() []Part {
	for _, kind := range []string{"reader", "thermometer"} {
		var out []Part
		for _, d := range s.status.Devices {
			if kindOf(d.Kind) == kind {
				out = append(out, Part{takes[d.Kind], s.label(d.Lane), string(d.Direction), s.measures(d)})
			}
		}
		works := func(p Part) bool { return p.Works }
		if slices.ContainsFunc(out, works) && slices.ContainsFunc(out, func(p Part) bool { return !works(p) }) {
			return out
		}
	}
	return nil
}

// measures reports whether a device works and can be trusted.
func (s *Screen) measures(d status.Device) bool {
	return d.State == fact.DeviceOK && !s.doubtful(d.Name)
}
