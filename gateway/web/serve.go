package web

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of a request, long enough for browsers on slow lines. They keep peers
// from holding connections without sending or reading. WebSockets have no limits.
const (
	headerLimit = 10 * time.Second
	readLimit   = 15 * time.Second // with its body, which is 16 KiB at most
	writeLimit  = time.Minute      // from the header to the end of the answer
	idleLimit   = 30 * time.Second // between requests
	headerBytes = 16 << 10
)

// NewServer returns a server of h whose connections end in time, whatever their
// peers do.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerLimit,
		ReadTimeout:       readLimit,
		WriteTimeout:      writeLimit,
		IdleTimeout:       idleLimit,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Bound returns l with at most most connections open at a time. Further ones are
// closed at once: browsers connect again, and in a queue they would wait behind
// whoever fills it. With TLS, l is the listener below it.
func Bound(l net.Listener, most int, log *slog.Logger) net.Listener {
	return &bounded{Listener: l, slots: make(chan struct{}, most), log: log}
}

type bounded struct {
	net.Listener

	slots chan struct{} // one per connection
	log   *slog.Logger
}

// Accept implements net.Listener, for one goroutine.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.slots <- struct{}{}:
			return &slotted{Conn: conn, release: sync.OnceFunc(func() { <-b.slots })}, nil
		default:
			b.refuse(conn)
		}
	}
}

// refuse closes a connection.
func (b *bounded) refuse(conn net.Conn) {
	conn.Close()
	b.log.Warn("too many browsers are connected, new ones are turned away; "+
		"raise the limit of open files (LimitNOFILE=)", "address", b.Addr(), "connections", cap(b.slots))
}

// slotted is a connection that has a slot until it is closed.
type slotted struct {
	net.Conn

	release func()
}

// Close implements net.Conn.
func (s *slotted) Close() error {
	defer s.release()
	return s.Conn.Close()
}
