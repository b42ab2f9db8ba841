package broker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Types of packets: the high half of their first byte.
const (
	packetConnAck     = 2
	packetPublish     = 3
	packetPubAck      = 4
	packetPubRec      = 5
	packetPubRel      = 6
	packetSubscribe   = 8
	packetUnsubscribe = 10
)

// maxHead is how many bytes of a packet are looked at, and held at a time.
const maxHead = 16 << 10

// maxPacket bounds a packet with everything in it, in bytes.
const maxPacket = MaxPayload + envelope

// packet is the beginning of an MQTT packet, or all of it. Its bytes may be
// changed.
type packet struct {
	head  []byte
	start int // of the body in head
	size  int // bytes of the packet in all
}

func (p packet) kind() byte { return p.head[0] >> 4 }

// body returns as much of the body as is there; whole reports whether that is all.
func (p packet) body() (b []byte, whole bool) { return p.head[p.start:], len(p.head) == p.size }

// relay copies packets from a connection to another one.
type relay struct {
	in  *bufio.Reader
	out *bufio.Writer
}

func newRelay(to io.Writer, from io.Reader) *relay {
	r := &relay{out: bufio.NewWriterSize(to, maxHead)}
	r.in = bufio.NewReaderSize(flushing{from, r.out}, maxHead)
	return r
}

// flushing reads, and writes before what was copied: Read may wait.
type flushing struct {
	from io.Reader
	out  *bufio.Writer
}

func (f flushing) Read(p []byte) (int, error) {
	if err := f.out.Flush(); err != nil {
		return 0, err
	}
	return f.from.Read(p)
}

// run copies until a connection fails, or look, which is called with each packet
// before it is copied, returns an error.
func (r *relay) run(look func(packet) error) error {
	for {
		p, err := r.next()
		if err == nil {
			err = look(p)
		}
		if err == nil {
			err = r.copy(p.size)
		}
		if err != nil {
			return errors.Join(err, r.out.Flush())
		}
	}
}

// next returns the next packet.
func (r *relay) next() (p packet, err error) {
	length, n := 0, 1
	for {
		n++
		b, err := r.in.Peek(n)
		if err != nil {
			return p, err
		}
		length |= int(b[n-1]&0x7F) << (7 * (n - 2))
		if b[n-1] < 0x80 {
			break
		}
		if n == 5 {
			return p, fault{what: "the length of a packet does not end"}
		}
	}
	p = packet{start: n, size: n + length}
	if p.size > maxPacket {
		return p, fault{what: fmt.Sprintf("a packet of %d bytes is too large: this broker takes %d", p.size, maxPacket)}
	}
	p.head, err = r.in.Peek(min(p.size, maxHead))
	return p, err
}

// copy copies n bytes.
func (r *relay) copy(n int) error {
	for n > 0 {
		if _, err := r.in.Peek(1); err != nil {
			return err
		}
		some, err := r.in.Peek(min(n, r.in.Buffered()))
		if err == nil {
			_, err = r.out.Write(some)
		}
		if err == nil {
			_, err = r.in.Discard(len(some))
		}
		if err != nil {
			return err
		}
		n -= len(some)
	}
	return nil
}
