package broker

import (
	"context"
	"net"
	"regexp"
	"sync"
	"time"
)

// lookAtSessions is how often it is looked whether those who came in may stay. A client
// whose certificate is revoked is disconnected at once, when the registry says so.
const lookAtSessions = time.Second

// session is the connection of a client.
type session struct {
	who    principal
	remote string
	end    func() // may be called several times
}

// sessions are the connections of the clients. Their methods may be called from any
// goroutine.
type sessions struct {
	mu  sync.Mutex
	all map[*session]struct{}
}

func newSessions() *sessions { return &sessions{all: map[*session]struct{}{}} }

// add notes a session; leave must be called at its end.
func (s *sessions) add(x *session) (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[x] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, x)
	}
}

func (s *sessions) list() (out []*session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for x := range s.all {
		out = append(out, x)
	}
	return out
}

// watch is a goroutine that disconnects who may not stay, until ctx ends.
func (p *proxy) watch(ctx context.Context) {
	look := time.NewTicker(lookAtSessions)
	defer look.Stop()
	for {
		var changed <-chan struct{} // nil: never
		if p.door.identities != nil {
			changed = p.door.identities.Changed()
		}
		p.lookAt(true) // after Changed: no change is missed
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case <-changed:
				waiting = false
			case <-look.C:
				p.lookAt(p.door.passwords != nil && p.door.passwords.again())
			}
		}
	}
}

// lookAt disconnects those who may not stay. changed is that of door.still.
func (p *proxy) lookAt(changed bool) {
	for _, x := range p.sessions.list() {
		p.stays(x, changed)
	}
}

// stays reports whether a client may stay, and disconnects it otherwise.
func (p *proxy) stays(x *session, changed bool) bool {
	err := p.door.still(x.who, changed)
	if err == nil {
		return true
	}
	p.log.Warn("broker: a client was disconnected: "+err.Error(), "agent", x.who.name, "remote", x.remote)
	x.end()
	return false
}

// remotes knows from where the clients of nats-server's connections come, so that its
// log names them. The methods may be called from any goroutine.
type remotes struct {
	mu      sync.Mutex
	byInner map[string]string
}

var innerAddress = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// add notes from where an inner connection comes; forget must be called at its end.
func (r *remotes) add(inside net.Conn, remote string) (forget func()) {
	inner := inside.LocalAddr().String()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byInner == nil {
		r.byInner = map[string]string{}
	}
	r.byInner[inner] = remote
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.byInner, inner)
	}
}

// name returns a line of nats-server's log with the addresses of clients in it.
func (r *remotes) name(text string) string {
	return innerAddress.ReplaceAllStringFunc(text, func(inner string) string {
		r.mu.Lock()
		defer r.mu.Unlock()
		if remote, known := r.byInner[inner]; known {
			return remote
		}
		return inner
	})
}
