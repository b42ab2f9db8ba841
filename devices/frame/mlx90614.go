package frame

import (
	"fmt"

	"gatehouse/gateway/fact"
)

// MLXAnswer is the length of what an MLX90614 answers to the read of a word: the word
// and its PEC.
const MLXAnswer = 3

const (
	mlxZeroC     = 27315 // 0 °C in hundredths of a kelvin
	mlxErrorFlag = 0x80
)

// MLXWord converts a word to a temperature. It checks the PEC (CRC-8,
// polynomial 07, over both address bytes, the command and the data) and the
// error flag.
func MLXWord(addr, cmd byte, b [MLXAnswer]byte) (fact.Temp, error) {
	if got := crc8([]byte{addr << 1, cmd, addr<<1 | 1, b[0], b[1]}); got != b[2] {
		return 0, fmt.Errorf("PEC %02X, not %02X: %w", b[2], got, ErrFrame)
	}
	if b[1]&mlxErrorFlag != 0 {
		return 0, fmt.Errorf("error flag set in %02X%02X: %w", b[1], b[0], ErrFault)
	}
	return fact.Temp(int32(b[1])<<8|int32(b[0]))*2 - mlxZeroC, nil
}

func crc8(b []byte) (crc byte) {
	for _, v := range b {
		crc ^= v
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x07
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
