package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"gatehouse/gateway/openfiles"
)

// handshakeTimeout bounds what a silent or half-open connection may take, from
// its first byte to the end of its CONNECT.
const handshakeTimeout = 5 * time.Second

// maxConnect bounds a CONNECT packet, in bytes: its last will is a status.
const maxConnect = 16 << 10

// acceptPause is waited after a failed accept (too many open files).
const acceptPause = 100 * time.Millisecond

// front stands before nats-server. It lets nobody in who does not say CONNECT
// in time, and outlives a host that runs out of descriptors. It ends TLS, so
// that the county's own clients reach nats-server over loopback and need no
// certificate that names them.
type front struct {
	listener net.Listener
	config   *tls.Config // nil: plain TCP
	log      *slog.Logger
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	places   chan struct{} // one a connection: descriptors are kept back for the store
	told     time.Time     // when it was last logged that there are none; serve's own
}

func newFront(l net.Listener, files TLS, log *slog.Logger) (*front, error) {
	f := &front{listener: l, log: log, places: make(chan struct{}, openfiles.Clients())}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	if files == (TLS{}) {
		return f, nil
	}
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return nil, fmt.Errorf("broker: tls cert and key: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if files.CA != "" {
		pem, err := os.ReadFile(files.CA)
		if err != nil {
			return nil, fmt.Errorf("broker: tls ca: %w", err)
		}
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("broker: tls ca %s holds no PEM certificate", files.CA)
		}
	}
	f.config = config
	return f, nil
}

// Addr is the listener's address.
func (f *front) Addr() string { return f.listener.Addr().String() }

// serve accepts connections in the background and joins each to inner.
func (f *front) serve(inner string) {
	f.wg.Go(func() {
		for {
			conn, err := f.listener.Accept()
			switch {
			case err == nil:
				select {
				case f.places <- struct{}{}:
					f.wg.Go(func() { defer func() { <-f.places }(); f.join(conn, inner) })
				default:
					f.full(conn)
				}
			case errors.Is(err, net.ErrClosed):
				return
			default:
				f.log.Error("broker: accept a connection", "err", err)
				time.Sleep(acceptPause)
			}
		}
	})
}

// full turns a connection away. The line in the log comes once a minute.
func (f *front) full(conn net.Conn) {
	conn.Close()
	if time.Since(f.told) > time.Minute {
		f.told = time.Now()
		f.log.Error("broker: too many connections, new ones are turned away; raise the limit of open files (LimitNOFILE=)", "connections", cap(f.places))
	}
}

// join copies both ways until either side ends.
func (f *front) join(raw net.Conn, inner string) {
	defer raw.Close()
	ctx, cancel := context.WithTimeout(f.ctx, handshakeTimeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	outside := raw
	if f.config != nil {
		ended := tls.Server(raw, f.config)
		if err := ended.HandshakeContext(ctx); err != nil {
			f.log.Warn("broker: TLS handshake", "remote", raw.RemoteAddr(), "err", err)
			return
		}
		outside = ended
	}
	stop := context.AfterFunc(f.ctx, func() { raw.Close() })
	err := outside.SetReadDeadline(deadline)
	var hello []byte
	if err == nil {
		hello, err = readConnect(outside)
	}
	if err == nil {
		err = outside.SetReadDeadline(time.Time{})
	}
	stop()
	if err != nil {
		f.log.Debug("broker: a connection that did not become a client", "remote", raw.RemoteAddr(), "err", err)
		return
	}
	inside, err := new(net.Dialer).DialContext(ctx, "tcp", inner)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // without the inner address, which nobody has configured
		}
		f.log.Error("broker: pass a connection on", "remote", raw.RemoteAddr(), "err", err)
		return
	}
	var both sync.WaitGroup
	end := sync.OnceFunc(func() { raw.Close(); inside.Close() })
	defer context.AfterFunc(f.ctx, end)()
	both.Go(func() {
		defer end()
		if _, err := inside.Write(hello); err == nil {
			_, _ = io.Copy(inside, &steady{ctx: f.ctx, from: outside})
		}
	})
	both.Go(func() { defer end(); _, _ = io.Copy(outside, inside) })
	both.Wait()
}

var errNoConnect = errors.New("it does not begin with an MQTT CONNECT")

// readConnect reads the packet that every client begins with.
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

// Close ends all connections and waits for them.
func (f *front) Close() error {
	f.cancel()
	err := f.listener.Close()
	f.wg.Wait()
	return err
}
