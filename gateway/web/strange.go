package web

import (
	"bytes"
	"log/slog"
	"net"
	"sync"

	"gatehouse/gateway/peer"
)

// Strange returns l, of which it logs connections that begin with another protocol than
// that which is served: a proxy in front is set up for that one, its users see only an
// error of the proxy, and no request arrives here. secure means that TLS is served; l is
// then the listener below it.
func Strange(l net.Listener, secure bool, log *slog.Logger) net.Listener {
	return listener{l, secure, log}
}

type listener struct {
	net.Listener

	secure bool
	log    *slog.Logger
}

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &begun{Conn: c, of: l}, nil
}

// begun is a connection whose first bytes are looked at.
type begun struct {
	net.Conn

	of    listener
	first sync.Once
}

// Read implements net.Conn.
func (c *begun) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.first.Do(func() {
			if what := strange(b[:n], c.of.secure); what != "" {
				c.of.log.Warn("a connection speaks another protocol: "+what,
					"remote", peer.Remote(c.RemoteAddr().String()).String())
			}
		})
	}
	return n, err
}

// strange says which protocol a connection begins with, when it is none that is served,
// and what to do. A connection that sends its first bytes one by one is not recognized.
func strange(b []byte, secure bool) string {
	hello := len(b) > 1 && b[0] == 22 && b[1] == 3 // a TLS handshake, RFC 8446, section 5.1
	switch {
	case bytes.HasPrefix(b, []byte("PROXY ")), bytes.HasPrefix(b, []byte("\r\n\r\n\x00\r\nQUIT\n")):
		return "the PROXY protocol, which is not understood here; a proxy in front must not send it (HAProxy: " +
			"send-proxy, nginx: proxy_protocol), but X-Forwarded-For"
	case hello && !secure:
		return "TLS, and none is served here; a proxy in front must use http:// towards this address, or set desk.tls"
	case bytes.HasPrefix(b, []byte("PRI * HTTP/2")) && !secure:
		return "HTTP/2 without TLS, which is not served here; a proxy in front must use HTTP/1.1 towards this " +
			"address (nginx: proxy_http_version 1.1; Caddy and Traefik: http://, not h2c://)"
	case secure && !hello:
		return "no TLS, and TLS is served here; a proxy in front must use https:// towards this address"
	}
	return ""
}
