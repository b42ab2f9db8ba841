package broker

import (
	"io"
	"strings"
)

// topicReader reads what a client sends, and calls found with each topic that it
// publishes on or subscribes to and that this broker does not carry. nats-server
// disconnects the client then, without saying which topic it was.
type topicReader struct {
	from   io.Reader
	found  func(topic string)
	packet func(kind byte, size int) // called with each packet

	part  packetPart
	kind  byte   // of the packet: the high half of its first byte
	size  int    // bytes of the packet, without type and length
	left  int    // of those, that are still to come
	shift int    // of the length's next 7 bits
	head  []byte // the beginning of the packet, without type and length
}

// packetPart is the part of a packet that comes next.
type packetPart uint8

const (
	partType packetPart = iota
	partLength
	partBody
)

// Types of packets that name topics.
const (
	packetPublish   = 3
	packetSubscribe = 8
)

// maxHead is how many bytes of a packet are looked at: the longest topics of
// firmware are far shorter.
const maxHead = 1 << 10

// maxTopic is how many bytes of a topic are logged.
const maxTopic = 200

// Read implements io.Reader.
func (r *topicReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.see(p[:n])
	return n, err
}

// see takes the next bytes.
func (r *topicReader) see(p []byte) {
	for len(p) > 0 {
		switch r.part {
		case partType:
			r.kind, r.left, r.shift, r.head = p[0]>>4, 0, 0, r.head[:0]
			r.part, p = partLength, p[1:]
		case partLength:
			r.left |= int(p[0]&0x7F) << r.shift
			r.shift += 7
			if p[0] < 0x80 || r.shift > 21 {
				r.part, r.size = partBody, r.left
			}
			p = p[1:]
		case partBody:
			n := min(len(p), r.left)
			r.head = append(r.head, p[:min(n, maxHead-len(r.head))]...)
			r.left -= n
			p = p[n:]
		}
		if r.part == partBody && r.left == 0 {
			r.check()
			r.packet(r.kind, r.size)
			r.part = partType
		}
	}
}

// check looks at the topics of a packet that has come.
func (r *topicReader) check() {
	rest := r.head
	switch r.kind {
	case packetPublish:
		topic, _ := cutString(rest)
		r.look(topic)
	case packetSubscribe:
		rest = rest[min(2, len(rest)):] // the packet's number
		for len(rest) > 0 {
			var filter string
			filter, rest = cutString(rest)
			r.look(filter)
			rest = rest[min(1, len(rest)):] // the QoS that it asks for
		}
	}
}

func (r *topicReader) look(topic string) {
	if strings.ContainsAny(topic, notCarried) {
		r.found(topic[:min(len(topic), maxTopic)])
	}
}
