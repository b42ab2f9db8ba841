package station

import (
	"errors"
	"fmt"
	"time"

	"gatehouse/devices/frame"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/sense"
	"gatehouse/gateway/wire"
)

const (
	// silentAfter separates a dead thermometer from an idle one: thermometers
	// report several times a second whether anybody is there or not, readers only
	// when there is a card.
	silentAfter = 5 * time.Second
	// provenAfter is how long after its start an agent knows that a device which
	// reports no fault has none: a port that can't be opened is reported at once,
	// a thermometer that repeats itself after half a minute.
	provenAfter = 35 * time.Second
)

// failed takes an error of a sensor.
func (s *Station) failed(now clock.Moment, in *input, err error) {
	if state := stateAfter(err); state != "" {
		s.setState(now, in, state, err.Error())
		return
	}
	in.badFrames++
	in.strange.text = err.Error()
	if errors.Is(err, frame.ErrUnread) {
		in.strange.unread = now
		s.outputs.show(in.lane.Name, cueOf(fact.VerdictRetest))
		s.prompt()
	}
	s.log.Debug("bad frame", "device", in.cfg.Name, "err", err)
}

// setState notes a device's state; each change is a health record and changes
// the device's conditions on the board.
func (s *Station) setState(now clock.Moment, in *input, state fact.DeviceState, detail string) {
	s.setConditions(now, in, state, detail)
	if in.reported && in.state == state {
		return
	}
	in.state, in.reported = state, true
	if state != fact.DeviceOK {
		in.presence = sense.Idle
	}
	s.opts.Journal.Append(now, &wire.Health{
		Device:    in.cfg.Name,
		Model:     in.model.Name,
		State:     state,
		Detail:    detail,
		BadFrames: in.badFrames,
	})
	s.apply(now, time.Time{}, s.gate.SetWorks(in.cfg.Name, state == fact.DeviceOK))
	s.publish()
}

// setConditions posts what a device's state means for its alarms.
func (s *Station) setConditions(now clock.Moment, in *input, state fact.DeviceState, detail string) {
	gone := status.Condition{Type: fact.AlarmDeviceGone, Device: in.cfg.Name}
	fault := status.Condition{Type: fact.AlarmDeviceFault, Device: in.cfg.Name}
	switch state {
	case fact.DeviceGone:
		gone.Detail = detail
	case fact.DeviceFault:
		fault.Detail = detail
	}
	s.opts.Board.Set(gone)
	if state == fact.DeviceOK && in.meter != nil && now.Boot-s.began < provenAfter {
		return // that it measures does not prove yet that the fault is over
	}
	s.opts.Board.Set(fault)
}

// watch looks for faults that a thermometer does not report itself.
func (s *Station) watch(now clock.Moment, in *input) {
	switch {
	case now.Boot-max(in.heard, s.began) > silentAfter:
		s.setState(now, in, fact.DeviceFault, in.silence())
	case in.meter.Stuck():
		s.setState(now, in, fact.DeviceFault, "it repeats the same value: switch it off and on")
	case in.meter.Hot():
		s.setState(now, in, fact.DeviceFault,
			"what it sees with nobody there is as warm as people: shade it, or turn it away from the sun")
	}
}

// silence says what is wrong with a thermometer that yields no readings.
func (in *input) silence() string {
	if in.strange.text != "" {
		return fmt.Sprintf("no reading for %s: %s (%s)", silentAfter, frame.Hint, in.strange.text)
	}
	return fmt.Sprintf("no reading for %s, and no bytes: check its supply, wiring and port", silentAfter)
}

// confirmReaders ends the conditions which an earlier run left of readers that
// nobody has used since the start: their ports are open, or there would have
// been an error.
func (s *Station) confirmReaders(now clock.Moment) {
	if now.Boot-s.began < provenAfter {
		return
	}
	for _, in := range s.inputs {
		if in.meter == nil && !in.reported {
			s.setConditions(now, in, fact.DeviceOK, "")
		}
	}
}
