package frame

import (
	"bytes"
	"fmt"
	"time"

	"gatehouse/gateway/fact"
)

// The GY-MCU90614 is an MLX90614 with a microcontroller. Some 14 times a second
// it sends 5A 5A 45 n, then n bytes (object and ambient temperature as
// big-endian hundredths of a degree; newer modules add one byte), then the low
// byte of the sum of all bytes before. Source: the module's data sheet
// (GY-MCU90614 V1); https://www.mikroelektronik.hu, as99shop.
const (
	gyMinData = 4
	gyMaxData = 8
)

// The MLX90614 measures objects of -70 to 380 °C at an ambient of -40 to
// 125 °C (Melexis 3901090614); other values are not measurements.
const (
	mlxObjectMin  fact.Temp = -7000
	mlxObjectMax  fact.Temp = 38000
	mlxAmbientMin fact.Temp = -4000
	mlxAmbientMax fact.Temp = 12500
)

// GYMCU90614 returns the sample that buf begins with; see Framer.
func GYMCU90614(at time.Time, buf []byte, _ time.Duration) (Reading, int, error) {
	start := bytes.Index(buf, []byte{0x5A, 0x5A})
	switch {
	case start < 0 && buf[len(buf)-1] == 0x5A:
		start = len(buf) - 1
	case start < 0:
		start = len(buf)
	}
	if start > 0 {
		return nil, start, fmt.Errorf("%d bytes before a header: %w", start, ErrFrame)
	}
	if len(buf) < 4 {
		return nil, 0, nil
	}
	n := int(buf[3])
	if buf[2] != 0x45 || n < gyMinData || n > gyMaxData {
		return nil, 1, fmt.Errorf("header 5A 5A %02X %02X: %w", buf[2], buf[3], ErrFrame)
	}
	size := 4 + n + 1
	if len(buf) < size {
		return nil, 0, nil
	}
	if got, want := Sum8(buf[:size-1]), buf[size-1]; got != want {
		return nil, 2, fmt.Errorf("checksum %02X, not %02X: %w", got, want, ErrFrame)
	}
	object := fact.Temp(int16(uint16(buf[4])<<8 | uint16(buf[5])))
	ambient := fact.Temp(int16(uint16(buf[6])<<8 | uint16(buf[7])))
	r, err := Plausible(at, object, ambient)
	if err != nil {
		size = 2 // an 8-bit sum matches by chance once in 256: a frame may begin inside
	}
	return r, size, err
}

// Sum8 returns the low byte of the sum of b.
func Sum8(b []byte) (sum byte) {
	for _, v := range b {
		sum += v
	}
	return sum
}

// Plausible returns a sample of the values, or an error that wraps ErrFault if
// an MLX90614 cannot measure them.
func Plausible(at time.Time, object, ambient fact.Temp) (Reading, error) {
	if object < mlxObjectMin || object > mlxObjectMax || ambient < mlxAmbientMin || ambient > mlxAmbientMax {
		return nil, fmt.Errorf("object %s °C, ambient %s °C: %w", object, ambient, ErrFault)
	}
	return Sample{At: at, Object: object, Ambient: ambient}, nil
}
