package devices

import (
	"context"
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"

	"gatehouse/devices/frame"
	"gatehouse/gateway/fact"
)

// MLX90614: infrared thermometer on I²C. Reading a word is one transaction with
// a repeated start: command, then low byte, high byte and PEC. A word is
// kelvin × 50; bit 15 flags an error. The driver never writes the EEPROM
// (emissivity and others): a failed write leaves garbage until the power is
// cut, and the site offset corrects in software. Source: Melexis data sheet
// 3901090614 and application note 390119061402, pages 14 to 23.
const (
	mlxAddress = 0x5A
	mlxAmbient = 0x06
	mlxObject  = 0x07
	mlxPeriod  = 100 * time.Millisecond // between polls; its filter passes 7 Hz at most
)

type mlx90614 struct {
	ports Ports
	name  string
	addr  uint16

	bus   i2c.BusCloser
	noise frame.Noise
	due   time.Time     // of the next poll
	gone  bool          // ErrGone was returned and the sensor has not answered since
	retry time.Duration // wait before the next poll after an error of the bus
}

func newMLX90614(ports Ports, s Settings) (Sensor, error) {
	if s.Port == "" {
		return nil, errors.New("mlx90614: port is missing (the I²C bus, for example 1)")
	}
	addr := s.Address
	if addr == 0 {
		addr = mlxAddress
	}
	if addr > 0x7F {
		return nil, fmt.Errorf("mlx90614: address %#x is not a 7-bit I²C address", addr)
	}
	return &mlx90614{ports: ports, name: s.Port, addr: addr, retry: firstRetry}, nil
}

// Next implements Sensor. It polls the sensor ten times a second.
func (m *mlx90614) Next(ctx context.Context) (Reading, error) {
	for {
		wait(ctx, time.Until(m.due))
		if err := ctx.Err(); err != nil {
			m.close()
			return nil, err
		}
		m.due = time.Now().Add(mlxPeriod)
		r, err := m.poll()
		if !isBusError(err) {
			if r != nil {
				m.gone, m.retry = false, firstRetry
				m.noise.Good()
			}
			if errors.Is(err, ErrFrame) && m.noise.Bad(m.due, frame.MLXAnswer) {
				err = fmt.Errorf("mlx90614 at %#x on bus %s answers, but its checksum is never right: "+
					"check model, address, wiring and pull-ups: %w", m.addr, m.name, ErrFault)
			}
			return r, err
		}
		m.close()
		m.noise = frame.Noise{}
		m.due = time.Now().Add(m.retry)
		m.retry = min(2*m.retry, lastRetry)
		if !m.gone {
			m.gone = true
			return nil, err
		}
	}
}

// busError is a failure to open the bus, or of a transaction on it.
type busError struct{ error }

func (e busError) Unwrap() []error { return []error{ErrGone, e.error} }

func isBusError(err error) bool {
	_, ok := err.(busError) //nolint:errorlint // poll never wraps it
	return ok
}

// poll reads both temperatures; it opens the bus first if it is not open.
func (m *mlx90614) poll() (Reading, error) {
	if m.bus == nil {
		bus, err := m.ports.I2C(m.name)
		if err != nil {
			return nil, busError{fmt.Errorf("mlx90614: %w", err)}
		}
		m.bus = bus
	}
	ambient, err := m.word(mlxAmbient)
	if err != nil {
		return nil, err
	}
	object, err := m.word(mlxObject)
	if err != nil {
		return nil, err
	}
	r, err := frame.Plausible(time.Now(), object, ambient)
	if err != nil {
		return nil, fmt.Errorf("mlx90614 on bus %s: %w", m.name, err)
	}
	return r, nil
}

func (m *mlx90614) word(cmd byte) (fact.Temp, error) {
	var b [frame.MLXAnswer]byte
	if err := m.bus.Tx(m.addr, []byte{cmd}, b[:]); err != nil {
		return 0, busError{fmt.Errorf("mlx90614 at %#x on bus %s does not answer: %w", m.addr, m.name, err)}
	}
	v, err := frame.MLXWord(byte(m.addr), cmd, b)
	if err != nil {
		return 0, fmt.Errorf("mlx90614 on bus %s, register %#02x: %w", m.name, cmd, err)
	}
	return v, nil
}

func (m *mlx90614) close() {
	if m.bus != nil {
		m.bus.Close()
		m.bus = nil
	}
}
