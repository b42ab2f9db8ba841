// Package nmea reads the positions of a machine from a satellite receiver that
// sends NMEA 0183 on a serial line.
package nmea

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	gonmea "github.com/adrianmo/go-nmea"

	"gatehouse/devices"
	"gatehouse/firmware-bridge/runs"
)

// Out is called with a sample, or with an error, from the goroutine of Run.
type Out = func(machine string, s runs.Sample, err error)

// Config is one receiver.
type Config struct {
	Serial  string
	Baud    int // default 9600
	Machine string
}

// Check returns an error when something is missing.
func (c Config) Check() error {
	if c.Serial == "" || c.Machine == "" {
		return errors.New("serial or machine is missing")
	}
	return nil
}

const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 5 * time.Second
	longest    = 256 // bytes of a sentence; the standard says 82
	knot       = 1852.0 / 3600
)

// Run reads until ctx ends, and returns nil then. It opens the line again when
// that is unplugged.
func Run(ctx context.Context, cfg Config, ports devices.Ports, out Out) error {
	if cfg.Baud == 0 {
		cfg.Baud = 9600
	}
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		line, err := ports.Serial(cfg.Serial, cfg.Baud)
		if err == nil {
			retry = firstRetry
			err = read(ctx, line, func(s runs.Sample, err error) {
				if err != nil {
					err = fmt.Errorf("nmea of %s: %w", cfg.Machine, err)
				}
				out(cfg.Machine, s, err)
			})
			if cerr := line.Close(); err == nil {
				err = cerr
			}
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // ctx has ended
		}
		out(cfg.Machine, runs.Sample{}, fmt.Errorf("nmea of %s: %w", cfg.Machine, err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retry):
		}
	}
}

// read calls each with the samples and errors of a line, until ctx ends or a read
// fails.
func read(ctx context.Context, line io.Reader, each func(runs.Sample, error)) error {
	var buf []byte
	chunk := make([]byte, 512)
	for ctx.Err() == nil {
		n, err := line.Read(chunk)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		buf = append(buf, chunk[:n]...)
		for {
			end := bytes.IndexByte(buf, '\n')
			if end < 0 {
				break
			}
			sentence := string(bytes.TrimSpace(buf[:end]))
			buf = buf[end+1:]
			if s, ok, err := Parse(sentence); ok || err != nil {
				each(s, err)
			}
		}
		if len(buf) > longest {
			buf = nil
			each(runs.Sample{}, errors.New("no sentences arrive: is the speed of the line right?"))
		}
	}
	return nil
}

// Parse reads one sentence. ok is false when it has no valid fix: it is of
// another kind, or the receiver sees too few satellites.
func Parse(sentence string) (s runs.Sample, ok bool, err error) {
	if sentence == "" {
		return s, false, nil
	}
	if begin := bytes.IndexByte([]byte(sentence), '$'); begin > 0 {
		sentence = sentence[begin:] // the rest of a sentence that was cut
	}
	m, err := gonmea.Parse(sentence)
	if err != nil {
		var other *gonmea.NotSupportedError
		if errors.As(err, &other) {
			return s, false, nil
		}
		return s, false, fmt.Errorf("%.90q: %w", sentence, err)
	}
	switch m := m.(type) {
	case gonmea.RMC:
		if m.Validity != gonmea.ValidRMC {
			return s, false, nil
		}
		s.Lat, s.Lon, s.Speed = new(m.Latitude), new(m.Longitude), new(m.Speed*knot)
	case gonmea.GGA:
		if m.FixQuality == gonmea.Invalid || m.FixQuality == "" {
			return s, false, nil
		}
		s.Lat, s.Lon = new(m.Latitude), new(m.Longitude)
	default:
		return s, false, nil
	}
	return s, true, nil
}
