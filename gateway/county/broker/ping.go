package broker

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Packets of MQTT 3.1.1.
var (
	pingRequest = []byte{0xc0, 0}
	pingAnswer  = []byte{0xd0, 0}
	connected   = []byte{0x20, 2, 0, 0} // a new session, accepted
)

const (
	cleanNamed = 0xc2 // flags of CONNECT: a user name, a password, a clean session
	pingAlive  = 60   // seconds
)

// Ping connects to the broker as a part of this process does, and returns when it has answered
// a ping, or the error: at the latest when ctx's time is over. It may be called from any goroutine.
func (b *Broker) Ping(ctx context.Context) error {
	if !b.mu.TryLock() {
		return errors.New("ping the broker: it is starting again")
	}
	address, user, secret := strings.TrimPrefix(b.client.URL, "tcp://"), b.client.Username, b.secret
	b.mu.Unlock()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("ping the broker: %w", err)
	}
	defer conn.Close()
	if until, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(until); err != nil {
			return fmt.Errorf("ping the broker: %w", err)
		}
	}
	if err := exchange(conn, ownHello("ping", user, secret), connected); err != nil {
		return fmt.Errorf("ping the broker: connect: %w", err)
	}
	if err := exchange(conn, pingRequest, pingAnswer); err != nil {
		return fmt.Errorf("ping the broker: %w", err)
	}
	return nil
}

// exchange sends a packet and reads the answer that must come.
func exchange(conn net.Conn, packet, answer []byte) error {
	if _, err := conn.Write(packet); err != nil {
		return err
	}
	got := make([]byte, len(answer))
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if !bytes.Equal(got, answer) {
		return fmt.Errorf("it answers % x instead of % x", got, answer)
	}
	return nil
}

// ownHello returns a CONNECT packet. The fields are shorter than 100 bytes together.
func ownHello(client, user, password string) []byte {
	body := []byte{0, 4, 'M', 'Q', 'T', 'T', 4, cleanNamed, 0, pingAlive}
	for _, field := range []string{client, user, password} {
		body = binary.BigEndian.AppendUint16(body, uint16(len(field))) //nolint:gosec // short
		body = append(body, field...)
	}
	return append([]byte{0x10, byte(len(body))}, body...)
}
