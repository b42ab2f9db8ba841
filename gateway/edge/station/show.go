package station

import (
	"reflect"
	"slices"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/sense"
)

// post posts the state of the gate on the board.
func (s *Station) post() {
	g := status.Gate{Lanes: s.lanes, Prompts: s.gate.Prompts(), Devices: make([]status.Device, 0, len(s.inputs))}
	for _, in := range s.inputs {
		g.Devices = append(g.Devices, status.Device{Name: in.cfg.Name, Lane: in.lane.Name, Kind: in.model.Kind,
			State: in.state, Heard: max(in.heard, s.began)})
		switch in.presence {
		case sense.Measuring:
			g.Measuring = append(g.Measuring, in.lane.Name)
		case sense.Measured:
			g.Measured = append(g.Measured, in.lane.Name)
		}
	}
	s.opts.Board.SetGate(g)
}

// prompt posts and sounds what people are asked to do, where that has changed.
func (s *Station) prompt() {
	before, after := s.prompts, s.gate.Prompts()
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
	s.post()
}
