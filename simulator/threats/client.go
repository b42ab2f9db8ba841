package threats

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// client is a hostile client of the broker, which speaks MQTT packet by packet.
type client struct {
	conn net.Conn
	next uint16
	held []*packets.PublishPacket // that came while something else was awaited
}

// login is how a client comes in.
type login struct {
	id, user, password string
	pair               *tls.Certificate // nil: it shows none
	from               byte             // of 127.0.0.n; 0: 1
	plain              bool             // without TLS
	at                 string           // empty: the county's broker
}

// noAnswer is the code of a connection that ended before a CONNACK came.
const noAnswer = 0xff

// answerWithin is how long the broker may take for an answer.
const answerWithin = 15 * time.Second

// dial connects, and does not send anything yet.
func (c *county) dial(ctx context.Context, l login) (net.Conn, error) {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, max(1, l.from))}, Timeout: answerWithin}
	conn, err := d.DialContext(ctx, "tcp", first(l.at, c.broker))
	if err != nil {
		return nil, err
	}
	if l.plain || c.where != own {
		return conn, nil
	}
	t := tls.Client(conn, c.tls(l.pair))
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return t, nil
}

// tls is the configuration of a client that shows a certificate, or none.
func (c *county) tls(pair *tls.Certificate) *tls.Config {
	t := &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true} //nolint:gosec // the broker is ours
	if pair != nil {
		t.Certificates = []tls.Certificate{*pair}
	}
	return t
}

// enter connects and logs in. It returns the code of the CONNACK, or noAnswer.
func (c *county) enter(ctx context.Context, l login) (*client, byte) {
	conn, err := c.dial(ctx, l)
	if err != nil {
		return nil, noAnswer
	}
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive = "MQTT", 4, true, 60
	p.ClientIdentifier, p.Username, p.Password = l.id, l.user, []byte(l.password)
	p.UsernameFlag, p.PasswordFlag = l.user != "", l.password != ""
	m := &client{conn: conn}
	code := byte(noAnswer)
	if p.Write(conn) == nil {
		if a, err := await1[*packets.ConnackPacket](m, answerWithin); err == nil {
			code = a.ReturnCode
		}
	}
	if code != packets.Accepted {
		conn.Close()
		return nil, code
	}
	return m, code
}

// entered is enter for who must come in. Who connects too often has to wait.
func (c *county) entered(ctx context.Context, l login) (m *client, err error) {
	var code byte
	if ok := await(ctx, answerWithin, func() bool {
		m, code = c.enter(ctx, l)
		return m != nil || code != noAnswer
	}); !ok || m == nil {
		return nil, fmt.Errorf("%q %q is refused with %d", l.id, l.user, code)
	}
	return m, nil
}

// await1 returns the next packet of a kind, and keeps messages that come before it.
func await1[P packets.ControlPacket](m *client, within time.Duration) (p P, err error) {
	if err := m.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return p, err
	}
	for {
		in, err := packets.ReadPacket(m.conn)
		if err != nil {
			return p, err
		}
		if found, is := in.(P); is {
			return found, nil
		}
		if message, is := in.(*packets.PublishPacket); is {
			m.held = append(m.held, message)
		}
	}
}

func (m *client) close() { m.conn.Close() }

// id returns the number of a new packet.
func (m *client) id() uint16 { m.next++; return m.next }

// subscribe returns the code of the SUBACK, 0x80 when it is refused, or noAnswer.
func (m *client) subscribe(filter string) byte {
	p := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	p.MessageID, p.Topics, p.Qoss = m.id(), []string{filter}, []byte{1}
	if p.Write(m.conn) != nil {
		return noAnswer
	}
	a, err := await1[*packets.SubackPacket](m, answerWithin)
	if err != nil || len(a.ReturnCodes) != 1 {
		return noAnswer
	}
	return a.ReturnCodes[0]
}

// publish sends a message of QoS 1; it does not wait for the PUBACK.
func (m *client) publish(topic string, payload []byte, retained bool) error {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.MessageID, p.Qos, p.TopicName, p.Payload, p.Retain = m.id(), 1, topic, payload, retained
	if err := m.conn.SetWriteDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	return p.Write(m.conn)
}

// acknowledged returns when the broker has acknowledged the last message.
func (m *client) acknowledged() error {
	for {
		a, err := await1[*packets.PubackPacket](m, answerWithin)
		if err != nil || a.MessageID == m.next {
			return err
		}
	}
}

// message returns the next message that comes, and acknowledges it.
func (m *client) message() (*packets.PublishPacket, error) {
	var p *packets.PublishPacket
	if len(m.held) > 0 {
		p, m.held = m.held[0], m.held[1:]
	} else {
		var err error
		if p, err = await1[*packets.PublishPacket](m, answerWithin); err != nil {
			return nil, err
		}
	}
	if p.Qos > 0 {
		a := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
		a.MessageID = p.MessageID
		return p, a.Write(m.conn)
	}
	return p, nil
}

// alive reports whether the connection is still there.
func (m *client) alive(within time.Duration) bool {
	if packets.NewControlPacket(packets.Pingreq).Write(m.conn) != nil {
		return false
	}
	_, err := await1[*packets.PingrespPacket](m, within)
	return err == nil
}
