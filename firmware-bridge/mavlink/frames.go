package mavlink

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/bluenviron/gomavlib/v3/pkg/dialect"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/frame"
	"github.com/bluenviron/gomavlib/v3/pkg/message"
)

// The first byte of a frame.
const (
	magicV1 = 0xFE
	magicV2 = 0xFD
)

// messages returns the messages that are understood; making them takes some 20 ms.
var messages = sync.OnceValues(func() (*dialect.ReadWriter, error) {
	d := &dialect.ReadWriter{Dialect: ardupilotmega.Dialect}
	if err := d.Initialize(); err != nil {
		return nil, fmt.Errorf("mavlink: %w", err)
	}
	return d, nil
})

// packet is one frame with a right checksum. Its message is not decoded yet.
type packet struct {
	v2                     bool
	seq, system, component byte
	id                     uint32 // of the message
	signed                 *frame.V2Frame
	raw                    *message.MessageRaw
	form                   *message.ReadWriter
}

// message decodes the packet's message. Some senders put the fields that only MAVLink
// 2 has into frames of MAVLink 1.
func (p packet) message() (message.Message, error) {
	m, err := p.form.Read(p.raw, p.v2)
	if err != nil && !p.v2 {
		m, err = p.form.Read(p.raw, true)
	}
	if err != nil {
		return nil, fmt.Errorf("decode message %d: %w", p.id, err)
	}
	return m, nil
}

// length returns the length of the frame that b may start with; 0: with none.
// enough is false while more bytes are needed.
func length(b []byte) (n int, enough bool) {
	if len(b) < 3 {
		return 0, false
	}
	switch b[0] {
	case magicV1:
		n = 8 + int(b[1])
	case magicV2:
		if n = 12 + int(b[1]); b[2]&1 == 1 {
			n += 13 // signature
		}
	default:
		return 0, true
	}
	return n, len(b) >= n
}

// What parse finds at the start of some bytes.
type found int

const (
	noFrame found = iota
	aFrame
	unknownFrame // of a message that is not in the dialect: its checksum can't be verified
)

// parse reads the frame that b is. The packet keeps no part of b.
func parse(d *dialect.ReadWriter, b []byte) (packet, found) {
	if b[0] == magicV1 {
		p := packet{seq: b[2], system: b[3], component: b[4], id: uint32(b[5])}
		return p.check(d, b[6:len(b)-2], func(extra byte) bool {
			f := frame.V1Frame{SequenceNumber: p.seq, SystemID: p.system, ComponentID: p.component, Message: p.raw}
			return f.GenerateChecksum(extra) == binary.LittleEndian.Uint16(b[len(b)-2:])
		})
	}
	f := &frame.V2Frame{IncompatibilityFlag: b[2], CompatibilityFlag: b[3], SequenceNumber: b[4], SystemID: b[5],
		ComponentID: b[6]}
	if b[2]&^frame.V2FlagSigned != 0 {
		return packet{}, noFrame
	}
	end := 10 + int(b[1])
	f.Checksum = binary.LittleEndian.Uint16(b[end:])
	p := packet{v2: true, seq: b[4], system: b[5], component: b[6],
		id: uint32(b[7]) | uint32(b[8])<<8 | uint32(b[9])<<16}
	if f.IsSigned() {
		tail := b[end+2:]
		f.SignatureLinkID = tail[0]
		f.SignatureTimestamp = uint64(binary.LittleEndian.Uint32(tail[1:])) |
			uint64(binary.LittleEndian.Uint16(tail[5:]))<<32
		f.Signature = (*frame.V2Signature)(append([]byte(nil), tail[7:13]...))
		p.signed = f
	}
	return p.check(d, b[10:end], func(extra byte) bool {
		f.Message = p.raw
		return f.GenerateChecksum(extra) == f.Checksum
	})
}

// check completes a packet whose checksum is right.
func (p *packet) check(d *dialect.ReadWriter, payload []byte, right func(extra byte) bool) (packet, found) {
	if p.form = d.GetMessage(p.id); p.form == nil {
		return *p, unknownFrame
	}
	p.raw = &message.MessageRaw{ID: p.id, Payload: append([]byte(nil), payload...)}
	if !right(p.form.CRCExtra()) {
		return *p, noFrame
	}
	return *p, aFrame
}

// splitter finds the frames in the bytes of one sender. A frame may be split over
// several reads or datagrams, and several may be in one. Bytes that are no frame are
// skipped: after a magic byte inside of a frame the next frame is still found.
type splitter struct {
	dialect *dialect.ReadWriter
	rest    []byte // the begin of a frame that is not complete
}

func newSplitter() (*splitter, error) {
	d, err := messages()
	return &splitter{dialect: d}, err
}

// add adds bytes and calls each with every frame that is complete. A begin of a frame
// that is not complete is kept, unless a whole frame comes after it.
func (s *splitter) add(b []byte, each func(packet)) {
	s.rest = append(s.rest, b...)
	at, kept := 0, -1
	for at < len(s.rest) {
		n, enough := length(s.rest[at:])
		if !enough && kept < 0 {
			kept = at
		}
		if n == 0 || !enough {
			at++
			continue
		}
		p, what := parse(s.dialect, s.rest[at:at+n])
		if what != aFrame {
			at++
			continue
		}
		at, kept = at+n, -1
		each(p)
	}
	if kept >= 0 {
		at = kept
	}
	s.rest = append(s.rest[:0], s.rest[at:]...)
}
