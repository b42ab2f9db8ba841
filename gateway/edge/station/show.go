package station

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/sense"
)

// publish posts the state of the gate on the board.
func (s *Station) publish() {
	g := status.Gate{Lanes: s.lanes, Prompts: s.asks(), Episodes: s.gate.Episodes(),
		Devices: make([]status.Device, 0, len(s.inputs))}
	for _, in := range s.inputs {
		d := status.Device{Name: in.cfg.Name, Lane: in.lane.Name, Kind: in.model.Kind, State: in.state,
			Heard: max(in.heard, s.began)}
		if in.cfg.reads() {
			d.Direction = cmp.Or(in.cfg.Direction, in.lane.Direction)
		}
		g.Devices = append(g.Devices, d)
		g.Checks = append(g.Checks, in.checks()...)
		switch in.presence {
		case sense.Measuring:
			g.Measuring = append(g.Measuring, in.lane.Name)
		case sense.Measured:
			g.Measured = append(g.Measured, in.lane.Name)
		}
	}
	s.opts.Board.SetGate(g)
}

// checks returns the field check of a thermometer that is on, or that has just ended.
func (in *input) checks() []status.Check {
	c := in.check
	switch {
	case c.open != nil:
		return []status.Check{{FieldCheck: *c.open, Lane: in.lane.Name, Screening: c.value, Problem: c.problem}}
	case c.ended != nil:
		return []status.Check{{FieldCheck: *c.ended, Lane: in.lane.Name}}
	}
	return nil
}

// unreadFor is how long somebody is asked to show a code again.
const unreadFor = 5 * time.Second

// asks returns what people are asked to do: by the gate, and where a code that can't be
// read was shown.
func (s *Station) asks() []gate.Prompt {
	out := s.gate.Prompts()
	now := s.opts.Clock.Now().Boot
	for _, in := range s.inputs {
		at := in.strange.unread
		if at.Boot > 0 && now < at.Boot+unreadFor {
			out = append(out, gate.Prompt{Lane: in.lane.Name, Wants: gate.WantsCode, Since: at,
				Until: at.Boot + unreadFor, Reading: in.badFrames})
		}
	}
	return out
}

// prompt posts and sounds what people are asked to do, where that has changed.
func (s *Station) prompt() {
	before, after := s.prompts, s.asks()
	if reflect.DeepEqual(before, after) {
		return
	}
	s.prompts = after
	for _, p := range after {
		same := func(x gate.Prompt) bool { return x.Reading == p.Reading && x.Wants == p.Wants }
		if (p.Wants == gate.WantsCard || p.Wants == gate.WantsTemperature) && !slices.ContainsFunc(before, same) {
			s.outputs.show(p.Lane, promptCue())
		}
	}
	s.publish()
}
