// Package mavlink turns the MAVLink 1 and 2 messages of drones, from UDP or a
// serial radio, into samples. It reads recorded .tlog files the same way.
package mavlink

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

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
	Stamps   Stamps // keeps the time stamps of signed frames; nil: in memory only
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
		if v.PumpServo < 0 || v.PumpServo > mostOutputs {
			add("pump_servo is not in 1 to 32")
		}
		if v.FlowBattery != 0 && v.FlowBattery == v.LevelBattery {
			add("flow_battery and level_battery are one instance, and it confirms nothing twice:" +
				" leave one of the two out")
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
