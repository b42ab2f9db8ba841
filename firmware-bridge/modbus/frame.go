package modbus

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// request asks a unit for registers or bits.
type request struct {
	unit     uint8
	function uint8  // 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers
	first    uint16 // address
	count    uint16
	number   uint16 // of the transaction, on TCP
}

// bits reports whether a request asks for bits, not for registers.
func (r request) bits() bool { return r.function <= 2 }

// size returns how many bytes of values answer a request.
func (r request) size() int {
	if r.bits() {
		return (int(r.count) + 7) / 8
	}
	return 2 * int(r.count)
}

// pdu returns the request without unit and frame.
func (r request) pdu() []byte {
	b := []byte{r.function}
	b = binary.BigEndian.AppendUint16(b, r.first)
	return binary.BigEndian.AppendUint16(b, r.count)
}

// exception is a unit's refusal of a request.
type exception uint8

const (
	illegalFunction exception = 1
	illegalAddress  exception = 2
	illegalValue    exception = 3
	acknowledge     exception = 5
	busy            exception = 6
	noAnswer        exception = 11
)

func (e exception) Error() string {
	words := map[exception]string{
		illegalFunction: "illegal function (does the manual name another table?)",
		illegalAddress:  "illegal data address",
		illegalValue:    "illegal data value",
		4:               "failure of the device",
		acknowledge:     "not ready yet",
		busy:            "busy",
		8:               "memory parity error",
		10:              "the gateway has no path to the unit",
		noAnswer:        "the unit does not answer the gateway",
	}
	text, known := words[e]
	if !known {
		text = "no exception of the standard"
	}
	return fmt.Sprintf("exception %02X, %s", uint8(e), text)
}

// found is what bytes that came say about a request.
type found struct {
	answered bool
	values   []byte    // of registers and bits
	refused  exception // 0: it was not refused
	echo     bool      // the request itself came back
	other    string    // a whole frame that is no answer to the request: what it is
}

// framing puts requests into frames, and finds answers among bytes. Before, between
// and behind the frames any bytes may stand. Of several answers to the request the
// last one counts: those before it are left over from earlier requests.
type framing interface {
	frame(r request) []byte
	find(r request, b []byte) found
}

// pdu reads the function and values that begin b: of an answer to a request, or its
// refusal. n is how many bytes it takes; 0: it is neither, or not whole.
func (f *found) pdu(r request, b []byte) (n int) {
	switch {
	case len(b) >= 2+r.size() && b[0] == r.function && int(b[1]) == r.size():
		f.values, f.refused = bytes.Clone(b[2:2+r.size()]), 0
		return 2 + r.size()
	case len(b) >= 2 && b[0] == r.function|0x80 && b[1] != 0:
		f.values, f.refused = nil, exception(b[1])
		return 2
	}
	return 0
}

// rtu is the framing of serial lines: unit, PDU, CRC.
type rtu struct{}

func (rtu) frame(r request) []byte {
	b := append([]byte{r.unit}, r.pdu()...)
	return binary.LittleEndian.AppendUint16(b, crc(b))
}

const requestBytes = 8 // of a request in RTU

func (t rtu) find(r request, b []byte) (f found) {
	own := t.frame(r)
	foreign := false // another master has asked this unit: the next answer is for it
	for i := 0; i < len(b); {
		rest := b[i:]
		if n := t.answer(&f, r, rest, foreign); n > 0 {
			i, foreign = i+n, false
			continue
		}
		switch n, what := whole(r, rest); {
		case bytes.HasPrefix(rest, own):
			f.echo = true
			i += len(own)
		case n > 0:
			f.other = what
			i += n
		case len(rest) >= requestBytes && rest[0] == r.unit && rest[1] == r.function && checks(rest[:requestBytes]):
			f.other = "a request of another master on this line"
			foreign = true
			i += requestBytes
		default:
			i++
		}
	}
	return f
}

// answer reads an answer that begins b into f, unless skip, and returns its length
// with the CRC; 0: none begins there.
func (rtu) answer(f *found, r request, b []byte, skip bool) int {
	if len(b) < 1 || b[0] != r.unit {
		return 0
	}
	var here found
	n := here.pdu(r, b[1:])
	if n == 0 || len(b) < n+3 || !checks(b[:n+3]) {
		return 0
	}
	if !skip {
		f.answered, f.values, f.refused = true, here.values, here.refused
	}
	return n + 3
}

// whole returns the length of a frame that begins b and is an answer to some other
// request, and what it is; 0: there is none.
func whole(r request, b []byte) (n int, what string) {
	if len(b) < 5 || b[1] < 1 || b[1] > 4 || len(b) < 5+int(b[2]) || b[2] == 0 {
		return 0, ""
	}
	if n = 5 + int(b[2]); !checks(b[:n]) {
		return 0, ""
	}
	return n, otherAnswer(r, b[0], b[1], int(b[2]))
}

// otherAnswer says how an answer differs from the one that was asked for.
func otherAnswer(r request, unit, function uint8, size int) string {
	switch {
	case unit != r.unit:
		return fmt.Sprintf("unit %d answers instead: is unit right?", unit)
	case function != r.function:
		return fmt.Sprintf("it answers to function %d instead", function)
	}
	return fmt.Sprintf("it answers with %d bytes, not %d", size, r.size())
}

// checks reports whether b ends with the CRC of what stands before.
func checks(b []byte) bool {
	n := len(b) - 2
	return binary.LittleEndian.Uint16(b[n:]) == crc(b[:n])
}

// crc returns the CRC-16 of "MODBUS over Serial Line", section 6.2.2.
func crc(b []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, c := range b {
		sum ^= uint16(c)
		for range 8 {
			low := sum & 1
			sum >>= 1
			if low == 1 {
				sum ^= 0xA001
			}
		}
	}
	return sum
}

// mbap is the framing of Modbus TCP: transaction, protocol 0, length, unit, PDU.
type mbap struct{}

const mbapHeader = 7

func (mbap) frame(r request) []byte {
	pdu := r.pdu()
	b := binary.BigEndian.AppendUint16(nil, r.number)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(1+len(pdu)))
	return append(append(b, r.unit), pdu...)
}

func (t mbap) find(r request, b []byte) (f found) {
	own := t.frame(r)
	for i := 0; i < len(b); {
		rest := b[i:]
		n := t.length(rest)
		var here found
		switch {
		case bytes.HasPrefix(rest, own):
			f.echo = true
			i += len(own)
		case n == 0:
			i++
		case binary.BigEndian.Uint16(rest) != r.number:
			f.other = "an answer to another request (its transaction number differs)"
			i += n
		case rest[6] != r.unit:
			f.other = otherAnswer(r, rest[6], rest[7], 0)
			i += n
		case here.pdu(r, rest[mbapHeader:n]) > 0:
			f.answered, f.values, f.refused = true, here.values, here.refused
			i += n
		default:
			f.other = otherAnswer(r, r.unit, rest[7]&0x7F, n-mbapHeader-2)
			i += n
		}
	}
	return f
}

// length returns the length of a frame that begins b; 0: none does, or it is not
// whole.
func (mbap) length(b []byte) int {
	if len(b) < mbapHeader+2 || b[2] != 0 || b[3] != 0 {
		return 0
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if function := b[7] & 0x7F; n < 3 || n > 254 || len(b) < 6+n || function < 1 || function > 4 {
		return 0
	}
	return 6 + n
}
