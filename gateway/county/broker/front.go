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
)

// handshakeTimeout bounds what a silent or half-open connection may take.
const handshakeTimeout = 5 * time.Second

// acceptPause is waited after a failed accept (too many open files).
const acceptPause = 100 * time.Millisecond

// front ends TLS before nats-server, so that the county's own clients reach
// nats-server over loopback and need no certificate that names them.
type front struct {
	listener net.Listener
	config   *tls.Config
	log      *slog.Logger
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

func newFront(l net.Listener, files TLS, log *slog.Logger) (*front, error) {
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
	f := &front{listener: l, config: config, log: log}
	f.ctx, f.cancel = context.WithCancel(context.Background())
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
				f.wg.Go(func() { f.join(conn, inner) })
			case errors.Is(err, net.ErrClosed):
				return
			default:
				f.log.Error("broker: accept a connection", "err", err)
				time.Sleep(acceptPause)
			}
		}
	})
}

// join copies both ways until either side ends.
func (f *front) join(raw net.Conn, inner string) {
	defer raw.Close()
	outside := tls.Server(raw, f.config)
	ctx, cancel := context.WithTimeout(f.ctx, handshakeTimeout)
	defer cancel()
	if err := outside.HandshakeContext(ctx); err != nil {
		f.log.Warn("broker: TLS handshake", "remote", raw.RemoteAddr(), "err", err)
		return
	}
	inside, err := new(net.Dialer).DialContext(ctx, "tcp", inner)
	if err != nil {
		f.log.Error("broker: pass a connection on", "err", err)
		return
	}
	var both sync.WaitGroup
	end := sync.OnceFunc(func() { raw.Close(); inside.Close() })
	defer context.AfterFunc(f.ctx, end)()
	both.Go(func() { defer end(); _, _ = io.Copy(inside, outside) })
	both.Go(func() { defer end(); _, _ = io.Copy(outside, inside) })
	both.Wait()
}

// Close ends all connections and waits for them.
func (f *front) Close() error {
	f.cancel()
	err := f.listener.Close()
	f.wg.Wait()
	return err
}
