package broker

import (
	"crypto/x509"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/wire"
)

// Identities says whom the county knows by a certificate. Its methods may be called
// from any goroutine.
type Identities interface {
	// Identify returns what the certificate that a client shows is for, or why it does
	// not count at now; its name is the certificate's common name. For a client that
	// shows none (nil) it returns what the certificate of that name is for, empty when
	// the name has none, or why nobody may come by that name.
	Identify(name string, cert *x509.Certificate, now time.Time) (authority.Kind, error)
	// Changed returns a channel that is closed when an identity has changed.
	Changed() <-chan struct{}
}

// kind is what a client is, and so what it may do.
type kind string

// The kinds. Certificates know the first three.
const (
	agent     = kind(authority.Agent)
	machine   = kind(authority.Machine)
	reader    = kind(authority.Reader)
	collector = kind(wire.CollectorID)
	nobody    = kind("nobody") // where clients need no name
)

// principal is who a client is, as it was proved.
type principal struct {
	kind kind
	name string            // of nobody: the client id that it gives itself
	cert *x509.Certificate // that proves it; nil: a password did
	hash string            // of that password
}

// The users of this process's own clients. They are no valid ids, so that nobody else
// has them.
const (
	ownName    = "_county"
	keeperName = "_keeper"
)

// login returns the user name under which nats-server is told who a client is.
func (p principal) login() string { return string(p.kind) + " " + p.name }

// inner is how nats-server knows clients: each comes with the secret of this start,
// which the proxy adds when it knows who the client is. So nobody gets in by the port
// of nats-server itself.
type inner struct {
	county    string // the county's id; *: any
	discovery bool   // Home Assistant is told of gates and machines
	secret    string
}

// Check implements server.Authentication.
func (i inner) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if !same(o.Password, i.secret) {
		return false
	}
	user := &server.User{Username: o.Username}
	if o.Username != keeperName && o.Username != ownName {
		k, name, _ := strings.Cut(o.Username, " ")
		user.Permissions = permissions(i.county, i.discovery, kind(k), name)
	}
	c.RegisterUser(user)
	return true
}

// HomeAssistant is the only other system that is told of gates and machines.
const HomeAssistant = "homeassistant"

// discoverySubject is what Home Assistant is told, as a subject.
const discoverySubject = HomeAssistant + ".>"

// permissions returns what a client may publish and subscribe to: nil is everything.
// A collector may use all topics below wire.Root. An agent may publish below its own
// id, and subscribe there and to the collector's status. A machine may publish its
// reports. A reader may subscribe to everything of the county, and publish nothing. With
// discovery a collector may also publish and a reader read what Home Assistant is told.
// MQTT's a/b is a.b in NATS; MQTT's a/# includes a itself, a.> in NATS does not.
func permissions(county string, discovery bool, k kind, name string) *server.Permissions {
	root := strings.ReplaceAll(wire.Root, "/", ".")
	own := root + "." + county + "." + name
	report := own + "." + string(wire.LeafReport)
	status := root + "." + county + "." + wire.CollectorID + "." + string(wire.LeafStatus)
	var told []string
	if discovery {
		told = []string{discoverySubject}
	}
	switch k {
	case nobody:
		return nil
	case collector:
		all := append([]string{root, root + ".>"}, told...)
		return allowed(all, all)
	case agent:
		return allowed([]string{own + ".>"}, []string{own, own + ".>", status})
	case machine:
		return allowed([]string{report, report + ".>"}, nil)
	case reader:
		return allowed(nil, append([]string{root + "." + county, root + "." + county + ".>"}, told...))
	}
	return allowed(nil, nil)
}

// allowed returns permissions for these subjects and no others.
func allowed(publish, subscribe []string) *server.Permissions {
	only := func(subjects []string) *server.SubjectPermission {
		if len(subjects) == 0 {
			return &server.SubjectPermission{Deny: []string{">"}}
		}
		return &server.SubjectPermission{Allow: subjects}
	}
	return &server.Permissions{Publish: only(publish), Subscribe: only(subscribe)}
}
