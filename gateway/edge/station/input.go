package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/sense"
)

// errorPause keeps a driver that fails at once from spinning.
const errorPause = 20 * time.Millisecond

// arrival is one reading or error of one sensor. A reading of nil says that a
// port which was gone is open again.
type arrival struct {
	in  *input
	r   devices.Reading
	err error
}

// input is one sensor with the state that the loop keeps of it.
type input struct {
	measuring

	cfg    Device
	lane   Lane
	model  devices.Model
	sensor devices.Sensor
	taps   *sense.Taps // of a reader or scanner

	state     fact.DeviceState
	heard     time.Duration // boot clock of the last reading
	presence  sense.State   // whether somebody stands at the thermometer
	badFrames uint64
	strange   strange
	reported  bool // the journal holds its state since the start
}

// measuring is what the loop keeps of a thermometer.
type measuring struct {
	meter *sense.Meter // nil: the sensor is none
	trust trust
	check checking
}

// strange is what came of a device since its last reading and is no frame.
type strange struct {
	text   string       // "": nothing came
	unread clock.Moment // when somebody showed a code that can't be read; zero: nobody has
}

// read passes on what the sensor yields until ctx ends; then its port is closed.
func (in *input) read(ctx context.Context, out chan<- arrival, log *slog.Logger) {
	if s, ok := in.sensor.(*shower); ok {
		defer func() {
			if err := s.end(); err != nil {
				log.Error("darken a display", "device", in.cfg.Name, "err", err)
			}
		}()
	}
	for ctx.Err() == nil {
		r, err := in.sensor.Next(ctx)
		if ctx.Err() != nil {
			break
		}
		select {
		case out <- arrival{in: in, r: r, err: err}:
		case <-ctx.Done():
		}
		if err != nil {
			retry.Sleep(ctx, errorPause)
		}
	}
	_, _ = in.sensor.Next(ctx) // of a context that is done: it closes the port
}

// makeDevices makes the drivers.
func (s *Station) makeDevices(cfg Config) error {
	for _, d := range cfg.Devices {
		m, err := devices.Find(d.Model)
		if err != nil {
			return err
		}
		settings := devices.Settings{Port: d.Port, Baud: d.Baud, Address: d.Address, Pins: d.Pins, ActiveLow: d.Low}
		if m.Kind == devices.KindOutputs {
			out, err := m.Output(s.opts.Ports, settings)
			if err != nil {
				return fmt.Errorf("device %s: %w", d.Name, err)
			}
			s.outputs = append(s.outputs, newOutput(d, out))
			continue
		}
		sensor, err := s.newSensor(d, m, settings)
		if err != nil {
			return fmt.Errorf("device %s: %w", d.Name, err)
		}
		in := s.newInput(d, cfg.laneOf(d), m)
		in.sensor = sensor
		s.inputs = append(s.inputs, in)
	}
	return nil
}

// newSensor makes the driver of a sensor or display.
func (s *Station) newSensor(d Device, m devices.Model, settings devices.Settings) (devices.Sensor, error) {
	if m.Kind != devices.KindDisplay {
		return m.Sensor(s.opts.Ports, settings)
	}
	display, err := m.Display(s.opts.Ports, settings)
	if err != nil {
		return nil, err
	}
	return &shower{display: display, name: d.Name, picture: s.opts.Picture}, nil
}

// newInput returns a sensor that works.
func (s *Station) newInput(d Device, lane Lane, m devices.Model) *input {
	in := &input{cfg: d, lane: lane, model: m, state: fact.DeviceOK}
	switch m.Kind {
	case devices.KindThermometer:
		in.meter = sense.NewMeter(s.opts.Rules.Limits.Fever - *d.Offset)
	case devices.KindScanner:
		in.taps = sense.NewScans()
	case devices.KindDisplay:
	default:
		in.taps = sense.NewTaps(func(code string) bool {
			return s.opts.Rules.Knows(s.opts.Codes.Pseudonym(string(fact.ReadingCard), code))
		})
	}
	return in
}

// stateAfter returns the state into which an error puts a device, or "" when the
// device still works.
func stateAfter(err error) fact.DeviceState {
	switch {
	case errors.Is(err, devices.ErrGone):
		return fact.DeviceGone
	case errors.Is(err, devices.ErrFault):
		return fact.DeviceFault
	}
	return ""
}
