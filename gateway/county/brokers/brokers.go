// Package brokers renders configurations of other brokers, Mosquitto and EMQX, from the
// county's identities: who may come in by which certificate, and what each may do. They
// are written again when an identity changes.
package brokers

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/wire"
)

// Client is somebody who may come in.
type Client struct {
	Name string
	Kind authority.Kind
}

// County is what the configurations are made of.
type County struct {
	ID      string
	Clients []Client // without those that were revoked
	Topics  []string // of machines that publish in a form of their own
	CA      []byte   // the authority's certificate, PEM
	Revoked []byte   // the list of revoked certificates, PEM
	// Discovery: Home Assistant is told of gates and machines.
	Discovery bool
}

// Listener is where clients connect, and the broker's own certificate.
type Listener struct {
	Port      int    // for clients, over TLS
	Inside    int    // for the collector, on this computer only
	Cert, Key string // files
	TLSMin    string // "1.2" or "1.3"
	Dir       string // absolute: where the files lie
}

// File is one that the broker reads.
type File struct {
	Name  string
	Text  []byte
	Other bool // other accounts of this computer may read it
}

// Names of the files.
const (
	caFile       = "ca.crt"
	revokedFile  = "revoked.pem"
	aclFile      = "acl"
	passwdFile   = "passwd"
	PasswordFile = "collector.password" // for the collector's configuration
)

// rights returns the topics to which a client may publish and subscribe.
func (c County) rights(x Client) (publish, subscribe []string) {
	own := func(leaves ...wire.Leaf) (topics []string) {
		for _, leaf := range leaves {
			topics = append(topics, wire.Topic(c.ID, x.Name, leaf))
		}
		return topics
	}
	switch x.Kind {
	case authority.Agent:
		return own(wire.LeafRecords, wire.LeafHello, wire.LeafStatus, wire.LeafBeat, wire.LeafReport, wire.LeafNonce,
				wire.LeafRetired),
			append(own(wire.LeafAck, wire.LeafDesk, wire.LeafCommand, wire.LeafRetire, wire.LeafPolicy,
				wire.LeafPolicy+"/#"),
				wire.Topic(c.ID, wire.CollectorID, wire.LeafStatus))
	case authority.Machine:
		return own(wire.LeafReport), nil
	case authority.Reader:
		return nil, append([]string{c.all()}, c.told()...)
	}
	return nil, nil
}

// told is what Home Assistant is told, if it is: the collector writes it, readers read it.
func (c County) told() []string {
	if !c.Discovery {
		return nil
	}
	return []string{"homeassistant/#"}
}

// all is every topic of the county.
func (c County) all() string { return wire.Root + "/" + c.ID + "/#" }

// clients returns those who may come in, in the order of their names.
func (c County) clients() []Client {
	return slices.SortedFunc(slices.Values(c.Clients), func(a, b Client) int { return strings.Compare(a.Name, b.Name) })
}

const again = "Written by gatehouse broker config; write it again when an identity changes."

// Mosquitto returns the files for Mosquitto 2. password is the collector's, for the
// listener on this computer.
func (c County) Mosquitto(l Listener, password string) ([]File, error) {
	hash, err := mosquittoHash(password)
	if err != nil {
		return nil, err
	}
	at := func(name string) string { return filepath.Join(l.Dir, name) }
	conf := fmt.Sprintf(`# %s
per_listener_settings true
persistence false

# Agents, machines and readers: by a certificate of the county, whose name is user and client id.
listener %d
cafile %s
crlfile %s
certfile %s
keyfile %s
tls_version tlsv%s
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file %s

# The collector, on this computer.
listener %d 127.0.0.1
allow_anonymous false
password_file %s
acl_file %s
`, again, l.Port, at(caFile), at(revokedFile), l.Cert, l.Key, l.TLSMin, at(aclFile), l.Inside, at(passwdFile),
		at(aclFile))
	return []File{
		{"mosquitto.conf", []byte(conf), true},
		{aclFile, c.mosquittoACL(), true},
		{passwdFile, []byte(wire.CollectorID + ":" + hash + "\n"), true},
		{PasswordFile, []byte(password + "\n"), false},
		{caFile, c.CA, true},
		{revokedFile, c.Revoked, true},
	}, nil
}

func (c County) mosquittoACL() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\nuser %s\ntopic readwrite %s\n", again, wire.CollectorID, c.all())
	for _, topic := range c.told() {
		fmt.Fprintf(&b, "topic write %s\n", topic)
	}
	for _, topic := range c.Topics {
		fmt.Fprintf(&b, "topic read %s\n", topic)
	}
	for _, x := range c.clients() {
		fmt.Fprintf(&b, "\nuser %s\n", x.Name)
		publish, subscribe := c.rights(x)
		for _, topic := range publish {
			fmt.Fprintf(&b, "topic write %s\n", topic)
		}
		for _, topic := range subscribe {
			fmt.Fprintf(&b, "topic read %s\n", topic)
		}
	}
	return []byte(b.String())
}

// mosquittoHash returns a password as mosquitto_passwd writes it: PBKDF2 with SHA-512.
func mosquittoHash(password string) (string, error) {
	const rounds = 101 // of mosquitto_passwd; the password is random, 128 bits
	salt := make([]byte, 12)
	rand.Read(salt) // never fails (crypto/rand)
	key, err := pbkdf2.Key(sha512.New, password, salt, rounds, sha512.Size)
	if err != nil {
		return "", fmt.Errorf("hash the collector's password: %w", err)
	}
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$7$%d$%s$%s", rounds, text(salt), text(key)), nil
}

// EMQX returns the files for EMQX from 5.8 on. password is the collector's, for the
// listener on this computer.
func (c County) EMQX(l Listener, password string) []File {
	at := func(name string) string { return filepath.Join(l.Dir, name) }
	versions := `["tlsv1.3"]`
	if l.TLSMin == "1.2" {
		versions = `["tlsv1.3", "tlsv1.2"]`
	}
	conf := fmt.Sprintf(`# %s
# Include it at the end of emqx.conf: include %q
mqtt {
  peer_cert_as_username = cn
  peer_cert_as_clientid = cn
}
listeners.ssl.default {
  bind = "0.0.0.0:%d"
  ssl_options {
    cacertfile = %q
    certfile = %q
    keyfile = %q
    versions = %s
    verify = verify_peer
    fail_if_no_peer_cert = true
  }
}
listeners.tcp.default {
  bind = "127.0.0.1:%d"
  authentication = [{
    mechanism = password_based
    backend = built_in_database
    user_id_type = username
    bootstrap_type = plain
    bootstrap_file = %q
  }]
}
listeners.ws.default.enable = false
listeners.wss.default.enable = false
authorization {
  no_match = deny
  deny_action = disconnect
  cache.enable = false
  sources = [{type = file, enable = true, path = %q}]
}
`, again, at("gatehouse.conf"), l.Port, at(caFile), l.Cert, l.Key, versions, l.Inside, at("users.csv"),
		at("acl.conf"))
	users := fmt.Sprintf("user_id,password,is_superuser\n%s,%s,false\n", wire.CollectorID, password)
	return []File{
		{"gatehouse.conf", []byte(conf), true},
		{"acl.conf", c.emqxACL(), true},
		{"users.csv", []byte(users), false},
		{PasswordFile, []byte(password + "\n"), false},
		{caFile, c.CA, true},
	}
}

func (c County) emqxACL() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%%%% %s\n", again)
	rule := func(who, action string, topics []string) {
		if len(topics) > 0 {
			fmt.Fprintf(&b, "{allow, %s, %s, [%s]}.\n", who, action, quoted(topics))
		}
	}
	inside := fmt.Sprintf(`{'and', [{ipaddr, "127.0.0.1"}, {username, %q}]}`, wire.CollectorID)
	rule(inside, "all", []string{c.all()})
	rule(inside, "publish", c.told())
	rule(inside, "subscribe", c.Topics)
	for _, x := range c.clients() {
		publish, subscribe := c.rights(x)
		who := fmt.Sprintf("{username, %q}", x.Name)
		rule(who, "publish", publish)
		rule(who, "subscribe", subscribe)
	}
	b.WriteString("{deny, all}.\n")
	return []byte(b.String())
}

func quoted(topics []string) string {
	var out []string
	for _, t := range topics {
		out = append(out, fmt.Sprintf("%q", t))
	}
	return strings.Join(out, ", ")
}
