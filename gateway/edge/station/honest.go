package station

import (
	"fmt"
	"strings"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/wire"
)

// learn takes the value of a thermometer. A later value of the same person is none.
func (in *input) learn(t *wire.Temperature) {
	if in.meter != nil && t != nil && t.Settled && !t.Supersedes {
		in.memory.Add(t.Ambient, t.Object)
	}
}

// rememberReading takes over a reading of before a restart.
func (s *Station) rememberReading(r *wire.Reading) {
	for _, in := range s.inputs {
		if in.cfg.Name == r.Device {
			in.learn(r.Temperature)
		}
	}
}

// doubt posts what is doubtful about the thermometers.
func (s *Station) doubt() {
	for _, in := range s.inputs {
		if in.meter == nil {
			continue
		}
		siblings := map[string]*honesty.Memory{}
		for _, other := range s.inputs {
			if other != in && other.meter != nil {
				siblings[other.cfg.Name] = &other.memory
			}
		}
		var words []string
		for _, f := range honesty.Look(&in.memory, siblings) {
			words = append(words, doubtful(f))
		}
		s.opts.Board.Set(status.Condition{Type: fact.AlarmDeviceDoubtful, Device: in.cfg.Name,
			Detail: strings.Join(words, "; ")})
	}
}

// doubtful says in words what is doubtful, and what to do.
func doubtful(f honesty.Finding) string {
	switch f.Doubt {
	case honesty.Collapsed:
		return fmt.Sprintf("8 in 10 of its last %d readings lie within %s °C, which people's do not: check it with a "+
			"contact thermometer, and replace it if it shows the same for everybody", f.Readings, f.Value)
	case honesty.Drifted:
		return fmt.Sprintf("it reads %s °C otherwise than it used to: clean its window, and check it with a contact "+
			"thermometer", f.Value)
	}
	return fmt.Sprintf("it reads %s °C otherwise than %s: check both with a contact thermometer", f.Value, f.Sibling)
}
