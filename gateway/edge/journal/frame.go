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

// frame is a frame whose checksum is right. Its payload is valid until the
// scanner moves.
type frame struct {
	off     int64  // of its first byte in the segment
	skipped int64  // damaged bytes before it
	seq     uint64 // of the record, or the first of the hole
	to      uint64 // of a hole, its last; else equal to seq
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

// hole decodes a frame of kind hole.
func (f frame) hole() wire.Hole {
	return wire.Hole{From: f.seq, To: f.to, Reason: string(f.payload[8:]), Count: f.to - f.seq + 1}
}

// payloadLen returns the length in the frame that b starts with, or -1 when it
// starts with none.
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

// parseFrame parses the frame that b starts with. Its seq must exceed after, the
// seq before it.
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

// header is the start of a segment.
type header struct {
	jid   uuid.UUID // of the journal when the segment was created
	first uint64    // seq of its first record
	age   int64     // uptime of the journal when the segment was created, ns; see Options.Keep
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
