// Package mavlink turns the MAVLink 1 and 2 messages of drones, from UDP or a
// serial radio, into samples. It reads recorded .tlog files the same way.
package mavlink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/bluenviron/gomavlib/v3"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/frame"

	"gatehouse/devices"
	"gatehouse/firmware-bridge/runs"
)

// Out is called with a sample of a machine, or with an error; machine is empty
// for an error of the whole link. It is called from the goroutine of Run.
type Out = func(machine string, s runs.Sample, err error)

// Config is one link with the vehicles on it.
type Config struct {
	UDP      string // address to listen on, 127.0.0.1:14550; or
	Serial   string // a radio's serial device
	Baud     int    // default 57600
	Key      []byte // 32 bytes: only frames signed with it are accepted; nil: all are
	Vehicles []Vehicle
}

// ParseKey reads a signing key: 64 hexadecimal digits, or a passphrase, whose
// SHA-256 is the key, as ground stations have it.
func ParseKey(text string) []byte {
	text = strings.TrimSpace(text)
	if b, err := hex.DecodeString(text); err == nil && len(b) == sha256.Size {
		return b
	}
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// Check returns an error that lists what is wrong, or nil.
func (c Config) Check() error {
	var errs []error
	if (c.UDP == "") == (c.Serial == "") {
		errs = append(errs, errors.New("give udp or serial, one of them"))
	}
	if c.UDP != "" {
		if _, err := net.ResolveUDPAddr("udp4", c.UDP); err != nil {
			errs = append(errs, fmt.Errorf("udp %q: write it as 127.0.0.1:14550: %w", c.UDP, err))
		}
	}
	if len(c.Vehicles) == 0 {
		errs = append(errs, errors.New("vehicles: none are listed"))
	}
	seen := map[uint8]bool{}
	for i, v := range c.Vehicles {
		add := func(text string) { errs = append(errs, fmt.Errorf("vehicles[%d] %s: %s", i, v.Machine, text)) }
		if v.System == 0 {
			add("system is missing: the vehicle's MAVLink id, 1 to 255")
		}
		if seen[v.System] {
			add("another vehicle of this link has the same system id")
		}
		seen[v.System] = true
		if v.PumpServo < 0 || v.PumpServo > 16 {
			add("pump_servo is not in 1 to 16")
		}
		for name, m := range v.Named {
			if !slices.Contains(mayMean, m) {
				add(fmt.Sprintf("named %s: %q is none of %s", name, m, strings.Join(mayMean, ", ")))
			}
			if len(name) == 0 || len(name) > 10 {
				add(fmt.Sprintf("named %q: MAVLink names have 1 to 10 characters", name))
			}
		}
	}
	return errors.Join(errs...)
}

// Link is one link. Make it with New, run it with Run.
type Link struct {
	cfg      Config
	ports    devices.Ports
	decoders map[uint8]*decoder
	strange  map[uint8]bool // systems that are not configured, reported once
}

// New returns a link; it opens nothing yet.
func New(cfg Config, ports devices.Ports) (*Link, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("mavlink: %w", err)
	}
	if cfg.Baud == 0 {
		cfg.Baud = 57600
	}
	l := &Link{cfg: cfg, ports: ports, decoders: map[uint8]*decoder{}, strange: map[uint8]bool{}}
	for _, v := range cfg.Vehicles {
		l.decoders[v.System] = newDecoder(v)
	}
	return l, nil
}

// streams is how often an ArduPilot vehicle is asked for each value, Hz.
const streams = 4

// Run reads until ctx ends. It returns an error when it can't listen on the
// address; a serial device that was unplugged is opened again.
func (l *Link) Run(ctx context.Context, out Out) error {
	node := &gomavlib.Node{
		Endpoints:              []gomavlib.EndpointConf{l.endpoint(ctx)},
		Dialect:                ardupilotmega.Dialect,
		OutVersion:             gomavlib.V2,
		OutSystemID:            255,
		OutComponentID:         190, // a ground station
		StreamRequestEnable:    true,
		StreamRequestFrequency: streams,
	}
	if l.cfg.Key != nil {
		node.InKey, node.OutKey = frame.NewV2Key(l.cfg.Key), frame.NewV2Key(l.cfg.Key)
	}
	if err := node.Initialize(); err != nil {
		return fmt.Errorf("mavlink on %s%s: %w", l.cfg.UDP, l.cfg.Serial, err)
	}
	done := make(chan struct{})
	go func() { defer close(done); <-ctx.Done(); node.Close() }()
	defer func() { <-done }()
	for e := range node.Events() {
		switch e := e.(type) {
		case *gomavlib.EventFrame:
			l.take(e.SystemID(), e.ComponentID(), e.Frame, out)
		case *gomavlib.EventParseError:
			out("", runs.Sample{}, fmt.Errorf("mavlink: invalid frame: %w", e.Error))
		case *gomavlib.EventChannelClose:
			if ctx.Err() == nil && e.Error != nil && !errors.Is(e.Error, net.ErrClosed) {
				out("", runs.Sample{}, fmt.Errorf("mavlink: the link was lost: %w", e.Error))
			}
		}
	}
	return nil
}

// take decodes a frame of a vehicle.
func (l *Link) take(system, component byte, f frame.Frame, out Out) {
	d := l.decoders[system]
	if d == nil {
		// The ground station's commands count for their targets.
		if system == 255 || system == 254 {
			for _, d := range l.decoders {
				d.sample(component, f.GetMessage())
			}
			return
		}
		if !l.strange[system] {
			l.strange[system] = true
			err := fmt.Errorf("mavlink: vehicle %d is not configured on this link: it is ignored", system)
			out("", runs.Sample{}, err)
		}
		return
	}
	if s, ok := d.sample(component, f.GetMessage()); ok {
		out(d.Machine, s, nil)
	}
}

func (l *Link) endpoint(ctx context.Context) gomavlib.EndpointConf {
	if l.cfg.UDP != "" {
		return gomavlib.EndpointUDPServer{Address: l.cfg.UDP}
	}
	return gomavlib.EndpointCustomClient{Label: l.cfg.Serial, Connect: func(context.Context) (net.Conn, error) {
		line, err := l.ports.Serial(l.cfg.Serial, l.cfg.Baud)
		if err != nil {
			return nil, err
		}
		frames, err := newSieve(line)
		if err != nil {
			return nil, errors.Join(err, line.Close())
		}
		return &conn{line: line, frames: frames, ended: ctx.Done()}, nil
	}}
}

// conn makes a serial line a net.Conn. Read waits on when the line times out.
type conn struct {
	line   io.ReadWriteCloser
	frames *sieve
	ended  <-chan struct{}
}

func (c *conn) Read(b []byte) (int, error) {
	for {
		n, err := c.frames.Read(b)
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-c.ended:
			return 0, net.ErrClosed
		default:
		}
	}
}

func (c *conn) Write(b []byte) (int, error)      { return c.line.Write(b) }
func (c *conn) Close() error                     { return c.line.Close() }
func (c *conn) LocalAddr() net.Addr              { return addr{} }
func (c *conn) RemoteAddr() net.Addr             { return addr{} }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

type addr struct{}

func (addr) Network() string { return "serial" }
func (addr) String() string  { return "serial" }
