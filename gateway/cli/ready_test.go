package cli

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/identity"
)

// asked runs ready with the arguments and returns its exit code and what it says.
func asked(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out, errOut strings.Builder
	code := Run(t.Context(), append([]string{"ready"}, args...), nil, &out, &errOut)
	return code, out.String() + errOut.String()
}

func TestReadySaysWhetherAProgramDoesItsWork(t *testing.T) {
	status := http.StatusServiceUnavailable
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			w.WriteHeader(status)
		}
		_, _ = w.Write([]byte("said " + r.URL.Path + "\n"))
	}))
	defer s.Close()
	if code, text := asked(t, "--url", s.URL+"/"); code != 1 || !strings.Contains(text, "said /readyz") ||
		!strings.Contains(text, "not ready: 503") {
		t.Errorf("%d %s", code, text)
	}
	if code, text := asked(t, "--alive", "--url", s.URL); code != 0 || text != "said /healthz\n" {
		t.Errorf("%d %s", code, text)
	}
	status = http.StatusOK
	if code, _ := asked(t, "--url", s.URL); code != 0 {
		t.Errorf("ready: %d", code)
	}
	if code, text := asked(t, "--url", "http://127.0.0.1:1"); code != 1 || !strings.Contains(text, "ask whether") {
		t.Errorf("nobody there: %d %s", code, text)
	}
}

// Of a desk with TLS only the certificate that the configuration names is believed.
func TestReadyBelievesTheDesksOwnCertificateOnly(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ready\n"))
	}))
	defer s.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "collect.yaml")
	listen := strings.TrimPrefix(s.URL, "https://")
	text := "county: qinghe\ndir: county\nsites: sites.yaml\ndesk:\n  listen: " + listen +
		"\n  tls: {cert: desk.crt, key: desk.key}\n"
	other := []byte("another")
	for _, c := range []struct {
		der  []byte
		code int
	}{{s.Certificate().Raw, 0}, {other, 1}} {
		err := errors.Join(os.WriteFile(config, []byte(text), 0o600),
			os.WriteFile(filepath.Join(dir, "desk.crt"), identity.PEM(c.der), 0o600))
		if err != nil {
			t.Fatal(err)
		}
		if code, said := asked(t, "--config", config); code != c.code {
			t.Errorf("%d, want %d: %s", code, c.code, said)
		}
	}
}
