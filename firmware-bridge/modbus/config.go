package modbus

import (
	"errors"
	"fmt"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
)

// Config is one bus.
type Config struct {
	Serial   string        // an RS-485 adapter that turns its direction by itself; or
	Baud     int           // default 9600
	Parity   string        // of devices; default none
	StopBits int           // 1 (default) or 2
	TCP      string        // host:port
	Framing  string        // on TCP: FramingTCP (default) or FramingRTU
	Timeout  time.Duration // for an answer, 50 ms to 10 s; default 1 s
	Every    time.Duration // between two polls of a unit, 50 ms to 1 min; default 1 s
	Units    []Unit
}

// Framings of a Config.
const (
	FramingTCP = "tcp"
	FramingRTU = "rtu"
)

// Unit is one device on the bus; several may belong to one machine.
type Unit struct {
	Machine string
	Unit    uint8 // 1 to 247 in RTU, any on TCP
	Map     *Map
}

// Check returns an error that lists what is wrong, or nil.
func (c Config) Check() error {
	errs := c.checkLine()
	if len(c.Units) == 0 {
		errs = append(errs, errors.New("units: none are listed"))
	}
	seen := map[uint8]bool{}
	for _, u := range c.Units {
		if (c.TCP == "" || c.Framing == FramingRTU) && (u.Unit < 1 || u.Unit > 247) {
			errs = append(errs, fmt.Errorf("unit %d of %s: a unit is 1 to 247 in RTU", u.Unit, u.Machine))
		}
		if seen[u.Unit] {
			errs = append(errs, fmt.Errorf("unit %d is listed twice on this bus", u.Unit))
		}
		seen[u.Unit] = true
		if err := u.Map.Check(); err != nil {
			errs = append(errs, fmt.Errorf("unit %d: register map %s: %w", u.Unit, u.Map.Model, err))
		}
	}
	return errors.Join(append(errs, c.checkMeanings()...)...)
}

func (c Config) checkLine() (errs []error) {
	add := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	add((c.Serial == "") == (c.TCP == ""), "give serial or tcp, one of them")
	switch c.Parity {
	case "", devices.ParityNone, devices.ParityEven, devices.ParityOdd:
	default:
		add(true, "parity %q is none of none, even, odd", c.Parity)
	}
	add(c.StopBits < 0 || c.StopBits > 2, "stop_bits is 1 or 2, not %d", c.StopBits)
	add(c.TCP != "" && (c.Baud != 0 || c.Parity != "" || c.StopBits != 0), "baud, parity and stop_bits are of serial")
	add(c.Framing != "" && c.Framing != FramingTCP && c.Framing != FramingRTU,
		"framing is tcp or rtu, not %q", c.Framing)
	add(c.Serial != "" && c.Framing != "", "framing is of tcp: a serial line always speaks RTU")
	add(c.Timeout != 0 && (c.Timeout < 50*time.Millisecond || c.Timeout > 10*time.Second),
		"timeout %s is not in 50ms to 10s", c.Timeout)
	add(c.Every != 0 && (c.Every < 50*time.Millisecond || c.Every > time.Minute),
		"every %s is not in 50ms to 1m", c.Every)
	return errs
}

// checkMeanings returns an error for each value of a machine that two units tell:
// they would contradict each other.
func (c Config) checkMeanings() (errs []error) {
	type said struct{ machine, means string }
	by := map[said]uint8{}
	for _, u := range c.Units {
		for _, v := range u.Map.Values {
			key := said{u.Machine, v.Means}
			if other, twice := by[key]; twice && other != u.Unit && v.Means != fact.FieldFault {
				errs = append(errs, fmt.Errorf("units %d and %d both tell %s of %s: leave it out of one map",
					other, u.Unit, v.Means, u.Machine))
			}
			by[key] = u.Unit
		}
	}
	return errs
}
