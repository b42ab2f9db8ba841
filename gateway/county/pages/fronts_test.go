package pages

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/testkit/loopback"
)

// front is a web server in front of a desk: deploy's example as it is, but for
// ports and files.
type front struct {
	*bench

	port string
	site *http.Client // trusts the certificate, and finds every name at the port
}

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	address, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(address, ":")
	return port
}

// certify writes a certificate and its key for each name of the examples.
func certify(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	for n, name := range []string{"desk", "office"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(n + 1)),
			DNSNames:     []string{name + ".county.example"},
			NotBefore:    time.Now().Add(-time.Hour),
			NotAfter:     time.Now().Add(time.Hour),
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		for ext, block := range map[string]*pem.Block{
			".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: secret},
		} {
			b := pem.EncodeToMemory(block)
			pool.AppendCertsFromPEM(b)
			if err := os.WriteFile(filepath.Join(dir, name+ext), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return pool
}

// startFront starts a program on one of deploy's examples, which wrap completes.
func startFront(t *testing.T, example string, wrap func(text, dir, port string) string, command ...string) *front {
	t.Helper()
	f := &front{bench: behind(t), port: freePort(t)}
	dir := t.TempDir()
	pool := certify(t, dir)
	b, err := os.ReadFile(filepath.Join("../../../deploy", example))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("127.0.0.1:8080", f.s.Listener.Addr().String(), "/etc/ssl/", dir+"/").
		Replace(string(b))
	file := filepath.Join(dir, example)
	if err := os.WriteFile(file, []byte(wrap(text, dir, f.port)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(
		context.WithoutCancel(t.Context()),
		command[0],
		append(command[1:], file)...) //nolint:gosec // ours
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	said, err := os.Create(filepath.Join(dir, "said"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: make tools installs it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		said.Close()
	})
	browser := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}} // not the proxy's own address
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return browser.DialContext(ctx, "tcp", "127.0.0.1:"+f.port)
	}
	transport := &http.Transport{
		DialContext:     dial,
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}
	t.Cleanup(transport.CloseIdleConnections)
	f.site = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := dial(t.Context(), "", "")
		if err == nil {
			c.Close()
			return f
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(said.Name())
			t.Fatalf("%s does not come up: %s", command[0], text)
		}
	}
}

func startNginx(t *testing.T) *front {
	t.Helper()
	return startFront(t, "nginx.conf", func(text, dir, port string) string {
		text = strings.ReplaceAll(text, "listen 443 ssl;", "listen 127.0.0.1:"+port+" ssl;")
		for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			text = fmt.Sprintf("%s_temp_path %s/%s;\n", name, dir, name) + text
		}
		return fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/log;\nevents {}\n"+
			"http {\naccess_log off;\n%[2]s}\n", dir, text)
	}, "nginx", "-e", "stderr", "-c")
}

func startCaddy(t *testing.T) *front {
	t.Helper()
	return startFront(t, "Caddyfile", func(text, _, port string) string {
		for _, name := range []string{"desk", "office"} {
			text = strings.ReplaceAll(text, name+".county.example {", name+".county.example:"+port+" {")
		}
		return "{\n\tadmin off\n\tauto_https disable_redirects\n\thttp_port " + freePort(t) + "\n}\n" + text
	}, "caddy", "run", "--adapter", "caddyfile", "--config")
}

// send sends a request through the front with "Name: value" lines as its headers.
func (f *front) send(method, url, body string, lines ...string) (res *http.Response, text string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		r.Header.Add(name, value)
	}
	res, err = f.site.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return res, string(b)
}

func TestTheDeskBehindRealWebServers(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *front{"nginx": startNginx, "Caddy": startCaddy} {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			f.works("https://desk.county.example:"+f.port, "/")
			f.works("https://office.county.example:"+f.port, "/gatehouse/")
			f.asksForAUser()
			f.knowsTheAddress()
			res, _ := f.send("GET", "https://office.county.example:"+f.port+"/gatehouse", "")
			if res.StatusCode/100 != 3 || !strings.HasSuffix(res.Header.Get("Location"), "/gatehouse/") {
				t.Errorf("without the slash: %d %s", res.StatusCode, res.Header.Get("Location"))
			}
		})
	}
}

// works logs in, opens the live connection and a page, and looks at the cookies.
func (f *front) works(origin, below string) {
	f.t.Helper()
	own := "Origin: " + origin
	res, text := f.send("POST", origin+below+"api/login", rightPassword, own) // as a browser without Sec-Fetch
	if res.StatusCode != http.StatusNoContent {
		f.t.Fatalf("%s%s: the log-in answers %d %s", origin, below, res.StatusCode, text)
	}
	if c := res.Cookies()[0]; !c.Secure || !strings.HasPrefix(c.Name, "__Secure-") || c.Path != "/gatehouse/" {
		f.t.Errorf("%s%s: cookie %s", origin, below, c)
	}
	if res.Header.Get("Strict-Transport-Security") == "" || res.Header.Get("Cache-Control") != "no-store" {
		f.t.Errorf("%s%s: headers %v", origin, below, res.Header)
	}
	cookie := res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
	for _, c := range []struct {
		origin string
		ok     bool
	}{{origin, true}, {"https://evil.example", false}} {
		conn, _, err := websocket.Dial(f.t.Context(), origin+below+"live", &websocket.DialOptions{HTTPClient: f.site,
			HTTPHeader: http.Header{"Origin": {c.origin}, "Cookie": {cookie}}})
		if err == nil {
			_, _, err = conn.Read(f.t.Context())
			_ = conn.CloseNow()
		}
		if (err == nil) != c.ok {
			f.t.Errorf("%s%s: the live connection from %s: %v", origin, below, c.origin, err)
		}
	}
	for path, want := range map[string]string{"": "./assets/desk.js", "runs/m/r": "../../assets/desk.js",
		"assets/desk.js": "use strict"} {
		if res, text := f.send("GET", origin+below+path, ""); res.StatusCode != http.StatusOK ||
			!strings.Contains(text, want) {
			f.t.Errorf("%s%s%s: %d", origin, below, path, res.StatusCode)
		}
	}
}

func (f *front) asksForAUser() {
	f.t.Helper()
	for _, url := range []string{"https://desk.county.example:" + f.port, "https://office.county.example:" + f.port +
		"/gatehouse"} {
		for _, path := range []string{"/metrics", "/readyz"} {
			for token, want := range map[string]int{"": 401, "x": 401, scraperToken: 200} {
				res, _ := f.send("GET", url+path, "", "Authorization: Bearer "+token, "X-Forwarded-For: 127.0.0.1",
					"Forwarded: for=127.0.0.1")
				if res.StatusCode != want {
					f.t.Errorf("%s%s with the token %q: %d", url, path, token, res.StatusCode)
				}
			}
		}
	}
}

// knowsTheAddress guesses once under an invented address.
func (f *front) knowsTheAddress() {
	f.t.Helper()
	f.send("POST", "https://desk.county.example:"+f.port+"/api/login", wrongPassword,
		"X-Forwarded-For: 198.18.0.1", "Forwarded: for=198.18.0.1", "X-Real-IP: 198.18.0.1")
	if !f.said.has(`"a wrong password at the desk" remote=127.0.0.9`) {
		f.t.Errorf("the desk does not know who guessed: %s", &f.said.text)
	}
}
