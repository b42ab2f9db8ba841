// Package nmea reads the positions of a machine from a satellite receiver that
// sends NMEA 0183 on a serial line. It reads RMC and GGA of any talker by itself:
// adrianmo/go-nmea refuses the lengths in which receivers really send them.
package nmea

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gatehouse/devices"
	"gatehouse/devices/unheard"
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
	sayEvery   = time.Second // how often it is said that nothing is understood
)

// Run reads until ctx ends, and returns nil then. It opens the line again when
// that is unplugged. While bytes come and no position is read from them it yields
// unheard.Error.
func Run(ctx context.Context, cfg Config, ports devices.Ports, out Out) error {
	if cfg.Baud == 0 {
		cfg.Baud = 9600
	}
	each := func(s runs.Sample, err error) {
		if err != nil {
			err = fmt.Errorf("nmea of %s: %w", cfg.Machine, err)
		}
		out(cfg.Machine, s, err)
	}
	for retry := firstRetry; ; retry = min(2*retry, lastRetry) {
		line, err := ports.Serial(cfg.Serial, cfg.Baud)
		if err == nil {
			retry = firstRetry
			err = read(ctx, line, time.Now, each)
			if cerr := line.Close(); err == nil {
				err = cerr
			}
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // ctx has ended
		}
		each(runs.Sample{}, err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retry):
		}
	}
}

// read calls each with the samples and errors of a line, until ctx ends or a read
// fails. A read that times out returns no bytes and no error.
func read(ctx context.Context, line io.Reader, clock func() time.Time, each func(runs.Sample, error)) error {
	var r Reader
	var heard unheard.Watch
	chunk := make([]byte, 512)
	began := clock()
	var came, said time.Duration // when bytes came, when it was said that nothing is understood
	for ctx.Err() == nil {
		n, err := line.Read(chunk)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		now := clock().Sub(began)
		heard.Bytes(now, chunk[:n])
		r.Take(chunk[:n], each)
		if r.Understood() {
			heard.Understood()
		}
		if n > 0 {
			came = now
		}
		report, bad := heard.Check(now)
		switch {
		case now-said < sayEvery:
		case bad:
			said = now
			each(runs.Sample{}, &unheard.Error{Report: report, Try: r.Try()})
		case now-came >= unheard.After:
			said, came = now, now
			each(runs.Sample{}, errSilent)
		}
	}
	return nil
}

// errSilent means that no byte comes on the line.
var errSilent = errors.New("nothing comes: has the receiver power, and is its TX on the line's RX?")
