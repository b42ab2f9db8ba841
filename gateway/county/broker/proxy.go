package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

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
	door     *door
	secret   string // which nats-server knows
	sessions *sessions
	remotes  remotes
	visitors *visitors
	retained *retained
	kept     *kept
	refused  func(agent, why string) // may be nil
}

// named reports whether clients have names, which they prove.
func (s *shared) named() bool { return s.door.named() }

func newProxy(l net.Listener, files TLS, d *door, log *slog.Logger) (*proxy, error) {
	p := &proxy{listener: l, log: log, slots: make(chan struct{}, openfiles.Clients()), gate: newGate(),
		shared: shared{door: d, sessions: newSessions(), visitors: newVisitors(), retained: newRetained(),
			kept: newKept()}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if files == (TLS{}) {
		return p, nil
	}
	config, err := d.config(files)
	if err != nil {
		return nil, err
	}
	p.config = config
	return p, nil
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
	if p.gate.wait(ctx) != nil {
		return // the client tries again
	}
	outside, hello, err := p.handshake(ctx, raw)
	if err != nil {
		return // handshake has logged it
	}
	client, proved := greet(hello), stateOf(outside)
	x, ok := p.visitors.enter(time.Now(), raw.RemoteAddr(), visitorOf(client, proved))
	if !ok {
		if x.due(time.Now(), tooOften) {
			p.complain(raw.RemoteAddr().String(), client, fault{what: tooOften})
		}
		return
	}
	defer x.leave()
	as, ok := p.enter(ctx, outside, proved, client, x)
	if !ok {
		return
	}
	if as.kind != nobody {
		client.user = as.name
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
	defer p.remotes.add(inside, raw.RemoteAddr().String())()
	p.serveClient(link{raw: raw, outside: outside, inside: inside, as: as}, hello, client, x)
}

// stateOf returns the TLS of a connection, or nil.
func stateOf(c net.Conn) *tls.ConnectionState {
	if secure, ok := c.(*tls.Conn); ok {
		state := secure.ConnectionState()
		return &state
	}
	return nil
}

// enter asks the door who a client is. One that does not come in gets its answer, and
// the log says why.
func (p *proxy) enter(ctx context.Context, outside net.Conn, proved *tls.ConnectionState, client greeting,
	x *visitor) (as principal, ok bool,
) {
	if client.version >= version5 {
		return principal{kind: nobody}, true // nats-server refuses it in the words of its version
	}
	as, err := p.door.enter(ctx, proved, outside.RemoteAddr(), client)
	if err == nil {
		return as, true
	}
	var r refusal
	if !errors.As(err, &r) {
		p.log.Debug("broker: a client's password was not checked in time", "remote", outside.RemoteAddr(), "err", err)
		return as, false
	}
	if x.due(time.Now(), r.what) {
		p.log.Warn("broker: a client was refused: "+r.what, "client", client.client, "user", client.user,
			"remote", outside.RemoteAddr().String())
	}
	_ = outside.SetWriteDeadline(time.Now().Add(handshakeTimeout))
	_, _ = outside.Write([]byte{packetConnAck << 4, 2, 0, r.code}) // the connection ends in any case
	_ = outside.Close()
	return as, false
}

// handshake completes the TLS handshake, if there is to be one, and reads the
// client's CONNECT packet. It returns the connection in plain text and the
// packet's bytes, or logs why that failed.
func (p *proxy) handshake(ctx context.Context, raw net.Conn) (outside net.Conn, hello []byte, err error) {
	outside = raw
	if p.config != nil {
		secure := tls.Server(raw, p.config)
		if err := secure.HandshakeContext(ctx); err != nil {
			p.log.Warn("broker: TLS handshake", "remote", raw.RemoteAddr(), "err", explain(err))
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

// explain adds to the error of a handshake what to do.
func explain(err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "unsupported versions"):
		return fmt.Errorf(`%w: a client without TLS 1.3 needs tls: {min: "1.2"}; older ones are not served`, err)
	case strings.Contains(text, "didn't provide a certificate"):
		return fmt.Errorf("%w: enrol the gate, or give its configuration cert and key", err)
	}
	return err
}

// Close ends all connections and waits for them.
func (p *proxy) Close() error {
	p.cancel()
	err := p.listener.Close()
	p.wg.Wait()
	return err
}
