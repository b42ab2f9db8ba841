package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/peer"
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

// Unheard returns the error of listening on an address, with what to do.
func Unheard(address string, err error) error {
	_, port, _ := net.SplitHostPort(address)
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("%w: another program listens there (sudo ss -ltnp 'sport = :%s' names it): "+
			"stop it, or give another port", err, port)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: ports below 1024 are for root: give another one, or let the service have "+
			"AmbientCapabilities=CAP_NET_BIND_SERVICE", err)
	case errors.Is(err, unix.EADDRNOTAVAIL), errors.Is(err, unix.EAFNOSUPPORT):
		return fmt.Errorf("%w: this computer does not have the address (ip address lists those it has; "+
			"IPv6 may be switched off): give another one", err)
	}
	return err
}

// Bound returns l with at most most connections open at a time, and a quarter of
// them from one place that is neither this computer nor a proxy: who opens many
// leaves the others room. Further ones are closed at once: browsers connect
// again, and in a queue they would wait behind whoever fills it. With TLS, l is
// the listener below it.
func Bound(l net.Listener, most int, proxies peer.Proxies, log *slog.Logger) net.Listener {
	return &bounded{Listener: l, most: most, proxies: proxies, log: log, open: map[string]int{}}
}

type bounded struct {
	net.Listener

	most    int
	proxies peer.Proxies
	log     *slog.Logger

	mu   sync.Mutex
	all  int
	open map[string]int // connections by place
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := peer.Remote(conn.RemoteAddr().String())
		place := peer.Place(from)
		all, mine := b.enter(place)
		crowd := mine > max(1, b.most/4) && !from.IsLoopback() && !b.proxies.List(from)
		if all <= b.most && !crowd {
			return &slotted{Conn: conn, release: sync.OnceFunc(func() { b.leave(place) })}, nil
		}
		b.leave(place)
		conn.Close()
		if crowd {
			b.log.Warn("one address has too many connections open, further ones are turned away; if it is a proxy, "+
				"add it to proxies", "remote", from.String(), "connections", mine-1)
			continue
		}
		b.log.Warn("too many browsers are connected, new ones are turned away; "+
			"raise the limit of open files (LimitNOFILE=)", "address", b.Addr(), "connections", b.most)
	}
}

// enter counts a connection and returns how many there are with it.
func (b *bounded) enter(place string) (all, mine int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all++
	b.open[place]++
	return b.all, b.open[place]
}

func (b *bounded) leave(place string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.open[place]--; b.open[place] == 0 {
		delete(b.open, place)
	}
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
