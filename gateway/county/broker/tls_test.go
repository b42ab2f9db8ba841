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
	"testing"
	"time"
)

func TestTLSIsRequiredWhenConfigured(t *testing.T) {
	cert, key, roots := certificate(t, "localhost")
	cfg := configOf(t)
	cfg.TLS = TLS{Cert: cert, Key: key}
	b := start(t, cfg)
	_, port := split(t, b.Addr())
	inside := connect(t, insider(t, b, "inside"))
	inside.subscribe(t, "a/b", 1)
	outside := connect(t, login{url: "ssl://" + b.Addr(), id: "outside",
		tls: &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS13}})
	outside.publish(t, "a/b", 1, false, "from paho")
	inside.want(t, "a/b", "from paho")
	out, err := run(t, "mosquitto_pub", "-h", "localhost", "-p", port, "--cafile", cert,
		"-q", "1", "-t", "a/b", "-m", "from mosquitto")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	inside.want(t, "a/b", "from mosquitto")
	stranger := login{url: "ssl://" + b.Addr(), id: "stranger", tls: &tls.Config{RootCAs: x509.NewCertPool()}}
	if _, err := dial(t, stranger); err == nil {
		t.Error("a client that does not know the authority connected")
	}
	if out, err := run(t, "mosquitto_pub", "-p", port, "-t", "a/b", "-m", "plain"); err == nil {
		t.Errorf("a client without TLS connected: %s", out)
	}
	outside.publish(t, "a/b", 1, false, "still here")
	inside.want(t, "a/b", "still here")
}

// Microcontrollers speak TLS 1.2, which has to be asked for; older versions are refused.
func TestTheBrokerTakesTLS12OnlyWhenAsked(t *testing.T) {
	cert, key, roots := certificate(t, "localhost")
	for least, oldest := range map[string]uint16{"": tls.VersionTLS13, "1.3": tls.VersionTLS13,
		"1.2": tls.VersionTLS12} {
		cfg := configOf(t)
		cfg.TLS = TLS{Cert: cert, Key: key, Min: least}
		b := start(t, cfg)
		for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
			only := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: version, MaxVersion: version}
			_, err := dial(t, login{url: "ssl://" + b.Addr(), id: "c", tls: only})
			if (err == nil) != (version >= oldest) {
				t.Errorf("min %q, %s: %v", least, tls.VersionName(version), err)
			}
		}
	}
}

func TestClientsNeedACertificateWhenAnAuthorityIsGiven(t *testing.T) {
	cert, key, roots := certificate(t, "localhost")
	otherCert, otherKey, _ := certificate(t, "localhost")
	cfg := configOf(t)
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

func TestTheLastWillIsPublishedWhenATLSConnectionBreaks(t *testing.T) {
	cert, key, roots := certificate(t, "localhost")
	cfg := configOf(t)
	cfg.TLS = TLS{Cert: cert, Key: key}
	b := start(t, cfg)
	inside := connect(t, insider(t, b, "inside"))
	inside.subscribe(t, "will", 1)
	raw, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: "localhost"})
	// CONNECT of MQTT 3.1.1, section 3.1: clean session, will of QoS 0 on
	// "will" with "gone", keep-alive 60 s, client id "w".
	hello := []byte("\x10\x19\x00\x04MQTT\x04\x06\x00\x3c\x00\x01w\x00\x04will\x00\x04gone")
	if _, err := conn.Write(hello); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 4)); err != nil { // CONNACK
		t.Fatal(err)
	}
	raw.Close() // without DISCONNECT
	inside.want(t, "will", "gone")
}

func TestASilentConnectionIsClosed(t *testing.T) {
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
			for buf := make([]byte, 64); err == nil; { // the broker may send a reason first
				_, err = conn.Read(buf)
			}
			if os.IsTimeout(err) {
				t.Error("the connection is still open")
			}
			connect(t, insider(t, b, "c")) // the broker itself still runs
		})
	}
}

// certificate writes PEM files of a certificate that is an authority, a server's
// and a client's at once.
func certificate(t testing.TB, name string) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		DNSNames:              []string{name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
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
	private8 := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs})
	return write(t, "cert.pem", text), write(t, "key.pem", private8), roots
}
