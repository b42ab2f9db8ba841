package devices

import (
	"bytes"
	"fmt"
	"time"

	"gatehouse/devices/frame"
	"gatehouse/gateway/fact"
)

// The example driver of README.md ("Add a thermometer"). A test compares that
// text with this file and runs the conformance test on the driver.

func newIR200(ports Ports, s Settings) (Sensor, error) {
	return newStream("ir200", ports, s, 19200, nil, ir200Frame) // opens, re-opens, times out
}

// ir200Frame: A5, object and ambient as big-endian hundredths of a degree, the
// low byte of the sum. Bytes → reading; pure: no I/O, no clock.
func ir200Frame(at time.Time, buf []byte, _ time.Duration) (r Reading, used int, err error) {
	switch start := bytes.IndexByte(buf, 0xA5); {
	case start < 0:
		return nil, len(buf), fmt.Errorf("%d bytes without a header: %w", len(buf), ErrFrame)
	case start > 0: // used is how many bytes to drop from the front
		return nil, start, fmt.Errorf("%d bytes before a header: %w", start, ErrFrame)
	case len(buf) < 6:
		return nil, 0, nil // used == 0: more bytes, please
	case frame.Sum8(buf[:5]) != buf[5]:
		return nil, 1, fmt.Errorf("checksum %02X: %w", buf[5], ErrFrame)
	}
	object, ambient := int16(buf[1])<<8|int16(buf[2]), int16(buf[3])<<8|int16(buf[4])
	return Sample{At: at, Object: fact.Temp(object), Ambient: fact.Temp(ambient)}, 6, nil
}

func IR200() []Model {
	return []Model{
		{
			Name: "ir200", Title: "IR200 infrared thermometer", Kind: KindThermometer,
			Bus: "UART", Baud: 19200, Rate: "8 samples a second",
			Wiring: "VCC 5 V, GND, TX to RX.", Source: "IR200 data sheet",
			Example: "A5 0E 42 0A 28 27", Reading: "object 36.50 °C, ambient 26.00 °C",
			Sensor: newIR200,
		},
	}
}
