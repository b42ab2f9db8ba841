package station

import (
	"cmp"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/sense"
	"gatehouse/gateway/wire"
)

// reading returns the reading that r completes and when its last byte arrived,
// or nil when it completes none: between people, or for the repeats of a card
// that stays.
func (s *Station) reading(now clock.Moment, in *input, r devices.Reading) (*wire.Reading, time.Time) {
	out := &wire.Reading{Device: in.cfg.Name, Model: in.model.Name, Lane: in.lane.Name, BootID: s.opts.BootID}
	switch r := r.(type) {
	case devices.Sample:
		m, done := in.meter.Observe(r)
		if !done {
			return nil, time.Time{}
		}
		out.Type, out.Temperature = fact.ReadingTemperature, in.temperature(m)
		out.BootNS = int64(onBootClock(now, m.At))
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
		if out.Type == fact.ReadingCode {
			out.Pass, out.PassFault = s.opts.Codes.Pass(r.Code)
		}
		kind, code := string(out.Type), r.Code
		if out.Pass != nil {
			kind, code = "pass", out.Pass.ID // one pass can be written in two ways
		}
		out.Credential = s.opts.Codes.Pseudonym(kind, code)
		s.gate.Known(s.opts.Codes.Others(kind, code), out.Credential)
		out.BootNS = int64(onBootClock(now, r.At))
		return out, r.At
	}
	return nil, time.Time{}
}

// temperature returns the corrected value beside the raw ones.
func (in *input) temperature(m sense.Measurement) *wire.Temperature {
	offset := *in.cfg.Offset
	return &wire.Temperature{
		Object: m.Object, Ambient: m.Ambient, Background: m.Background,
		Offset: offset, Screening: m.Object + offset,
		RatedMin: sense.AmbientMin, RatedMax: sense.AmbientMax,
		Samples: m.Samples, DurationMS: m.Duration.Milliseconds(), Settled: m.Settled,
		Hot: m.HotBackground, Drift: m.Drift, Supersedes: m.Supersedes,
	}
}

// onBootClock turns an instant of Go's monotonic clock into one of the boot
// clock.
func onBootClock(now clock.Moment, at time.Time) time.Duration { return now.Boot - time.Since(at) }
