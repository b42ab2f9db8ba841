package mavlink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

func listenUDP(address string) (*net.UDPConn, error) {
	at, err := net.ResolveUDPAddr("udp4", address)
	if err != nil {
		return nil, err
	}
	socket, err := net.ListenUDP("udp4", at)
	if err != nil {
		return nil, err
	}
	_ = socket.SetReadBuffer(readBuffer) // as much as the system allows
	return socket, nil
}

// to is a socket's way back to one address.
type to struct {
	*net.UDPConn
	addr net.Addr
}

func (t to) Write(b []byte) (int, error) { return t.WriteTo(b, t.addr) }

// readUDP reads datagrams until ctx ends, and closes the socket.
func readUDP(ctx context.Context, socket *net.UDPConn, chunks chan<- chunk) {
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer func() { stop(); _ = socket.Close() }()
	buf := make([]byte, datagram)
	for ctx.Err() == nil {
		n, addr, err := socket.ReadFromUDP(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as an ICMP answer to what was sent before
			time.Sleep(time.Millisecond)
			continue
		}
		c := chunk{bytes: bytes.Clone(buf[:n]), from: addr, line: to{socket, addr}}
		if !pass(ctx, chunks, c) {
			return
		}
	}
}

// readSerial reads a serial line until ctx ends, and opens it again when it was lost.
func (l *Link) readSerial(ctx context.Context, chunks chan<- chunk) {
	for ctx.Err() == nil {
		err := l.readLine(ctx, chunks)
		if err == nil || ctx.Err() != nil {
			continue
		}
		pass(ctx, chunks, chunk{err: fmt.Errorf("mavlink: the link was lost: %w", err)})
		select {
		case <-ctx.Done():
		case <-time.After(reopen):
		}
	}
}

func (l *Link) readLine(ctx context.Context, chunks chan<- chunk) error {
	line, err := l.ports.Serial(l.cfg.Serial, l.cfg.Baud)
	if err != nil {
		return err
	}
	defer line.Close()
	buf := make([]byte, 4096)
	for ctx.Err() == nil {
		n, err := line.Read(buf) // returns without bytes when the line times out
		if err != nil {
			return err
		}
		if n > 0 && !pass(ctx, chunks, chunk{bytes: bytes.Clone(buf[:n]), line: line}) {
			return nil
		}
	}
	return nil
}

func pass(ctx context.Context, chunks chan<- chunk, c chunk) bool {
	select {
	case chunks <- c:
		return true
	case <-ctx.Done():
		return false
	}
}

var _ io.Writer = to{}
