package pages

import (
	"os"
	"path/filepath"
	"testing"
)

// Proxies and load balancers ask by an address, without a session and in HTTP/1.0.
func TestAHealthCheckOfAProxyIsAnswered(t *testing.T) {
	b := behind(t)
	for _, c := range []struct {
		method, path, host string
		want               int
	}{
		{"GET", "/healthz", "10.0.0.3:8080", 200}, {"HEAD", "/healthz", "backend", 200},
		{"GET", "/gatehouse/healthz", "desk.county", 200}, {"OPTIONS", "/", "10.0.0.3", 204},
		{"OPTIONS", "/api/login", "desk.county", 204}, {"GET", "/", "10.0.0.3", 421},
		{"GET", "/readyz", "10.0.0.3", 421}, {"POST", "/healthz", "10.0.0.3", 421},
	} {
		res := b.send(c.method, c.path, "", "Host: "+c.host, "X-Forwarded-For: 10.0.0.9")
		if res.status != c.want || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s of %s: %d, want %d", c.method, c.path, c.host, res.status, c.want)
		}
	}
}

func TestTheScrapersTokenIsASecret(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		ok   bool
	}{
		"good": {scraperToken, 0o600, true}, "read by others": {scraperToken, 0o644, false},
		"short": {"secret", 0o600, false}, "empty": {"\n" + scraperToken, 0o600, false},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := readBearer(file); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readBearer(filepath.Join(dir, "none")); err == nil {
		t.Error("a file that is missing is taken")
	}
}
