package fleet

import (
	"encoding/binary"
	"testing"
)

func FuzzAnswer(f *testing.F) {
	for _, s := range [][]byte{
		withCRC([]byte{1, 3, 0, 0, 0, 10}),
		withCRC([]byte{1, 1, 0, 0, 7, 208}),
		withCRC([]byte{1, 4, 255, 255, 0, 125}),
		withCRC([]byte{1, 16, 0, 0, 0, 1}),
		withCRC([]byte{2, 3, 0, 0, 0, 1}),
		{1, 3, 0, 0, 0, 10, 0, 0},
	} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, valid bool) {
		if len(b) < requestLen {
			return
		}
		if b = b[:requestLen]; valid {
			b = withCRC(b[: requestLen-2 : requestLen-2])
		}
		reply := answer(map[byte]unit{1: func(_ byte, address uint16) (uint16, bool) {
			return address, address < 2500
		}}, b)
		if reply == nil {
			return
		}
		n := len(reply) - 2
		if n < 3 || n > 253 || crc16(reply[:n]) != binary.LittleEndian.Uint16(reply[n:]) || reply[0] != b[0] ||
			reply[1]&0x7F != b[1]&0x7F {
			t.Errorf("% x is answered by % x", b, reply)
		}
	})
}
