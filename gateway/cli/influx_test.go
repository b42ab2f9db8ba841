package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatehouse/gateway/county/provision"
)

// influx2 answers as an InfluxDB 2 does that was set up, as far as tokens go.
type influx2 struct {
	mu     sync.Mutex
	tokens []string // of the collector; the last one is the newest
	made   int
}

func (s *influx2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Token ")
	if r.URL.Path != "/api/v2/setup" && token != "admin" && !slices.Contains(s.tokens, token) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	type auth struct {
		ID          string `json:"id"`
		Description string `json:"description"`
	}
	var answer any = map[string]any{"id": "1"}
	switch {
	case strings.HasPrefix(r.URL.Path, "/api/v2/authorizations/"):
		s.tokens = slices.DeleteFunc(s.tokens, func(t string) bool { return strings.HasSuffix(r.URL.Path, "/"+t) })
		w.WriteHeader(http.StatusNoContent)
		return
	case r.URL.Path == "/api/v2/authorizations" && r.Method == http.MethodPost:
		s.made++
		s.tokens = append(s.tokens, fmt.Sprintf("token-%d", s.made))
		answer = map[string]string{"token": s.tokens[len(s.tokens)-1]}
	case r.URL.Path == "/api/v2/authorizations":
		var list []auth
		for _, t := range s.tokens {
			list = append(list, auth{t, provision.Collector})
		}
		answer = map[string]any{"authorizations": list}
	case r.URL.Path == "/api/v2/orgs":
		answer = map[string]any{"orgs": []map[string]string{{"id": "1"}}}
	}
	_ = json.NewEncoder(w).Encode(answer) // the test sees what is missing
}

// A token that the InfluxDB does not know any more, because setup was cut off before it wrote the
// next one or because somebody has deleted it, is replaced; one that counts stays.
func TestATokenThatDoesNotCountIsReplaced(t *testing.T) {
	s := &influx2{}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"admin": "admin\n", "password": "x\n"} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	setup := func() string {
		t.Helper()
		out, code := run(t, "influx", "setup", "--url", web.URL, "--admin-token", at("admin"),
			"--admin-password", at("password"), "--collector-token", at("token"))
		if code != 0 {
			t.Fatal(out)
		}
		b, err := os.ReadFile(at("token"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	first := setup()
	if again := setup(); again != first {
		t.Errorf("a token that counts was replaced: %s, then %s", first, again)
	}
	s.mu.Lock()
	s.tokens = []string{"token-of-the-run-that-was-cut-off"}
	s.mu.Unlock()
	if next := setup(); next == first || !slices.Contains(s.tokens, next) {
		t.Errorf("the token is %s, the InfluxDB knows %q", next, s.tokens)
	}
}
