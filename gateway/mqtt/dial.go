package mqtt

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/net/proxy"
)

// open opens the network connection to the broker at u, through a proxy only if
// the configuration says so. It takes the place of paho's own function, which
// goes through the proxy of the variable all_proxy, to loopback addresses too.
func (c *Client) open(ctx context.Context, u *url.URL) (net.Conn, error) {
	through, err := c.cfg.Proxy(u)
	if err != nil {
		return nil, err
	}
	conn, err := c.openThrough(ctx, u, through)
	if err != nil && through != nil {
		err = fmt.Errorf("through the proxy %s: %w", through.Redacted(), err)
	}
	return conn, err
}

func (c *Client) openThrough(ctx context.Context, u, through *url.URL) (net.Conn, error) {
	if u.Scheme == "ws" || u.Scheme == "wss" {
		by := func(*http.Request) (*url.URL, error) { return through, nil }
		return paho.NewWebsocket(u.String(), c.cfg.TLS, connectTimeout, nil, &paho.WebsocketOptions{Proxy: by})
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := dial(ctx, u.Host, through)
	if err != nil || u.Scheme != "ssl" {
		return conn, err
	}
	cfg := c.cfg.TLS.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = u.Hostname()
	}
	secured := tls.Client(conn, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return secured, nil
}

// dial connects to address, through the proxy unless it is nil.
func dial(ctx context.Context, address string, through *url.URL) (net.Conn, error) {
	direct := &net.Dialer{}
	if through == nil {
		return direct.DialContext(ctx, "tcp", address)
	}
	if through.Scheme != "http" {
		by, err := proxy.FromURL(through, direct)
		if err != nil {
			return nil, err
		}
		return by.(proxy.ContextDialer).DialContext(ctx, "tcp", address) // that of socks5 is one
	}
	conn, err := direct.DialContext(ctx, "tcp", through.Host)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	err = errors.Join(conn.SetDeadline(deadline), connectBy(conn, address, through.User), conn.SetDeadline(time.Time{}))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// connectBy asks an HTTP proxy for a tunnel to address (RFC 9110, 9.3.6).
func connectBy(conn net.Conn, address string, user *url.Userinfo) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address,
		Header: http.Header{}}
	if user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
		req.Header.Set("Proxy-Authorization", req.Header.Get("Authorization"))
		req.Header.Del("Authorization")
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	// Nothing follows the answer before the client speaks: MQTT and TLS both wait
	// for it, so that no byte is left in the reader.
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return err
	}
	_ = res.Body.Close() // the tunnel's
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s to CONNECT %s: allow it there", res.Status, address)
	}
	return nil
}
