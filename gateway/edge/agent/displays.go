package agent

import (
	"cmp"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/panel"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/wire"
)

// placesOf returns the displays of a gate.
func placesOf(cfg station.Config) (out []panel.Place) {
	for _, d := range cfg.Devices {
		if m, err := devices.Find(d.Model); err != nil || m.Kind != devices.KindDisplay {
			continue // Check reports an unknown model
		}
		out = append(out, panel.Place{Device: d.Name, Lane: d.Lane,
			Language: panel.Language(cmp.Or(d.Language, string(panel.Chinese)))})
	}
	return out
}

// screens are the displays of a gate and the guard's screen.
type screens struct {
	panel  *panel.Panel
	screen station.Screen // may be nil
}

// Passage implements station.Screen.
func (s screens) Passage(at clock.Moment, seq uint64, p wire.Passage) {
	s.panel.Passage(at, seq, p)
	if s.screen != nil {
		s.screen.Passage(at, seq, p)
	}
}

// Earlier implements station.Screen.
func (s screens) Earlier(at clock.Moment, seq uint64, p wire.Passage, answered bool) {
	s.panel.Earlier(at, seq, p, answered)
	if s.screen != nil {
		s.screen.Earlier(at, seq, p, answered)
	}
}
