package broker

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"gatehouse/gateway/identity/authority"
)

const long = 24 * time.Hour

// hello is the CONNECT packet of a client.
func hello(id string) []byte { return connectPacket("MQTT", 4, 2, id) }

// answer returns what the broker answers over TLS to a CONNECT packet, and the address
// from which it was sent.
func answer(t *testing.T, l login, packet []byte) (b []byte, from string) {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(l.url, "ssl://"), l.tls)
	if err != nil {
		return nil, ""
	}
	defer conn.Close()
	from = conn.LocalAddr().String()
	if _, err := conn.Write(packet); err != nil {
		return nil, from
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b = make([]byte, 4)
	n, err := conn.Read(b)
	if os.IsTimeout(err) {
		t.Error("the connection is still open")
	}
	return b[:n], from
}

func TestWithoutAGoodCertificateThereIsNoAnswer(t *testing.T) {
	c := newCounty(t, nil)
	stolen := c.enrol(t, "gate-009", authority.Agent, long)
	c.revoke("gate-009")
	for name, pairs := range map[string][]tls.Certificate{
		"none":            nil,
		"foreign":         {issue(t, newAuthority(t), "gate-001", authority.Agent, long)},
		"ended":           {c.enrol(t, "gate-002", authority.Agent, -time.Second)},
		"not registered":  {issue(t, c.ca, "gate-003", authority.Agent, long)},
		"revoked":         {stolen},
		"an older key's":  {issue(t, c.ca, "gate-001", authority.Agent, long)},
		"the collector's": {issue(t, c.ca, "collector", authority.Agent, long)},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			l := c.by("gate-001", pairs...)
			l.tls.MaxVersion = version
			got, from := answer(t, l, hello("gate-001"))
			if len(got) > 0 {
				t.Errorf("%s, %s: the answer is % x", name, tls.VersionName(version), got)
			}
			c.log.wait(t, "remote="+from)
		}
	}
	good := c.enrol(t, "gate-001", authority.Agent, long)
	connect(t, c.by("gate-001", good))
}

// A certificate says who a client is: it comes by no other user name, and an agent by no
// other client id.
func TestACertificateIsOfOneName(t *testing.T) {
	c := newCounty(t, nil)
	gate := c.enrol(t, "gate-002", authority.Agent, long)
	fogger := c.enrol(t, "fogger-2", authority.Machine, long)
	first := ""
	for n, x := range []struct {
		pair tls.Certificate
		id   string
		user string
		code byte
	}{
		{gate, "gate-002", "gate-001", packets.ErrRefusedBadUsernameOrPassword},
		{gate, "gate-002", "", packets.Accepted},
		{gate, "gate-002-ahead", "gate-002", packets.Accepted},
		{gate, "gate-002", "collector", packets.ErrRefusedBadUsernameOrPassword},
		{gate, "gate-002", "_county", packets.ErrRefusedBadUsernameOrPassword},
		{gate, "gate-002", "agent gate-001", packets.ErrRefusedBadUsernameOrPassword},
		{gate, "gate-001", "", packets.ErrRefusedIDRejected},
		{gate, "gate-0021", "", packets.ErrRefusedIDRejected},
		{gate, "", "", packets.ErrRefusedIDRejected},
		{gate, "collector-fe942b889396e3d6", "", packets.ErrRefusedIDRejected},
		{fogger, "ESP32-4F", "", packets.Accepted}, // the firmware's own
		{fogger, "ESP32-4F", "gate-002", packets.ErrRefusedBadUsernameOrPassword},
	} {
		packet, l := hello(x.id), c.by(x.id, x.pair)
		if x.user != "" {
			packet = connectPacket("MQTT", 4, 0xC2, x.id, x.user, "any")
		}
		got, from := answer(t, l, packet)
		if len(got) != 4 || got[0] != 0x20 || got[3] != x.code {
			t.Errorf("%q as %q: the answer is % x, want code %d", x.id, x.user, got, x.code)
		}
		if n == 0 {
			first = from
		}
	}
	c.log.wait(t, "client=gate-002 user=gate-001 remote="+first) // the others are not repeated
}

// Nobody throws an agent or the collector off by their client ids.
func TestAStolenClientIDDisturbsNobody(t *testing.T) {
	c := newCounty(t, nil)
	victim := connect(t, c.by("gate-001", c.enrol(t, "gate-001", authority.Agent, long)))
	victim.subscribe(t, "gatehouse/v1/qinghe/gate-001/ack", 1)
	collector := connect(t, insider(t, c.Broker, "collector-fe94"))
	thieves := map[authority.Kind]tls.Certificate{}
	for _, k := range []authority.Kind{authority.Agent, authority.Machine, authority.Reader} {
		thieves[k] = c.enrol(t, "thief-"+string(k), k, long)
	}
	for range 10 {
		for k, pair := range thieves {
			for _, id := range []string{"gate-001", "collector-fe94"} {
				thief, err := dial(t, c.by(id, pair))
				if (err == nil) != (k != authority.Agent) {
					t.Fatalf("%s as %s: %v", k, id, err)
				}
				if err == nil {
					thief.Disconnect(0)
				}
			}
		}
	}
	collector.publish(t, "gatehouse/v1/qinghe/gate-001/ack", 1, false, "for the gate")
	victim.want(t, "gatehouse/v1/qinghe/gate-001/ack", "for the gate")
	victim.stays(t)
	collector.stays(t)
}

func TestARevokedCertificateIsCutAndNotResumed(t *testing.T) {
	c := newCounty(t, nil)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		name := fmt.Sprintf("gate-%d", version)
		l := c.by(name, c.enrol(t, name, authority.Agent, long))
		l.tls.MaxVersion, l.tls.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
		resumed := false
		l.tls.VerifyConnection = func(s tls.ConnectionState) error { resumed = s.DidResume; return nil }
		connect(t, l).Disconnect(0)
		live := connect(t, l)
		if !resumed {
			t.Fatalf("%s: the second connection was not resumed: nothing is tested", tls.VersionName(version))
		}
		other := connect(t, c.by("gate-002", c.enrol(t, "gate-002", authority.Agent, long)))
		c.revoke(name)
		t.Logf("cut %s after it was revoked", live.ended(t, 5*time.Second))
		if got, _ := answer(t, l, hello(name)); len(got) > 0 {
			t.Errorf("%s: a resumed connection was answered: % x", tls.VersionName(version), got)
		}
		other.stays(t)
		other.Disconnect(0)
	}
}

func TestACertificateThatEndsEndsTheSession(t *testing.T) {
	c := newCounty(t, nil)
	short := connect(t, c.by("gate-001", c.enrol(t, "gate-001", authority.Agent, 3*time.Second)))
	other := connect(t, c.by("gate-002", c.enrol(t, "gate-002", authority.Agent, long)))
	short.stays(t)
	short.ended(t, 3*time.Second+5*time.Second)
	other.stays(t)
	c.log.wait(t, "its certificate has ended")
}

// Who knows the port of nats-server has to know the secret of this start, too.
func TestTheInnerListenerIsClosedToOthers(t *testing.T) {
	c := newCounty(t, func(cfg *Config) { cfg.UsersFile = users(t, "gate-001", "collector") })
	open := configOf(t) // without users anybody may connect, but not there
	for _, b := range []*Broker{c.Broker, start(t, open)} {
		for _, l := range []login{{}, {user: "gate-001", password: "gate-001!"}, {user: "collector",
			password: "collector!"}, {user: ownName}, {user: keeperName}, {user: "agent gate-001"},
			{user: ownName, password: ownName}, {user: "nobody x"}} {
			l.url, l.id = b.Client().URL, "x"
			if _, err := dial(t, l); err == nil {
				t.Errorf("%q got in", l.user)
			}
		}
		connect(t, insider(t, b, "own"))
	}
}

// Where clients need no names, as on a bench without TLS, one that gives itself the name of
// who was revoked is cut, too.
func TestARevokedNameIsCutWithoutTLS(t *testing.T) {
	c := newCounty(t, func(cfg *Config) { cfg.TLS = TLS{} })
	l := login{url: "tcp://" + c.Addr(), id: "gate-001"}
	live := connect(t, l)
	other := connect(t, login{url: l.url, id: "gate-002"})
	c.revoke("gate-001")
	live.ended(t, 5*time.Second)
	if _, err := dial(t, l); err == nil {
		t.Error("it has come back")
	}
	other.stays(t)
}

// nats-server's log names the address of the client, not that of the inner connection.
func TestTheLogNamesTheTrueRemote(t *testing.T) {
	c := newCounty(t, nil)
	gate := c.enrol(t, "gate-001", authority.Agent, long)
	packet := append(hello("gate-001"), "\x30\x10\x00\x0dother/recordsx"...) // a message that it may not publish
	conn, err := tls.Dial("tcp", c.Addr(), c.by("gate-001", gate).tls)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(packet); err != nil {
		t.Fatal(err)
	}
	c.log.wait(t, conn.LocalAddr().String()+" - mid:")
}
