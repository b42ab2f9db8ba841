package station

import (
	"fmt"
	"strings"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/wire"
)

// trust is how far a thermometer is trusted.
type trust struct {
	memory   honesty.Memory // what it has read
	doubtful bool
	// held: it was doubtful before the restart, and what is remembered of it does not
	// show why. Only a field check ends that.
	held bool
}

// learn takes the value of a thermometer, and notes whether it is doubtful by now. A later
// value of the same person is none.
func (s *Station) learn(in *input, t *wire.Temperature) {
	if in.meter != nil && t != nil {
		s.rememberReading(&wire.Reading{Device: in.cfg.Name, Temperature: t})
		s.doubt()
	}
}

// rememberReading takes over a reading of before a restart, which does not go through the
// gate again.
func (s *Station) rememberReading(r *wire.Reading) {
	in, t := s.input(r.Device), r.Temperature
	if in == nil || in.meter == nil || t == nil {
		return
	}
	if t.Settled && !t.Supersedes {
		in.trust.memory.Add(t.Ambient, t.Object, in.trust.doubtful)
	}
	in.trust.doubtful = len(s.look(in)) > 0
}

// rememberDoubt takes over that a thermometer was found doubtful, or no longer, before a
// restart.
func (s *Station) rememberDoubt(al *wire.Alarm) {
	if in := s.input(al.Device); in != nil && in.meter != nil {
		in.trust.held = al.State == fact.AlarmRaised
		s.gate.SetDoubted(al.Device, in.trust.held)
	}
}

// look returns what is doubtful about a thermometer.
func (s *Station) look(in *input) (words []string) {
	all := map[string]honesty.Thermometer{}
	for _, x := range s.inputs {
		if x.meter != nil {
			all[x.cfg.Name] = honesty.Thermometer{Memory: &x.trust.memory, Checked: s.fresh(s.opts.Clock.Now(), x)}
		}
	}
	for _, f := range honesty.Look(in.cfg.Name, all) {
		words = append(words, doubtful(f))
	}
	return words
}

// doubt notes which thermometers are doubtful, and posts why. The readings of one that is
// do not count until it reads as people do again and as it used to, or until it passes a
// field check, which begins its history anew.
func (s *Station) doubt() {
	for _, in := range s.inputs {
		if in.meter == nil {
			continue
		}
		words := s.look(in)
		if failed := s.checkFailed(in); failed != "" {
			words = append(words, failed)
		}
		in.trust.held = in.trust.held && len(words) == 0
		if in.trust.held {
			words = append(words, "it was doubtful before a restart, and too little of what it read then is known: "+
				"check it with a contact thermometer, which alone ends this")
		}
		in.trust.doubtful = len(words) > 0
		s.gate.SetDoubted(in.cfg.Name, in.trust.doubtful)
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
