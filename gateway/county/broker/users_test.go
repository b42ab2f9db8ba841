package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestOnlyUsersMayConnect(t *testing.T) {
	cfg := config(t)
	cfg.UsersFile = users(t, "gate-017", "collector")
	b := start(t, cfg)
	url := "tcp://" + b.Addr()
	for name, l := range map[string]login{
		"anonymous":        {url: url, id: "x"},
		"no password":      {url: url, id: "x", user: "gate-017"},
		"wrong password":   {url: url, id: "x", user: "gate-017", password: "gate-018!"},
		"unknown user":     {url: url, id: "x", user: "gate-018", password: "gate-018!"},
		"own, no password": {url: url, id: "x", user: ownName},
	} {
		if _, err := dial(t, l); err == nil {
			t.Errorf("%s: connected", name)
		}
	}
	as(t, b, "gate-017")
	as(t, b, "collector")
}

func TestThisProcessHasAUserOfItsOwn(t *testing.T) {
	cfg := config(t)
	cfg.UsersFile = users(t, "gate-017")
	b := start(t, cfg)
	own := b.Client()
	password, err := os.ReadFile(own.PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(own.PasswordFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v", info.Mode(), err)
	}
	county := connect(t, login{url: own.URL, id: "county", user: own.Username, password: strings.TrimSpace(string(password))})
	if granted := county.subscribe(t, "gatehouse/v1/qinghe/+/records", 1); granted != 1 {
		t.Fatalf("granted %d", granted)
	}
	as(t, b, "gate-017").publish(t, "gatehouse/v1/qinghe/gate-017/records", 1, false, "a")
	county.want(t, "gatehouse/v1/qinghe/gate-017/records", "a")
}

func TestAnAgentPublishesBelowItsOwnTopicOnly(t *testing.T) {
	cfg := config(t)
	cfg.UsersFile = users(t, "gate-017", "gate-018", "collector")
	b := start(t, cfg)
	all := as(t, b, "collector")
	all.subscribe(t, "gatehouse/v1/#", 1)
	for _, topic := range []string{
		"gatehouse/v1/qinghe/gate-018/records",
		"gatehouse/v1/qinghe/gate-018/status",
		"gatehouse/v1/qinghe/collector/status",
		"gatehouse/v1/gate-017/gate-018/records",
		"gatehouse/v2/qinghe/gate-017/records",
		"gatehouse/v1/qinghe/gate-017",
		"gatehouse/v1/qinghe/gate-0170/records",
		"$JS/API/STREAM/LIST",
		"$MQTT/msgs/gatehouse/v1/qinghe/gate-018/records",
		"else",
	} {
		for _, qos := range []byte{0, 1} {
			c := as(t, b, "gate-017") // a broker may end the offender's connection
			if err := done(c.Publish(topic, qos, true, "forged")); err != nil {
				t.Logf("%s at QoS %d: %v", topic, qos, err)
			}
		}
	}
	gate := as(t, b, "gate-017")
	gate.publish(t, "gatehouse/v1/qinghe/gate-017/records", 1, false, "genuine")
	all.want(t, "gatehouse/v1/qinghe/gate-017/records", "genuine") // and nothing before it
	late := as(t, b, "collector")
	late.subscribe(t, "gatehouse/v1/#", 1)
	gate.publish(t, "gatehouse/v1/qinghe/gate-017/status", 1, false, "end")
	late.want(t, "gatehouse/v1/qinghe/gate-017/status", "end") // nor retained
}

func TestAnAgentReadsItsOwnBranchAndTheCollectorsStatusOnly(t *testing.T) {
	cfg := config(t)
	cfg.UsersFile = users(t, "gate-017", "gate-018", "collector")
	b := start(t, cfg)
	spy := as(t, b, "gate-018")
	for _, filter := range []string{"#", "gatehouse/#", "gatehouse/v1/+/+/records", "gatehouse/v1/qinghe/gate-017/ack",
		"gatehouse/v1/qinghe/collector/#", "+/+/+/+/+", "$MQTT/#"} {
		if granted := spy.subscribe(t, filter, 1); granted != 128 {
			t.Errorf("%s is granted with QoS %d", filter, granted)
		}
	}
	gate, collector := as(t, b, "gate-017"), as(t, b, "collector")
	for _, filter := range []string{"gatehouse/v1/qinghe/gate-017/#", "gatehouse/v1/qinghe/collector/status"} {
		if granted := gate.subscribe(t, filter, 1); granted != 1 {
			t.Errorf("%s: granted %d", filter, granted)
		}
	}
	collector.publish(t, "gatehouse/v1/qinghe/gate-017/ack", 0, false, "ack")
	gate.want(t, "gatehouse/v1/qinghe/gate-017/ack", "ack")
	collector.publish(t, "gatehouse/v1/qinghe/collector/status", 1, true, "status")
	gate.want(t, "gatehouse/v1/qinghe/collector/status", "status")
	if len(spy.got) != 0 {
		t.Errorf("the other gate got %d messages", len(spy.got))
	}
}

// TestAStolenClientIDGivesNoMessages: whoever takes over a client id as another
// user gets nothing that is not theirs.
func TestAStolenClientIDGivesNoMessages(t *testing.T) {
	cfg := config(t)
	cfg.UsersFile = users(t, "gate-017", "gate-018", "collector")
	b := start(t, cfg)
	victim := connect(t, login{url: "tcp://" + b.Addr(), id: "gate-017", user: "gate-017", password: "gate-017!"})
	victim.subscribe(t, "gatehouse/v1/qinghe/gate-017/ack", 1)
	thief := connect(t, login{url: "tcp://" + b.Addr(), id: "gate-017", user: "gate-018", password: "gate-018!"})
	as(t, b, "collector").publish(t, "gatehouse/v1/qinghe/gate-017/ack", 1, false, "secret")
	thief.publish(t, "gatehouse/v1/qinghe/gate-018/status", 1, false, "x")
	if len(thief.got) != 0 {
		t.Errorf("the thief got %s", (<-thief.got).Payload())
	}
}

var usersFiles = map[string]struct {
	text string
	err  string // "" when it is taken
	n    int
}{
	"two":             {"gate-017:" + hashed + "\ncollector:" + hashed + "\n", "", 2},
	"comment, blanks": {"# gates\n\n  gate-017:" + hashed + "  \r\n", "", 1},
	"no line feed":    {"gate-017:" + hashed, "", 1},
	"as htpasswd":     {"gate-017:" + strings.Replace(hashed, "$2a$", "$2y$", 1), "", 1},
	"plain password":  {"gate-017:secret\n", "line 1: user gate-017: no bcrypt hash", 0},
	"no colon":        {"gate-017\n", "line 1: user gate-017: no bcrypt hash", 0},
	"bad name":        {"\nGate:" + hashed, `line 2: user id "Gate"`, 0},
	"no name":         {":" + hashed, "line 1: user id", 0},
	"our own name":    {ownName + ":" + hashed, "line 1: user id", 0},
	"twice":           {"a:" + hashed + "\na:" + hashed, "line 2: user a is listed twice", 0},
	"empty":           {"", "lists no user", 0},
	"comments only":   {"#\n", "lists no user", 0},
}

const hashed = "$2a$04$Bl2ZTN/BmgDVaI0UFDh0D.9fEpqzQDcPXCsFUbcOY1vEmCJRBYC3G"

func TestAUsersFileIsReadOrRefusedByLine(t *testing.T) {
	for name, c := range usersFiles {
		t.Run(name, func(t *testing.T) {
			got, err := parseUsers(c.text)
			if len(got) != c.n || (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%d users, %v; want %d, %q", len(got), err, c.n, c.err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells a password: %v", err)
			}
		})
	}
}

func FuzzParseUsers(f *testing.F) {
	for _, c := range usersFiles {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseUsers(text)
		if (err == nil) != (len(got) > 0) {
			t.Fatalf("%d users, %v", len(got), err)
		}
		for _, u := range got {
			if strings.ContainsAny(u.Username, ".*> \t:") || u.Permissions == nil {
				t.Errorf("user %+v", u)
			}
		}
	})
}

func TestTLSIsNeededWhereItIsConfigured(t *testing.T) {
	cert, key, roots := certificate(t, "localhost")
	cfg := config(t)
	cfg.TLS = TLS{Cert: cert, Key: key}
	b := start(t, cfg)
	_, port := split(t, b.Addr())
	inside := connect(t, login{url: b.Client().URL, id: "inside"})
	inside.subscribe(t, "a/b", 1)
	outside := connect(t, login{url: "ssl://" + b.Addr(), id: "outside", tls: &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS13}})
	outside.publish(t, "a/b", 1, false, "from paho")
	inside.want(t, "a/b", "from paho")
	if out, err := run(t, "mosquitto_pub", "-h", "localhost", "-p", port, "--cafile", cert, "-q", "1", "-t", "a/b", "-m", "from mosquitto"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	inside.want(t, "a/b", "from mosquitto")
	if _, err := dial(t, login{url: "ssl://" + b.Addr(), id: "stranger", tls: &tls.Config{RootCAs: x509.NewCertPool()}}); err == nil {
		t.Error("a client that does not know the authority connected")
	}
	if out, err := run(t, "mosquitto_pub", "-p", port, "-t", "a/b", "-m", "plain"); err == nil {
		t.Errorf("a client without TLS connected: %s", out)
	}
}

func TestAClientsCertificateIsAskedForWhereAnAuthorityIsGiven(t *testing.T) {
	cert, key, roots := certificate(t, "localhost")
	otherCert, otherKey, _ := certificate(t, "localhost")
	cfg := config(t)
	cfg.TLS = TLS{Cert: cert, Key: key, CA: cert}
	b := start(t, cfg)
	connectWith := func(files ...string) error {
		conf := &tls.Config{RootCAs: roots, ServerName: "localhost"}
		if len(files) > 0 {
			pair, err := tls.LoadX509KeyPair(files[0], files[1])
			if err != nil {
				t.Fatal(err)
			}
			conf.Certificates = []tls.Certificate{pair}
		}
		_, err := dial(t, login{url: "ssl://" + b.Addr(), id: "c", tls: conf})
		return err
	}
	if err := connectWith(cert, key); err != nil {
		t.Error(err)
	}
	if connectWith() == nil {
		t.Error("a client without a certificate connected")
	}
	if connectWith(otherCert, otherKey) == nil {
		t.Error("a client of another authority connected")
	}
}

func TestTheLastWillPassesTheTLSFrontWhenAConnectionBreaks(t *testing.T) {
	cert, key, roots := certificate(t, "localhost")
	cfg := config(t)
	cfg.TLS = TLS{Cert: cert, Key: key}
	b := start(t, cfg)
	inside := connect(t, login{url: b.Client().URL, id: "inside"})
	inside.subscribe(t, "will", 1)
	raw, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: "localhost"})
	// CONNECT as MQTT 3.1.1 section 3.1 has it: clean session, will of QoS 0 on
	// "will" with "gone", keep-alive 60 s, client id "w".
	if _, err := conn.Write([]byte("\x10\x19\x00\x04MQTT\x04\x06\x00\x3c\x00\x01w\x00\x04will\x00\x04gone")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 4)); err != nil { // CONNACK
		t.Fatal(err)
	}
	raw.Close() // without DISCONNECT
	inside.want(t, "will", "gone")
}

func TestASilentConnectionIsCut(t *testing.T) {
	cert, key, _ := certificate(t, "localhost")
	for name, cfg := range map[string]Config{
		"before TLS":   {TLS: TLS{Cert: cert, Key: key}},
		"before login": {UsersFile: users(t, "gate-017")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Listen, cfg.Dir = "127.0.0.1:0", t.TempDir()
			b := start(t, cfg)
			conn, err := net.Dial("tcp", b.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetReadDeadline(time.Now().Add(2 * handshakeTimeout)); err != nil {
				t.Fatal(err)
			}
			for buf := make([]byte, 64); err == nil; { // it may be told why
				_, err = conn.Read(buf)
			}
			if os.IsTimeout(err) {
				t.Error("the connection is still open")
			}
		})
	}
}

// certificate makes an authority that is a server's and a client's certificate
// at once, in PEM files.
func certificate(t testing.TB, name string) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return write(t, "cert.pem", text), write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs})), roots
}
