package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/openfiles"
)

// handshakeTimeout bounds the time from accepting a connection to the end of
// its CONNECT packet, so that silent connections do not stay open.
const handshakeTimeout = 5 * time.Second

// acceptPause is the pause after a failed accept (too many open files).
const acceptPause = 100 * time.Millisecond

// proxy accepts the connections of clients and passes them on to nats-server,
// which listens on loopback only. It closes connections that send no CONNECT in
// time, keeps accepting after the host has run out of descriptors, and ends TLS:
// the county's own clients connect to nats-server over loopback and need no
// certificate that names them.
type proxy struct {
	listener net.Listener
	config   *tls.Config // nil: plain TCP
	log      *slog.Logger
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	slots    chan struct{} // one per connection; the other descriptors are for the store
	gate     *gate         // no connection is passed on before it is open
	shared
}

// shared is what the connections of all clients have in common.
type shared struct {
	named    bool // clients have passwords
	visitors *visitors
	retained *retained
	kept     *kept
	refused  func(agent, why string) // may be nil
}

func newProxy(l net.Listener, files TLS, log *slog.Logger) (*proxy, error) {
	p := &proxy{listener: l, log: log, slots: make(chan struct{}, openfiles.Clients()), gate: newGate(),
		shared: shared{visitors: newVisitors(), retained: newRetained(), kept: newKept()}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if files == (TLS{}) {
		return p, nil
	}
	config, err := files.load()
	if err != nil {
		return nil, err
	}
	p.config = config
	return p, nil
}

func (t TLS) load() (*tls.Config, error) {
	pair, err := identity.KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fmt.Errorf("broker: tls cert and key: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if t.CA == "" {
		return config, nil
	}
	pem, err := identity.ReadPEM(t.CA)
	if err != nil {
		return nil, fmt.Errorf("broker: tls ca: %w", err)
	}
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("broker: tls ca %s holds no PEM certificate", t.CA)
	}
	return config, nil
}

// addr returns the listener's address.
func (p *proxy) addr() string { return p.listener.Addr().String() }

// serve accepts connections in the background and passes each on to the address
// inner.
func (p *proxy) serve(inner string) {
	p.wg.Go(func() {
		for {
			conn, err := p.listener.Accept()
			switch {
			case err == nil:
				p.start(conn, inner)
			case errors.Is(err, net.ErrClosed):
				return
			default:
				p.log.Error("broker: accept a connection", "err", err)
				time.Sleep(acceptPause)
			}
		}
	})
}

// start passes a connection on in a goroutine of its own, or closes it when
// there are too many.
func (p *proxy) start(conn net.Conn, inner string) {
	select {
	case p.slots <- struct{}{}:
		p.wg.Go(func() {
			defer func() { <-p.slots }()
			p.pass(conn, inner)
		})
		return
	default:
	}
	conn.Close()
	p.log.Warn("broker: too many connections, new ones are turned away; "+
		"raise the limit of open files (LimitNOFILE=)", "address", p.listener.Addr(), "connections", cap(p.slots))
}

// pass checks that the connection is a client's, connects to inner, and copies
// both ways until either side ends.
func (p *proxy) pass(raw net.Conn, inner string) {
	defer raw.Close()
	ctx, cancel := context.WithTimeout(p.ctx, handshakeTimeout)
	defer cancel()
	if !p.visitors.host(time.Now(), raw.RemoteAddr()) {
		p.log.Warn("broker: connections come too fast from one address, and are closed", "remote", raw.RemoteAddr())
		return
	}
	outside, hello, err := p.handshake(ctx, raw)
	if err != nil {
		return // handshake has logged it
	}
	client := greet(hello)
	x, ok := p.visitors.enter(time.Now(), raw.RemoteAddr(), client)
	if !ok {
		if x.due(time.Now(), tooOften) {
			p.complain(raw.RemoteAddr().String(), client, fault{what: tooOften})
		}
		return
	}
	defer x.leave()
	if p.gate.wait(ctx) != nil {
		return // the client tries again
	}
	inside, err := new(net.Dialer).DialContext(ctx, "tcp", inner)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // without the inner address, which nobody has configured
		}
		p.log.Error("broker: pass a connection on", "remote", raw.RemoteAddr(), "err", err)
		return
	}
	p.serveClient(link{raw: raw, outside: outside, inside: inside}, hello, client, x)
}

// handshake completes the TLS handshake, if there is to be one, and reads the
// client's CONNECT packet. It returns the connection in plain text and the
// packet's bytes, or logs why that failed.
func (p *proxy) handshake(ctx context.Context, raw net.Conn) (outside net.Conn, hello []byte, err error) {
	outside = raw
	if p.config != nil {
		secure := tls.Server(raw, p.config)
		if err := secure.HandshakeContext(ctx); err != nil {
			p.log.Warn("broker: TLS handshake", "remote", raw.RemoteAddr(), "err", err)
			return nil, nil, err
		}
		outside = secure
	}
	defer context.AfterFunc(p.ctx, func() { raw.Close() })()
	deadline, _ := ctx.Deadline()
	err = outside.SetReadDeadline(deadline)
	if err == nil {
		hello, err = readConnect(outside)
	}
	if err == nil {
		err = outside.SetReadDeadline(time.Time{})
	}
	if err != nil {
		p.log.Debug("broker: a connection that did not become a client", "remote", raw.RemoteAddr(), "err", err)
	}
	return outside, hello, err
}

// Close ends all connections and waits for them.
func (p *proxy) Close() error {
	p.cancel()
	err := p.listener.Close()
	p.wg.Wait()
	return err
}
