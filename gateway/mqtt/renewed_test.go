package mqtt_test

import (
	"crypto/tls"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/mosquitto"
)

// A certificate that was renewed while the client runs is the one that it shows next; a
// file that can't be read then is said, and the client tries again.
func TestTheCertificateIsReadAtEachConnect(t *testing.T) {
	cert, key := certificate(t, "localhost")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	shown := make(chan string, 10)
	asks := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAnyClientCert, VerifyConnection: func(s tls.ConnectionState) error {
			shown <- s.PeerCertificates[0].Subject.CommonName
			return nil
		}}
	b := mosquitto.Start(t)
	at := serve(t, func(c net.Conn) { relay(tls.Server(c, asks), strings.TrimPrefix(b.URL, "tcp://")) })
	_, port, _ := net.SplitHostPort(at)
	ownCert, ownKey := certificate(t, "first")
	cfg := mqtt.Config{ClientID: "c"}
	own := mqtt.Broker{URL: "ssl://localhost:" + port, CA: cert, Cert: ownCert, Key: ownKey}
	if err := own.Load(&cfg); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "second"} {
		c := connect(t, cfg)
		if got := await(t, "certificate", shown, 10*time.Second); got != name {
			t.Errorf("the client shows %s, want %s", got, name)
		}
		c.stop()
		newCert, newKey := certificate(t, "second")
		for from, to := range map[string]string{newCert: ownCert, newKey: ownKey} {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Remove(ownCert); err != nil {
		t.Fatal(err)
	}
	c := connect(t, cfg)
	defer c.stop()
	if why := await(t, "failed attempt", c.failed, 12*time.Second).Error(); !strings.Contains(why, "broker cert") {
		t.Errorf("the reason does not name the file: %s", why)
	}
}
