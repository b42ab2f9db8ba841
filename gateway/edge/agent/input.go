package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/sense"
	"gatehouse/gateway/wire"
)

// Silence tells a dead thermometer from an idle one: thermometers report
// several times a second whether anybody is there or not, readers only when
// there is a card.
const (
	silentAfter = 5 * time.Second
	errorPause  = 20 * time.Millisecond // so that a driver that fails at once can't spin
)

// arrival is one reading or error of one device.
type arrival struct {
	in  *input
	r   devices.Reading
	err error
}

// input is one sensor with the state the record loop keeps of it.
type input struct {
	cfg    Device
	lane   Lane
	model  devices.Model
	sensor devices.Sensor
	meter  *sense.Meter // of a thermometer
	taps   *sense.Taps  // of a reader or scanner

	state     fact.DeviceState
	heard     time.Duration // boot clock of the last reading
	presence  sense.State   // whether somebody stands at the thermometer
	badFrames uint64
	reported  bool // the journal holds its state since the start
}

// read passes on what the sensor yields until ctx ends.
func (in *input) read(ctx context.Context, out chan<- arrival) {
	for ctx.Err() == nil {
		r, err := in.sensor.Next(ctx)
		if ctx.Err() != nil {
			return
		}
		select {
		case out <- arrival{in: in, r: r, err: err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			pause(ctx, errorPause)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// makeDevices makes the drivers; fever is the limit of the rules, °C/100.
func (a *Agent) makeDevices(fever fact.Temp) error {
	for _, d := range a.cfg.Devices {
		m, err := devices.Find(d.Model)
		if err != nil {
			return err
		}
		s := devices.Settings{Port: d.Port, Baud: d.Baud, Address: d.Address, Pins: d.Pins, ActiveLow: d.Low}
		if m.Kind == devices.KindOutputs {
			out, err := m.Output(a.opts.Ports, s)
			if err != nil {
				return fmt.Errorf("device %s: %w", d.Name, err)
			}
			a.outputs = append(a.outputs, output{Output: out, lane: d.Lane, cues: make(chan cue, 4)})
			continue
		}
		sensor, err := m.Sensor(a.opts.Ports, s)
		if err != nil {
			return fmt.Errorf("device %s: %w", d.Name, err)
		}
		in := &input{cfg: d, lane: a.cfg.laneOf(d), model: m, sensor: sensor, state: fact.DeviceOK}
		if m.Kind == devices.KindThermometer {
			in.meter = sense.NewMeter(fever - *d.Offset)
		} else {
			in.taps = sense.NewTaps()
		}
		a.inputs = append(a.inputs, in)
	}
	return nil
}

// reading turns an arrival into a completed reading, or nil while there is
// none: between people, or for the repeats of a card that stays.
func (a *Agent) reading(now clock.Moment, in *input, r devices.Reading) (*wire.Reading, time.Time) {
	out := &wire.Reading{Device: in.cfg.Name, Model: in.model.Name, Lane: in.lane.Name, BootID: a.opts.BootID}
	switch r := r.(type) {
	case devices.Sample:
		m, done := in.meter.Observe(r)
		if !done {
			return nil, time.Time{}
		}
		out.Type, out.Temperature = fact.ReadingTemperature, in.temperature(m)
		out.BootNS = int64(sinceBoot(now, m.At))
		return out, m.At
	case devices.Tap:
		if !in.taps.Observe(r) {
			return nil, time.Time{}
		}
		out.Type = fact.ReadingCard
		if in.model.Kind == devices.KindScanner {
			out.Type = fact.ReadingCode
		}
		out.Direction = cmp.Or(in.cfg.Direction, in.lane.Direction)
		out.Credential = a.siteKey.Pseudonym(string(out.Type), r.Code)
		out.BootNS = int64(sinceBoot(now, r.At))
		return out, r.At
	}
	return nil, time.Time{}
}

// temperature puts the corrected value beside the raw ones.
func (in *input) temperature(m sense.Measurement) *wire.Temperature {
	offset := *in.cfg.Offset
	return &wire.Temperature{
		Object: m.Object, Ambient: m.Ambient, Background: m.Background,
		Offset: offset, Screening: m.Object + offset,
		RatedMin: sense.AmbientMin, RatedMax: sense.AmbientMax,
		Samples: m.Samples, DurationMS: m.Duration.Milliseconds(), Settled: m.Settled,
		Hot: m.HotBackground, Supersedes: m.Supersedes,
	}
}

// judge gives the state that an error puts a device into, and its detail.
func judge(err error) (state fact.DeviceState, detail string) {
	switch {
	case errors.Is(err, devices.ErrGone):
		return fact.DeviceGone, err.Error()
	case errors.Is(err, devices.ErrFault):
		return fact.DeviceFault, err.Error()
	default:
		return "", err.Error()
	}
}
