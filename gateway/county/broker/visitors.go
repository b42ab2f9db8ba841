package broker

import (
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// What one visitor may do, over all its connections together: more than an agent
// that delivers a backlog does, and far less than would keep disk and cores from
// the others.
const (
	maxRate   = 4 << 20  // bytes a second
	maxBurst  = 1 << 20  // bytes at once
	leastCost = 16 << 10 // bytes that a message counts for at least: 256 a second
	otherCost = 512      // likewise, of packets that are no messages
	maxConns  = 32       // connections at the same time

	// connectRate is how often a visitor may connect each second, and connectBurst
	// how often at once: checking a password costs time. hostRate and hostBurst are
	// those of all visitors of one address, behind which a county's gates may be.
	connectRate, connectBurst = 1, 64
	hostRate, hostBurst       = 20, 512
)

// visitors are those who have connected lately: users, each from one address, or
// clients where there are no users. Its methods may be called from any goroutine.
type visitors struct {
	mu    sync.Mutex
	known map[string]*visitor
	hosts map[string]*allowance
}

// mostVisitors bounds what is remembered, should somebody invent names.
const mostVisitors = 4096

func newVisitors() *visitors {
	return &visitors{known: map[string]*visitor{}, hosts: map[string]*allowance{}}
}

// visitor is one of them.
type visitor struct {
	mu       sync.Mutex // guards what follows
	sends    allowance
	connects allowance
	conns    int
	said     map[string]time.Time // when something was last said of it
}

// sayEvery is the shortest time between two times of saying the same of a visitor.
const sayEvery = 10 * time.Second

// allowance is a rate that may not be exceeded for long.
type allowance struct {
	used float64 // of the burst
	at   time.Time
}

// take counts n, and returns how long to wait until no more than burst is used.
func (a *allowance) take(now time.Time, n, rate, burst float64) time.Duration {
	if !a.at.IsZero() {
		a.used = max(0, a.used-rate*now.Sub(a.at).Seconds())
	}
	a.at = now
	a.used += n
	return time.Duration(max(0, a.used-burst) / rate * float64(time.Second))
}

// may counts one if that is allowed now.
func (a *allowance) may(now time.Time, rate, burst float64) bool {
	if a.take(now, 1, rate, burst) > 0 {
		a.used--
		return false
	}
	return true
}

// host reports whether somebody may connect from an address now.
func (v *visitors) host(now time.Time, remote net.Addr) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return entry(v.hosts, hostOf(remote)).may(now, hostRate, hostBurst)
}

func hostOf(remote net.Addr) string {
	host, _, err := net.SplitHostPort(remote.String())
	if err != nil {
		return remote.String()
	}
	return host
}

// entry returns the value of a key. When there are too many it forgets another one.
func entry[V any](m map[string]*V, key string) *V {
	if x := m[key]; x != nil {
		return x
	}
	if len(m) >= mostVisitors {
		for other := range m {
			delete(m, other)
			break
		}
	}
	m[key] = new(V)
	return m[key]
}

// visitorOf returns who counts as the visitor: the name of the certificate, if a client
// shows one; else what it says of itself.
func visitorOf(g greeting, secure *tls.ConnectionState) string {
	switch {
	case secure != nil && len(secure.PeerCertificates) > 0:
		return "certificate " + secure.PeerCertificates[0].Subject.CommonName
	case g.user == "":
		return "client " + g.client
	}
	return g.user
}

// enter notes that a visitor connects; leave must be called when the connection
// ends. ok is false when it connects too often, or has too many connections.
func (v *visitors) enter(now time.Time, remote net.Addr, name string) (x *visitor, ok bool) {
	v.mu.Lock()
	x = entry(v.known, name+"@"+hostOf(remote))
	v.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.conns >= maxConns || !x.connects.may(now, connectRate, connectBurst) {
		return x, false
	}
	x.conns++
	return x, true
}

// due reports whether it is time to say something of the visitor, and notes that it
// is said now.
func (x *visitor) due(now time.Time, what string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if last, known := x.said[what]; known && now.Sub(last) < sayEvery {
		return false
	}
	if x.said == nil {
		x.said = map[string]time.Time{}
	}
	x.said[what] = now
	return true
}

func (x *visitor) leave() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.conns--
}

// send counts n bytes and returns how long the visitor must wait after them.
func (x *visitor) send(now time.Time, n int) time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.sends.take(now, float64(n), maxRate, maxBurst)
}
