package web

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of a request, for browsers on slow lines: nobody holds a connection
// for longer without saying or taking something. A WebSocket has none of them.
const (
	headerLimit = 10 * time.Second
	readLimit   = 15 * time.Second // with its body, which is 16 KiB at most
	writeLimit  = time.Minute      // from the header to the end of the answer
	idleLimit   = 30 * time.Second // between requests
	headerBytes = 16 << 10
)

// NewServer makes a server of h whose connections end in time, whatever their
// peers do.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: headerLimit, ReadTimeout: readLimit, WriteTimeout: writeLimit,
		IdleTimeout: idleLimit, MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
}

// Bound returns l with at most places connections open at a time. One more is
// turned away at once: browsers come again, and a queue would keep them behind
// whoever fills it. Under TLS, l is the listener below it.
func Bound(l net.Listener, places int, log *slog.Logger) net.Listener {
	return &bounded{Listener: l, places: make(chan struct{}, places), log: log}
}

type bounded struct {
	net.Listener

	places chan struct{} // one a connection
	log    *slog.Logger
	told   time.Time // when it was last logged that there are none; Accept's own
}

// Accept implements net.Listener, for one goroutine.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.places <- struct{}{}:
			return &placed{Conn: conn, leave: sync.OnceFunc(func() { <-b.places })}, nil
		default:
			b.full(conn)
		}
	}
}

// full turns a connection away. The line in the log comes once a minute.
func (b *bounded) full(conn net.Conn) {
	conn.Close()
	if time.Since(b.told) > time.Minute {
		b.told = time.Now()
		b.log.Error("too many browsers are connected, new ones are turned away; raise the limit of open files (LimitNOFILE=)",
			"address", b.Addr(), "connections", cap(b.places))
	}
}

// placed is a connection that holds a place until it is closed.
type placed struct {
	net.Conn

	leave func()
}

// Close implements net.Conn.
func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}
