package faults

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Packet is one MQTT control packet in transit.
type Packet struct {
	Up    bool   // from the client to the broker
	Kind  byte   // control packet type of MQTT 3.1.1; 3 is PUBLISH
	Topic string // of a PUBLISH
	body  int    // offset of the payload in raw
	raw   []byte
}

// Payload returns the payload of a PUBLISH. It must not be changed.
func (p Packet) Payload() []byte { return p.raw[p.body:] }

// kindPublish is the control packet type of a PUBLISH.
const kindPublish = 3

// Publish returns a PUBLISH packet of QoS 0.
func Publish(topic string, payload []byte, retained bool) []byte {
	head := byte(kindPublish << 4)
	if retained {
		head |= 1
	}
	b := binary.AppendUvarint([]byte{head}, uint64(2+len(topic)+len(payload)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(topic)))
	return append(append(b, topic...), payload...)
}

var errPacket = errors.New("not an MQTT packet")

// readPacket reads one control packet. An error means that the stream can't be
// read any further.
func readPacket(r *bufio.Reader, up bool) (Packet, error) {
	head, err := r.ReadByte()
	if err != nil {
		return Packet{}, err
	}
	raw := []byte{head}
	n, shift := 0, 0
	for {
		b, err := r.ReadByte()
		if err != nil {
			return Packet{}, err
		}
		raw = append(raw, b)
		n |= int(b&0x7F) << shift
		if b < 0x80 {
			break
		}
		if shift += 7; shift > 21 {
			return Packet{}, errPacket
		}
	}
	begin := len(raw)
	raw = append(raw, make([]byte, n)...)
	if _, err := io.ReadFull(r, raw[begin:]); err != nil {
		return Packet{}, err
	}
	p := Packet{Up: up, Kind: head >> 4, raw: raw, body: len(raw)}
	if p.Kind == kindPublish && n >= 2 {
		length := int(binary.BigEndian.Uint16(raw[begin:]))
		if body := begin + 2 + length; body <= len(raw) {
			p.Topic, p.body = string(raw[begin+2:body]), body
			if head&0x06 != 0 {
				p.body = min(body+2, len(raw))
			}
		}
	}
	return p, nil
}
