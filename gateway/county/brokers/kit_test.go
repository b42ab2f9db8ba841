package brokers

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/testkit/mosquitto"
)

const patience = 10 * time.Second

// bench is a county with a real Mosquitto.
type bench struct {
	t        *testing.T
	ca       *authority.Authority
	county   County
	listener Listener
	password string
	broker   *mosquitto.Broker
}

// pair names the files of a certificate.
type pair struct {
	cert, key string
	serial    *big.Int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, ca: newAuthority(t), password: "secret-of-the-collector"}
	server := serverCertificate(t)
	b.listener = Listener{Port: freePort(t), Inside: freePort(t), Cert: server.cert, Key: server.key, TLSMin: "1.3",
		Dir: t.TempDir()}
	b.county = County{ID: "qinghe", Discovery: true,
		CA: identity.PEM(b.ca.Certificate().Raw), Topics: []string{"tele/+/SENSOR"}}
	for name, k := range map[string]authority.Kind{"gate-001": authority.Agent, "gate-002": authority.Agent,
		"fogger-1": authority.Machine, "watch": authority.Reader, "grafana": authority.Reader} {
		b.county.Clients = append(b.county.Clients, Client{name, k})
	}
	b.write()
	b.broker = mosquitto.StartFile(t, filepath.Join(b.listener.Dir, "mosquitto.conf"),
		"127.0.0.1:"+strconv.Itoa(b.listener.Inside))
	return b
}

func newAuthority(t *testing.T) *authority.Authority {
	t.Helper()
	ca, err := authority.Create(filepath.Join(t.TempDir(), "ca"), "qinghe")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func freePort(t *testing.T) int {
	t.Helper()
	address, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := net.SplitHostPort(address)
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// write writes the files; void are the certificates that were revoked.
func (b *bench) write(void ...pair) {
	b.t.Helper()
	var list []authority.Void
	for _, p := range void {
		list = append(list, authority.Void{Serial: p.serial, At: time.Now()})
	}
	var err error
	if b.county.Revoked, err = b.ca.Revoked(list, time.Now()); err != nil {
		b.t.Fatal(err)
	}
	files, err := b.county.Mosquitto(b.listener, b.password)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range files {
		if f.Name == "mosquitto.conf" && os.Getuid() == 0 {
			f.Text = append([]byte("user root\n"), f.Text...) // the folders of tests are root's
		}
		if err := os.WriteFile(filepath.Join(b.listener.Dir, f.Name), f.Text, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

// issue returns the files of a certificate that ends after a time.
func issue(t *testing.T, ca *authority.Authority, name string, k authority.Kind, life time.Duration) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(name, k, &key.PublicKey, time.Now().Add(life-authority.Life))
	if err != nil {
		t.Fatal(err)
	}
	return save(t, cert, key)
}

func save(t *testing.T, cert *x509.Certificate, key *ecdsa.PrivateKey) pair {
	t.Helper()
	dir := t.TempDir()
	p := pair{filepath.Join(dir, "cert"), filepath.Join(dir, "key"), cert.SerialNumber}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err == nil {
		err = os.WriteFile(p.cert, identity.PEM(cert.Raw), 0o600)
	}
	if err == nil {
		err = os.WriteFile(p.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serverCertificate returns the broker's own, which signs itself.
func serverCertificate(t *testing.T) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return save(t, cert, key)
}

// over are the arguments of mosquitto_pub and _sub for a certificate; a zero one is none.
func (b *bench) over(p pair, more ...string) []string {
	args := []string{"-h", "localhost", "-p", strconv.Itoa(b.listener.Port), "--cafile", b.listener.Cert}
	if p.cert != "" {
		args = append(args, "--cert", p.cert, "--key", p.key)
	}
	return append(args, more...)
}

// inside are those of the collector.
func (b *bench) inside(more ...string) []string {
	return append([]string{"-h", "127.0.0.1", "-p", strconv.Itoa(b.listener.Inside), "-u", "collector", "-P",
		b.password}, more...)
}

// publishes reports whether mosquitto_pub succeeds.
func publishes(t *testing.T, args []string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return exec.CommandContext(ctx, "mosquitto_pub", args...).Run() == nil
}

// ear is a running mosquitto_sub.
type ear struct {
	cmd   *exec.Cmd
	lines chan string
}

// listen starts mosquitto_sub and waits until it is subscribed, or refused.
func listen(t *testing.T, args []string) *ear {
	t.Helper()
	e := &ear{cmd: exec.CommandContext(t.Context(), "stdbuf", slices.Concat([]string{"-oL", "mosquitto_sub"}, args,
		[]string{"-v", "-d", "-q", "1"})...),
		lines: make(chan string, 1000)}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	e.cmd.Stderr = e.cmd.Stdout
	if err := e.cmd.Start(); err != nil {
		t.Fatalf("mosquitto_sub: %v: run make tools", err)
	}
	t.Cleanup(func() { _ = e.cmd.Process.Kill(); _ = e.cmd.Wait() })
	go e.read(out)
	e.until(t, "Subscribed")
	return e
}

func (e *ear) read(out io.Reader) {
	defer close(e.lines)
	for s := bufio.NewScanner(out); s.Scan(); {
		e.lines <- s.Text()
	}
}

// until returns the messages that come before a line with text in it.
func (e *ear) until(t *testing.T, text string) (before []string) {
	t.Helper()
	for late := time.After(patience); ; {
		select {
		case line, ok := <-e.lines:
			switch {
			case !ok:
				t.Fatalf("mosquitto_sub has ended before %q", text)
			case strings.Contains(line, text):
				return before
			case strings.HasPrefix(line, "gatehouse/"), strings.HasPrefix(line, "tele/"),
				strings.HasPrefix(line, "homeassistant/"):
				before = append(before, line)
			}
		case <-late:
			t.Fatalf("%q does not come", text)
		}
	}
}
