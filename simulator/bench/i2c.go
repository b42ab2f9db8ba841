package bench

import (
	"errors"
	"sync/atomic"
	"time"

	"periph.io/x/conn/v3/physic"

	"gatehouse/gateway/fact"
)

var errNAK = errors.New("no acknowledge")

// bus is the I²C bus of a gate with its chips; either may be nil. It implements
// i2c.BusCloser.
type bus struct {
	mlx  *mlx
	oled *oled
}

func (b bus) String() string                  { return "simulated I²C bus" }
func (b bus) SetSpeed(physic.Frequency) error { return nil }
func (b bus) Close() error                    { return nil }

// Tx implements i2c.Bus.
func (b bus) Tx(addr uint16, w, r []byte) error {
	switch {
	case b.oled != nil && addr == oledAddress:
		return b.oled.tx(w, r)
	case b.mlx != nil:
		return b.mlx.tx(addr, w, r)
	}
	return errNAK
}

// mlx emulates an MLX90614: RAM registers 06 (ambient) and 07 (object), EEPROM 24
// (emissivity) and 2E (address), PEC on every read.
type mlx struct {
	s         *Scene
	unplugged atomic.Bool
	eeprom    map[byte]uint16
	address   uint16
}

func newMLX(s *Scene) *mlx {
	return &mlx{s: s, address: 0x5A, eeprom: map[byte]uint16{0x24: 0xFFFF, 0x2E: 0xBE5A}}
}

// tx answers reads of a word: one command byte out, three bytes in.
func (m *mlx) tx(addr uint16, w, r []byte) error {
	if m.unplugged.Load() || addr != m.address || len(w) != 1 || len(r) != 3 {
		return errNAK
	}
	object, ambient, fault := m.s.measure(time.Now())
	var word uint16
	switch cmd := w[0]; cmd {
	case 0x06:
		word = kelvin(ambient)
	case 0x07:
		word = kelvin(object)
		if fault == FaultBroken {
			word |= 0x8000
		}
	default:
		v, ok := m.eeprom[cmd]
		if !ok {
			return errNAK
		}
		word = v
	}
	r[0], r[1] = byte(word), byte(word>>8)
	r[2] = pec([]byte{byte(addr << 1), w[0], byte(addr<<1 | 1), r[0], r[1]})
	switch fault {
	case FaultSilent:
		return errNAK
	case FaultGarbage:
		r[2] ^= 0x55
	case FaultAllFF:
		r[0], r[1], r[2] = 0xFF, 0xFF, 0xFF
	}
	return nil
}

// kelvin returns the word for a temperature, in units of 0.02 K. It rounds up,
// so that a fever stays a fever.
func kelvin(t fact.Temp) uint16 { return uint16((t + 27315 + 1) / 2) }

// pec returns the SMBus packet error code: CRC-8, polynomial 07.
func pec(b []byte) (crc byte) {
	for _, v := range b {
		crc ^= v
		for range 8 {
			crc = crc<<1 ^ crc>>7*0x07
		}
	}
	return crc
}
