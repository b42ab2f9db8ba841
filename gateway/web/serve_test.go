package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/peer"
)

// serve runs a server with times that a test can wait for, a fiftieth of the
// real ones, and returns its address.
func serve(t *testing.T, most int, h http.Handler) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	s := NewServer(h, log)
	for _, d := range []*time.Duration{&s.ReadHeaderTimeout, &s.ReadTimeout, &s.WriteTimeout, &s.IdleTimeout} {
		if *d /= 50; *d == 0 {
			t.Fatal("a connection may last for ever")
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(Bound(l, most, peer.Proxies{}, log)) }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	return l.Addr().String()
}

func dial(t *testing.T, address, text string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

const slowPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"

var body = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusNoContent)
})

func TestConnectionsThatNeverEndARequestAreClosed(t *testing.T) {
	address := serve(t, 100, body)
	var conns []net.Conn
	for _, say := range []string{"", "POST / HT", "POST / HTTP/1.1\r\nHost: a\r\n", slowPost,
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n"} {
		conns = append(conns, dial(t, address, say))
	}
	for i, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("connection %d stays open", i)
		}
	}
}

func TestAWebSocketIsNotLimitedLikeARequest(t *testing.T) {
	address := serve(t, 100, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow() //nolint:errcheck // the page has gone
		_, b, err := c.Read(r.Context())
		if err == nil {
			_ = c.Write(r.Context(), websocket.MessageText, b)
		}
	}))
	c, _, err := websocket.Dial(t.Context(), "http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()          //nolint:errcheck // the test is over
	time.Sleep(2 * time.Second) // the longest of them is 1.2 s here
	if err := c.Write(t.Context(), websocket.MessageText, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.Read(t.Context()); err != nil || string(b) != "still here" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestConnectionsBeyondTheBoundAreClosed(t *testing.T) {
	var now, most atomic.Int64
	address := serve(t, 8, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		body(w, r)
		now.Add(-1)
	}))
	for range 40 {
		dial(t, address, slowPost)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for status := ""; status != "204"; { // the connections that have the slots are closed
		if ctx.Err() != nil {
			t.Fatal("no other connection is served")
		}
		c := dial(t, address, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		line, err := bufio.NewReader(c).ReadString('\n')
		if _, serr := fmt.Sscanf(line, "HTTP/1.1 %s", &status); err != nil || serr != nil {
			time.Sleep(20 * time.Millisecond)
		}
	}
	if n := most.Load(); n > 8 {
		t.Errorf("%d were served at once", n)
	}
}

// queue is a listener of connections that come from given addresses.
type queue struct{ conns chan net.Conn }

func (q queue) Accept() (net.Conn, error) {
	c, ok := <-q.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (queue) Close() error   { return nil }
func (queue) Addr() net.Addr { return &net.TCPAddr{} }

type from struct {
	net.Conn

	address string
}

func (f from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(f.address))
}

// One computer that opens as many connections as it can takes a quarter of them.
func TestOnePlaceLeavesTheOthersRoom(t *testing.T) {
	proxies, err := peer.Parse([]string{"10.0.0.5"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		address string
		want    int
	}{
		"many computers":      {"203.0.113.%d:1", 8},
		"one address":         {"203.0.113.9:1", 2},
		"an IPv6 network":     {"[2001:db8::%d]:1", 2},
		"this computer":       {"127.0.0.1:1", 8},
		"a proxy of the list": {"10.0.0.5:1", 8},
	} {
		q := queue{make(chan net.Conn, 200)}
		for n := range 200 {
			address := c.address
			if strings.Contains(address, "%d") {
				address = fmt.Sprintf(address, n%100)
			}
			near, far := net.Pipe()
			far.Close()
			q.conns <- from{near, address}
		}
		close(q.conns)
		l := Bound(q, 8, proxies, slog.New(slog.DiscardHandler))
		var open []net.Conn
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			open = append(open, conn)
		}
		if len(open) != c.want {
			t.Errorf("%s has %d connections, want %d", name, len(open), c.want)
		}
		for _, conn := range open {
			conn.Close()
			conn.Close() // counted once
		}
		if b, ok := l.(*bounded); !ok || b.all != 0 || len(b.open) != 0 {
			t.Errorf("%s: closed connections are counted", name)
		}
	}
}
