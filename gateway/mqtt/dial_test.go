package mqtt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/testkit/mosquitto"
)

// certificate makes a certificate that signs itself for the given name.
func certificate(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(file, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), file)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", pkcs)
}

// passes fails the test unless a message goes to the broker and comes back.
func passes(t *testing.T, b mqtt.Broker) {
	t.Helper()
	cfg := mqtt.Config{ClientID: "c", Subscriptions: []mqtt.Subscription{{Filter: "a/b", QoS: 1}}}
	if err := b.Load(&cfg); err != nil {
		t.Fatal(err)
	}
	c := connect(t, cfg)
	defer c.stop()
	select {
	case <-c.up:
	case err := <-c.failed:
		t.Fatal(err)
	case <-time.After(10 * time.Second):
		t.Fatal("no connection")
	}
	large := strings.Repeat("x", 60_000) // in several frames of a WebSocket
	if err := c.Publish(mqtt.Message{Topic: "a/b", Payload: []byte(large), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	if m := await(t, "message", c.messages, 5*time.Second); string(m.Payload) != large {
		t.Fatalf("%d bytes came back", len(m.Payload))
	}
}

// fails returns why no connection is made.
func fails(t *testing.T, b mqtt.Broker) string {
	t.Helper()
	cfg := mqtt.Config{ClientID: "c"}
	if err := b.Load(&cfg); err != nil {
		t.Fatal(err)
	}
	c := connect(t, cfg)
	defer c.stop()
	return await(t, "failed attempt", c.failed, 12*time.Second).Error()
}

// answers waits until somebody listens at each address.
func answers(t *testing.T, addresses ...string) {
	t.Helper()
	for _, a := range addresses {
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			c, err := net.Dial("tcp", a)
			if err == nil {
				c.Close()
				break
			}
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	}
}

func free(t *testing.T) (address, port string) {
	t.Helper()
	address, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(address)
	return address, port
}

func TestAWebSocketBrokerIsReachedWithAndWithoutTLS(t *testing.T) {
	cert, key := certificate(t, "localhost")
	ws, wsPort := free(t)
	b := mosquitto.Start(t, "listener "+wsPort+" 127.0.0.1", "protocol websockets", "socket_domain ipv4")
	answers(t, ws)
	wss := terminator(t, cert, key, tls.VersionTLS13, ws)
	passes(t, mqtt.Broker{URL: "ws://" + ws + "/mqtt"})
	passes(t, mqtt.Broker{URL: "wss://" + wss + "/mqtt", CA: cert, ServerName: "localhost"})
	if why := fails(t, mqtt.Broker{URL: "wss://" + wss + "/mqtt", CA: cert}); !strings.Contains(why, "server_name") {
		t.Errorf("another name: %s", why)
	}
	web := http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	go func() { _ = web.Serve(l) }()
	if why := fails(t, mqtt.Broker{URL: "ws://" + l.Addr().String()}); !strings.Contains(why, "check the path") {
		t.Errorf("a web server: %s", why)
	}
	if why := fails(t, mqtt.Broker{URL: "ws" + strings.TrimPrefix(b.URL, "tcp")}); why == "" {
		t.Error("no reason for a port without WebSocket")
	}
}

// serve answers each connection to a new port with handle until the test ends.
func serve(t *testing.T, handle func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go handle(c)
		}
	}()
	return l.Addr().String()
}

// relay passes bytes between a and the address both ways.
func relay(a io.ReadWriteCloser, address string) {
	defer a.Close()
	b, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer b.Close()
	go func() { _, _ = io.Copy(b, a); b.Close() }()
	_, _ = io.Copy(a, b)
}

// terminator ends TLS, of the version most at the highest, in front of an address.
func terminator(t *testing.T, cert, key string, most uint16, address string) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS10, MaxVersion: most}
	return serve(t, func(c net.Conn) { relay(tls.Server(c, cfg), address) })
}

func TestABrokerWithTLS12OnlyNeedsTheKeyForIt(t *testing.T) {
	cert, key := certificate(t, "localhost")
	b := mosquitto.Start(t)
	with := func(most uint16) string {
		_, port, _ := net.SplitHostPort(terminator(t, cert, key, most, strings.TrimPrefix(b.URL, "tcp://")))
		return "ssl://localhost:" + port
	}
	old := mqtt.Broker{URL: with(tls.VersionTLS12), CA: cert}
	if why := fails(t, old); !strings.Contains(why, `tls_min: "1.2"`) {
		t.Errorf("the reason does not name the key: %s", why)
	}
	old.TLSMin = "1.2"
	passes(t, old)
	stranger := mqtt.Broker{URL: old.URL, TLSMin: "1.2"}
	if why := fails(t, stranger); !strings.Contains(why, "as ca") {
		t.Errorf("an unknown authority: %s", why)
	}
	older := mqtt.Broker{URL: with(tls.VersionTLS11), CA: cert, TLSMin: "1.2"}
	if why := fails(t, older); !strings.Contains(why, "update the broker") {
		t.Errorf("TLS 1.1: %s", why)
	}
	plain := mqtt.Broker{URL: "ssl" + strings.TrimPrefix(b.URL, "tcp"), CA: cert}
	if why := fails(t, plain); why == "" {
		t.Error("no reason for a port without TLS")
	}
	passes(t, mqtt.Broker{URL: with(tls.VersionTLS13), CA: cert})
}

func TestABrokerThatGrantsNoQoS1IsNoConnection(t *testing.T) {
	b := mosquitto.Start(t, "max_qos 0")
	c := connect(t, mqtt.Config{URL: b.URL, ClientID: "c", Log: slog.New(slog.DiscardHandler),
		Subscriptions: []mqtt.Subscription{{Filter: "x", QoS: 1}}})
	if err := await(t, "failed attempt", c.failed, 10*time.Second); !strings.Contains(err.Error(), "max_qos") {
		t.Errorf("the reason is %v", err)
	}
	if len(c.up) != 0 {
		t.Error("the client is up")
	}
}
