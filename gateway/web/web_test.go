package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(t *testing.T, h http.Handler, method, host string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://"+host+"/", nil)
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestForeignNamesAndOriginsAreRefused(t *testing.T) {
	inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	h := Guard(
		Site{Listen: "127.0.0.1:8090", Hosts: []string{"desk.county"}, Log: slog.New(slog.DiscardHandler)},
		inner,
	)
	for name, c := range map[string]struct {
		method, host, origin string
		want                 int
	}{
		"by address":            {"GET", "127.0.0.1:8090", "", 204},
		"by name":               {"GET", "localhost:8090", "", 204},
		"by IPv6":               {"GET", "[::1]:8090", "", 204},
		"by a configured one":   {"GET", "desk.county:8090", "", 204},
		"with a dot at the end": {"GET", "desk.county.:8090", "", 204},
		"a foreign name":        {"GET", "evil.example:8090", "", 421},
		"a name like ours":      {"GET", "127.0.0.1.evil.example", "", 421},
		"own page posts":        {"POST", "127.0.0.1:8090", "http://127.0.0.1:8090", 204},
		"foreign page posts":    {"POST", "127.0.0.1:8090", "http://evil.example", 403},
		"another port posts":    {"POST", "127.0.0.1:8090", "http://127.0.0.1:9999", 403},
		"no page posts":         {"POST", "127.0.0.1:8090", "", 204},
		"a sandboxed page":      {"POST", "127.0.0.1:8090", "null", 403},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			if c.origin != "" {
				header.Set("Origin", c.origin)
			}
			r := ask(t, h, c.method, c.host, header)
			if r.StatusCode != c.want {
				t.Errorf("status %d, want %d", r.StatusCode, c.want)
			}
			csp := r.Header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("policy %q", csp)
			}
		})
	}
}

func TestHostsOfAListener(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:1":    "localhost 127.0.0.1 ::1",
		"[::1]:1":        "localhost 127.0.0.1 ::1",
		"10.0.0.5:443":   "10.0.0.5",
		"0.0.0.0:443":    "localhost 127.0.0.1 ::1",
		"[::]:443":       "localhost 127.0.0.1 ::1",
		":443":           "localhost 127.0.0.1 ::1",
		"desk.county:80": "desk.county",
		"rubbish":        "",
	} {
		if got := strings.Join(Hosts(listen), " "); got != want {
			t.Errorf("%s: %q, want %q", listen, got, want)
		}
	}
}

// A program that was built without its screens serves how to build them.
func TestAPageThatWasNotBuiltExplainsHow(t *testing.T) {
	w := httptest.NewRecorder()
	Load("nothing").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 503 || !strings.Contains(string(b), "make ui") {
		t.Fatalf("%d %s %v", w.Code, b, err)
	}
}

func TestPagesAreServedCompressed(t *testing.T) {
	for _, name := range []string{"kiosk", "desk"} {
		p := Load(name)
		if p.Err() != nil {
			t.Fatal(p.Err())
		}
		for _, path := range []string{"/", "/assets/" + name + ".js", "/assets/" + name + ".css"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Accept-Encoding", "gzip")
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			if w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Content-Type") == "" {
				t.Errorf("%s%s: %d %v", name, path, w.Code, w.Header())
			}
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/assets/../web.go", nil))
		if w.Code != 404 {
			t.Errorf("another file: %d", w.Code)
		}
	}
}

// The limits are of what a gate's and a desk's browser loads.
func TestThePagesAreSmall(t *testing.T) {
	for name, limit := range map[string]int{"kiosk": 40_000, "desk": 150_000} {
		p := Load(name)
		if p.Err() != nil {
			t.Fatal(p.Err())
		}
		n := len(p.html["./"].packed)
		for _, f := range p.assets {
			n += len(f.packed)
		}
		if n > limit {
			t.Errorf("%s has %d bytes compressed, more than %d", name, n, limit)
		}
		t.Logf("%s: %d bytes packed", name, n)
	}
}
