package broker

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// link is the connection of a client, and the one to nats-server that it is passed
// on to.
type link struct {
	raw     net.Conn // of the client
	outside net.Conn // the same, in plain text
	inside  net.Conn
	as      principal
}

func (l link) close() {
	l.raw.Close()
	l.inside.Close()
}

// serveClient passes on what a client and nats-server send each other, by the
// rules, until either side ends. hello is the client's CONNECT packet.
func (p *proxy) serveClient(l link, hello []byte, who greeting, x *visitor) {
	ctx, cancel := context.WithCancel(p.ctx)
	end := sync.OnceFunc(func() { cancel(); l.close() })
	defer end()
	defer context.AfterFunc(p.ctx, end)()
	remote := l.raw.RemoteAddr().String()
	complain := func(f fault) { p.refuse(remote, who, x, f) }
	if f := who.fault(); f.what != "" {
		p.complain(remote, who, f) // who it is was not proved
	}
	own := &session{who: l.as, remote: remote, end: end}
	defer p.sessions.add(own)()
	if !p.stays(own, true) { // what was revoked meanwhile
		return
	}
	r := &rules{who: who, trusted: p.trusts(l.as), shared: &p.shared, visitor: x,
		complain: func(what, topic string) { complain(fault{what, topic}) },
		accepted: make(chan struct{}), filters: map[string]bool{}}
	admitted := r.admission()
	admitted.user, admitted.password = l.as.login(), p.secret
	if _, err := l.inside.Write(modern(hello, admitted)); err != nil {
		return
	}
	ended := func(err error) {
		var f fault
		if errors.As(err, &f) {
			complain(f)
		}
		end()
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		limited := &rateLimited{ctx: ctx, from: l.outside, visitor: x}
		ended(newRelay(l.inside, limited).run(func(p packet) error { return r.sent(ctx, p) }))
	})
	if r.trusted {
		all.Go(func() { ended(newRelay(l.outside, l.inside).run(r.received)) })
		return
	}
	box := newOutbox()
	all.Go(func() {
		defer func() {
			_ = l.raw.SetWriteDeadline(time.Now().Add(handshakeTimeout)) // for what waits
			box.end()
		}()
		counted := &counting{to: box, visitor: x}
		if err := newRelay(counted, l.inside).run(r.received); errors.As(err, new(fault)) {
			ended(err)
		}
	})
	all.Go(func() { ended(box.run(l.outside)) })
}

// counting counts what is sent to a visitor like what it sends, so that it pays for
// what its messages cost when it receives them many times.
type counting struct {
	to      io.Writer
	visitor *visitor
}

func (c *counting) Write(p []byte) (int, error) {
	c.visitor.send(time.Now(), len(p))
	return c.to.Write(p)
}

// refuse says what keeps a client from being served, in the log and to who asked to
// be told, now and then.
func (p *proxy) refuse(remote string, who greeting, x *visitor, f fault) {
	if !x.due(time.Now(), f.what) {
		return
	}
	p.complain(remote, who, f)
	if p.refused != nil && who.user != "" && p.named() {
		p.refused(who.user, "the broker: "+f.what)
	}
}

// trusts reports whether a client is a collector. Where clients prove no names it is who
// it says it is.
func (p *proxy) trusts(as principal) bool {
	if as.kind != nobody {
		return as.kind == collector
	}
	for _, part := range []string{"collector-", "desk-", "reports-", "rules-", "end-"} {
		if strings.HasPrefix(as.name, part) {
			return true
		}
	}
	return false
}

// admission returns how the client is let in. Under the id of another user's client
// nobody can end that client's connection.
func (r *rules) admission() (a admission) {
	if r.trusted {
		return a
	}
	a.clean = true
	if r.named() {
		a.prefix = r.who.user + "/"
	}
	a.noRetain = r.who.willRetained && !r.retained.may(r.owner(r.who.will), r.who.will)
	return a
}
