package broker

import (
	"errors"
	"io"
)

// maxConnect bounds a CONNECT packet, in bytes. The longest field is the last
// will, which is a status message.
const maxConnect = 16 << 10

var errNoConnect = errors.New("it does not begin with an MQTT CONNECT")

// readConnect reads the packet that every client sends first: a type byte, the
// length in up to four bytes of 7 bits each, and as many bytes as that says.
func readConnect(r io.Reader) ([]byte, error) {
	b := make([]byte, 2, 256)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	if b[0] != 0x10 {
		return nil, errNoConnect
	}
	length := int(b[1] & 0x7F)
	for shift := 7; b[len(b)-1] >= 0x80; shift += 7 {
		if shift > 21 {
			return nil, errNoConnect
		}
		b = append(b, 0)
		if _, err := io.ReadFull(r, b[len(b)-1:]); err != nil {
			return nil, err
		}
		length |= int(b[len(b)-1]&0x7F) << shift
	}
	if length > maxConnect {
		return nil, errNoConnect
	}
	head := len(b)
	b = append(b, make([]byte, length)...)
	_, err := io.ReadFull(r, b[head:])
	return b, err
}
