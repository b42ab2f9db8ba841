package fleet

import (
	"encoding/binary"
	"testing"
)

func FuzzAnswer(f *testing.F) {
	for _, s := range [][]byte{seal([]byte{1, 3, 0, 0, 0, 10}), seal([]byte{1, 1, 0, 0, 7, 208}),
		seal([]byte{1, 4, 255, 255, 0, 125}), seal([]byte{1, 16, 0, 0, 0, 1}), seal([]byte{2, 3, 0, 0, 0, 1}),
		{1, 3, 0, 0, 0, 10, 0, 0}} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, sealed bool) {
		if len(b) < request {
			return
		}
		if b = b[:request]; sealed {
			b = seal(b[: request-2 : request-2])
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
