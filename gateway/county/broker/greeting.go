package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"strings"
)

// greeting is what a CONNECT packet says of a client.
type greeting struct {
	protocol string // MQTT; of version 3.1: MQIsdp
	version  byte   // 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5
	client   string // its id
	will     string // the topic of its last will; empty: it has none
	user     string // empty: it names none
	password string //

	willRetained bool
}

// Names and versions of the protocol in a CONNECT packet.
const (
	oldProtocol = "MQIsdp"
	protocol    = "MQTT"
	version311  = 4
	version5    = 5
	cleanFlag   = 0x02
	willFlag    = 0x04
	retainFlag  = 0x20
	userFlag    = 0x80
	secretFlag  = 0x40
)

// greet reads a CONNECT packet as far as it is whole: what is missing is empty.
func greet(packet []byte) (g greeting) {
	rest := body(packet)
	g.protocol, rest = cutString(rest)
	if len(rest) < 4 {
		return g
	}
	g.version = rest[0]
	will, user, secret := rest[1]&willFlag != 0, rest[1]&userFlag != 0, rest[1]&secretFlag != 0
	g.willRetained = will && rest[1]&retainFlag != 0
	rest = rest[4:] // version, flags, keep alive
	if g.version >= version5 {
		n, size := binary.Uvarint(rest) // properties
		if size <= 0 || n > uint64(len(rest)-size) {
			return g
		}
		rest = rest[uint64(size)+n:]
	}
	g.client, rest = cutString(rest)
	if g.version >= version5 {
		return g // the will has properties, too
	}
	if will {
		g.will, rest = cutString(rest)
		_, rest = cutString(rest)
	}
	if user {
		g.user, rest = cutString(rest)
	}
	if secret {
		g.password, _ = cutString(rest)
	}
	return g
}

// body returns a packet without its type and length.
func body(packet []byte) []byte {
	end := slices.IndexFunc(packet[1:], func(b byte) bool { return b < 0x80 })
	return packet[end+2:]
}

// cutString reads a string with its length in front; it is empty when it is not
// whole.
func cutString(b []byte) (text string, rest []byte) {
	if len(b) < 2 {
		return "", nil
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	if len(b) < n {
		return "", nil
	}
	return string(b[2:n]), b[n:]
}

// idCharacters replaces the characters that nats-server refuses in a client's id,
// each by another one that looks alike. The client does not see its id again.
var idCharacters = strings.NewReplacer(" ", "␠", "\t", "␉", "\n", "␊", "\r", "␍", "\f", "␌",
	".", "․", "*", "＊", ">", "＞")

// admission is how a client is let in.
type admission struct {
	prefix   string // of its id; the client does not see it
	clean    bool   // its session ends with the connection
	noRetain bool   // its last will is not retained
	user     string // in place of the one that it names
	password string // likewise; empty: both stay
}

// modern returns a CONNECT packet as nats-server wants it and a admits it: MQTT 3.1
// becomes 3.1.1, which differs in the name and the number of the protocol only, and
// the client's id has no character that nats-server refuses. One that is not whole,
// or of MQTT 5, is returned as it is.
func modern(packet []byte, a admission) []byte {
	g := greet(packet)
	name, rest := cutString(body(packet))
	if g.version >= version5 || len(rest) < 4 || name != oldProtocol && name != protocol {
		return packet
	}
	flags := rest[1]
	if a.clean {
		flags |= cleanFlag
	}
	if a.noRetain {
		flags &^= retainFlag
	}
	keepAlive, id, after := rest[2:4], rest[4:], []byte(nil)
	if client, rest := cutString(id); rest != nil {
		id, after = id[:2], rest
		if client != "" {
			id = appendString(nil, idCharacters.Replace(a.prefix+client))
		}
	}
	if a.password != "" {
		will, whole := willOf(after, flags)
		if !whole {
			return packet
		}
		after = appendString(appendString(bytes.Clone(will), a.user), a.password)
		flags |= userFlag | secretFlag
	}
	inside := slices.Concat(appendString(nil, protocol), []byte{version311, flags}, keepAlive, id, after)
	return slices.Concat(binary.AppendUvarint(packet[:1:1], uint64(len(inside))), inside)
}

// willOf returns the last will of a CONNECT packet, of which b is what follows the
// client's id. whole is false when the packet ends before it should.
func willOf(b []byte, flags byte) (will []byte, whole bool) {
	rest := b
	skip := func(flag byte) {
		if flags&flag != 0 {
			_, rest = cutString(rest)
		}
	}
	skip(willFlag) // topic
	skip(willFlag) // message
	will = b[:len(b)-len(rest)]
	skip(userFlag)
	skip(secretFlag)
	return will, rest != nil
}

// appendString appends a string with its length in front.
func appendString(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...) //nolint:gosec // at most 3 * maxConnect
}

// fault returns what keeps this broker from serving the client; empty: nothing.
func (g greeting) fault() fault {
	if g.version == version5 {
		return fault{what: "it speaks MQTT 5, and this broker MQTT 3.1.1: " +
			"set the device to 3.1.1, or use another broker"}
	}
	var f fault
	_ = errors.As(check(g.will), &f) // it stays empty if there is none
	return f
}

// notCarried are the characters of topics that nats-server does not carry.
const notCarried = " \t\n\r\f\x7f"

const tooOften = "it connects too often, or has too many connections: " +
	"does another one use its name?"

const whiteSpace = "its topic has white space in it, which this broker does not carry: rename it, " +
	"or use another broker; until then the client is disconnected"

// complain logs what keeps a client from being served.
func (p *proxy) complain(remote string, who greeting, f fault) {
	attrs := []slog.Attr{slog.String("client", who.client), slog.String("remote", remote)}
	if who.user != "" {
		attrs = append(attrs, slog.String("agent", who.user))
	}
	if f.topic != "" {
		attrs = append(attrs, slog.String("topic", f.topic))
	}
	p.log.LogAttrs(p.ctx, slog.LevelWarn, "broker: a client can't be served: "+f.what, attrs...)
}
