package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/google/uuid"

	"gatehouse/gateway/wire"
)

// A segment is a header and then frames, all integers little-endian:
//
//	header  8 magic "GATEJRN1", 16 jid, 8 first seq, 8 age in ns, 4 CRC32C of all before
//	frame   4 magic FF 'G' 'J' FE, 4 CRC32C of all after, 4 payload length, 8 seq, 1 kind, payload
//
// A frame of kind record carries the record's bytes; one of kind hole carries
// the last seq of the hole (8) and its reason.
const (
	headerLen   = 8 + 16 + 8 + 8 + 4
	frameLen    = 4 + 4 + 4 + 8 + 1
	maxPayload  = wire.MaxRecordBytes
	minRecord   = 80 // no encoded record is shorter: the time alone takes 37 bytes
	kindRecord  = byte(1)
	kindHole    = byte(2)
	segmentMark = "GATEJRN1"
)

// frameMark can't occur in a record: no UTF-8 text holds FE or FF.
var frameMark = []byte{0xFF, 'G', 'J', 0xFE}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is one that checked out. Its payload is valid until the scanner moves.
type frame struct {
	off     int64  // of its first byte in the segment
	skipped int64  // bytes before it that are no frame: damage
	seq     uint64 // of the record, or the first of the hole
	to      uint64 // equals seq unless it is a hole
	kind    byte
	payload []byte
}

func appendFrame(b []byte, kind byte, seq uint64, payload []byte) []byte {
	start := len(b)
	b = append(b, frameMark...)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint64(b, seq)
	b = append(b, kind)
	b = append(b, payload...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(b[start+8:], castagnoli))
	return b
}

func appendHole(b []byte, h wire.Hole) []byte {
	payload := binary.LittleEndian.AppendUint64(make([]byte, 0, 8+len(h.Reason)), h.To)
	return appendFrame(b, kindHole, h.From, append(payload, h.Reason...))
}

// hole is what a frame of kind hole says.
func (f frame) hole() wire.Hole {
	return wire.Hole{From: f.seq, To: f.to, Reason: string(f.payload[8:]), Count: f.to - f.seq + 1}
}

// payloadLen reads the length out of the start of a frame, or -1 when b is
// none.
func payloadLen(b []byte) int {
	if len(b) < frameLen || !bytes.HasPrefix(b, frameMark) {
		return -1
	}
	n := binary.LittleEndian.Uint32(b[8:])
	if n == 0 || n > maxPayload {
		return -1
	}
	return int(n)
}

// parseFrame reads the frame that b starts with; after is the last seq before
// it, which its own must exceed.
func parseFrame(b []byte, after uint64) (frame, bool) {
	n := payloadLen(b)
	if n < 0 || len(b) < frameLen+n {
		return frame{}, false
	}
	b = b[:frameLen+n]
	if binary.LittleEndian.Uint32(b[4:]) != crc32.Checksum(b[8:], castagnoli) {
		return frame{}, false
	}
	f := frame{seq: binary.LittleEndian.Uint64(b[12:]), kind: b[20], payload: b[frameLen:]}
	f.to = f.seq
	switch f.kind {
	case kindRecord:
	case kindHole:
		if n <= 8 {
			return frame{}, false
		}
		f.to = binary.LittleEndian.Uint64(f.payload)
	default:
		return frame{}, false
	}
	return f, f.seq > after && f.to >= f.seq
}

// header is what a segment starts with.
type header struct {
	jid   uuid.UUID // of the journal when the segment was made
	first uint64    // seq of its first record
	age   int64     // of the journal when the segment was made, ns; see Options.Keep
}

func (h header) append(b []byte) []byte {
	start := len(b)
	b = append(b, segmentMark...)
	b = append(b, h.jid[:]...)
	b = binary.LittleEndian.AppendUint64(b, h.first)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.age))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

func parseHeader(b []byte) (header, bool) {
	if len(b) < headerLen || string(b[:8]) != segmentMark ||
		binary.LittleEndian.Uint32(b[40:]) != crc32.Checksum(b[:40], castagnoli) {
		return header{}, false
	}
	return header{jid: uuid.UUID(b[8:24]), first: binary.LittleEndian.Uint64(b[24:]),
		age: int64(binary.LittleEndian.Uint64(b[32:]))}, true
}
