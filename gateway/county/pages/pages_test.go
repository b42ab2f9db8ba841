package pages

import (
	"context"
	"crypto/ed25519"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/county/store"
)

type nothing struct{}

func (nothing) Rows(context.Context, store.Query) iter.Seq2[store.Row, error] {
	return func(func(store.Row, error) bool) {}
}
func (nothing) Positions(context.Context) ([]store.Position, error) { return nil, nil }
func (nothing) Losses(context.Context) (int, int, error)            { return 0, 0, nil }
func (nothing) Quarantined(context.Context, int) ([]store.Quarantined, error) {
	p := store.Poison{Agent: "a", Reason: "<b>", Raw: []byte("<script>\xff")}
	return []store.Quarantined{{ID: 1, Poison: p}}, nil
}
func (nothing) Conflicts(context.Context) ([]store.Conflicts, error) { return nil, nil }
func (nothing) Retry(context.Context, store.Quarantined) error       { return nil }
func (nothing) Drop(context.Context, int64) (bool, error)            { return true, nil }
func (nothing) Poison(_ context.Context, id int64) (store.Quarantined, bool, error) {
	return store.Quarantined{ID: id, Poison: store.Poison{Agent: "a", Raw: []byte("<script>\xff")}}, id == 1, nil
}
func (nothing) Expired(context.Context) ([]store.Expired, error)    { return nil, nil }
func (nothing) Holes(context.Context) ([]store.RecordedHole, error) { return nil, nil }

// cheapHash is the password's with the least memory: race detection makes real ones
// take long.
const cheapHash = "$argon2id$v=19$m=8,t=1,p=1$" + //nolint:gosec // of a test
	"vsvLHVzK6CYSaGtBZ/Fo3w$NrWFvK1jncQvyHW3PvIin0T+eH/rXB2RU7fIbAHbmk0"

func noIdentities() []registry.Identity { return nil }

// noRegistry knows no gate, and is asked only who there is.
type noRegistry struct{ Registry }

func (noRegistry) List(context.Context) (registry.List, error) { return registry.List{}, nil }

type bench struct {
	t    *testing.T
	s    *httptest.Server
	desk *desk.Desk
	c    *http.Client
	path string // of the desk's file
	said *journal
}

// journal is what a desk logged.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) has(text string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Contains(j.text.String(), text)
}

const (
	password      = "correct horse"
	rightPassword = `{"token":"","name":"wang","password":"` + password + `"}`
	wrongPassword = `{"token":"","name":"wang","password":"guess guess"}`
)

func start(t *testing.T) *bench {
	t.Helper()
	return startWith(t, Config{Listen: "127.0.0.1:0"})
}

func startWith(t *testing.T, cfg Config) *bench {
	t.Helper()
	said := &journal{}
	log := slog.New(slog.NewTextHandler(said, nil))
	now := time.Now() // it stands still: a wait does not pass while a slow machine hashes
	path := filepath.Join(t.TempDir(), "desk.db")
	d, err := desk.Open(desk.Options{
		Path: path, Sites: oneGate(t), Records: nothing{}, Losses: nothing{}, Log: log,
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.People.Hash(people.Cost{MemoryKiB: 8, Passes: 1}) // that of cheapHash
	parts := Parts{Alerts: d.Alerts, Passages: d.Passages, Runs: d.Runs, People: d.People, Consents: d.Consents,
		Poison: nothing{}, Notices: d.Notices, Checks: d.Checks, Commands: d.Commands, Audit: d.Audit,
		Versions: d.Versions, Gates: d.Seen, Registry: noRegistry{}, Removed: nothing{}, State: d.Hub,
		Prober: d, Standings: standings{}, CountyName: "清和县", Zone: time.UTC,
		Ends: d.OpenEnd(end.Options{County: "qinghe", Name: "清和县", Identities: noIdentities,
			Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}),
		Rules: d.OpenRules(rules.Options{Dir: filepath.Join(t.TempDir(), "ca"), Zone: time.UTC, Log: log})}
	srv, err := New(cfg, parts, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(srv.handler(t.Context(), "127.0.0.1:0"))
	t.Cleanup(func() { s.Close(); _ = d.Close() })
	file, err := desk.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, err = file.Exec(t.Context(),
		"INSERT INTO users (name, hash, role, created) VALUES ('wang', ?, 'admin', 0)", cheapHash)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, s, d, &http.Client{Jar: newJar(t)}, path, said}
}

func (b *bench) ask(method, path, body string) (status int, text string, header http.Header) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.s.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(all), res.Header
}

func (b *bench) login() {
	b.t.Helper()
	if status, text, _ := b.ask("POST", "/api/login", rightPassword); status != 204 {
		b.t.Fatal(status, text)
	}
}

func TestNothingIsShownToStrangers(t *testing.T) {
	b := start(t)
	answered := []string{
		"GET /api/session", "GET /api/hours?for=24h", "GET /api/gate?agent=a", "GET /api/alerts",
		"GET /api/losses", "GET /api/retention", "GET /api/users", "GET /api/tokens",
	}
	for _, x := range append(slices.Clone(answered), "POST /api/acknowledge", "GET /live") {
		method, path, _ := strings.Cut(x, " ")
		if status, text, _ := b.ask(method, path, "{}"); status != 401 || !strings.Contains(text, `"session"`) {
			t.Errorf("%s: %d %s", x, status, text)
		}
	}
	b.login()
	for _, x := range answered {
		method, path, _ := strings.Cut(x, " ")
		if status, text, _ := b.ask(method, path, "{}"); status != 200 {
			t.Errorf("%s: %d %s", x, status, text)
		}
	}
	if status, _, _ := b.ask("POST", "/api/logout", "{}"); status != 204 {
		t.Error(status)
	}
	if status, _, _ := b.ask("GET", "/api/session", ""); status != 401 {
		t.Error("logged out, and still in")
	}
}

func TestTheCookieIsForThisServersPagesOnly(t *testing.T) {
	b := start(t)
	_, _, header := b.ask("POST", "/api/login", rightPassword)
	if c := header.Get("Set-Cookie"); !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Strict") {
		t.Errorf("cookie %q", c)
	}
}

// A thousand guesses cost a guesser hours, and nobody else their login.
func TestAThousandWrongPasswords(t *testing.T) {
	b := start(t)
	tried := 0
	for range 1000 {
		status, _, header := b.ask("POST", "/api/login", wrongPassword)
		switch status {
		case 403:
			tried++
		case 429:
			if header.Get("Retry-After") == "" {
				t.Fatal("no word when to try again")
			}
		default:
			t.Fatal(status)
		}
	}
	if tried > 5+3 {
		t.Errorf("%d guesses were compared", tried)
	}
}

func TestBadRequestsGetAClearAnswer(t *testing.T) {
	b := start(t)
	b.login()
	note := func(characters int) string { return `{"id":1,"note":"` + strings.Repeat("x", characters) + `"}` }
	for name, c := range map[string]struct {
		method, path, body string
		want               int
		code               string
	}{
		"not JSON":            {"POST", "/api/acknowledge", "x", 400, "body"},
		"an unknown field":    {"POST", "/api/acknowledge", `{"id":1,"who":"me"}`, 400, "body"},
		"a wrong type":        {"POST", "/api/acknowledge", `{"id":"1"}`, 400, "body"},
		"a huge body":         {"POST", "/api/acknowledge", note(2 * maxBody), 400, "body"},
		"a long note":         {"POST", "/api/acknowledge", note(maxNote + 1), 400, "body"},
		"no such alert":       {"POST", "/api/acknowledge", `{"id":1,"note":"<script>"}`, 409, "gone"},
		"no span":             {"GET", "/api/hours", "", 400, "body"},
		"a span of years":     {"GET", "/api/hours?for=99999h", "", 400, "body"},
		"a used invitation":   {"POST", "/api/setup", rightPassword, 403, "invite"},
		"an invented address": {"GET", "/api/nothing", "", 404, ""},
	} {
		if status, text, _ := b.ask(c.method, c.path, c.body); status != c.want || !strings.Contains(text, c.code) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

func TestForeignTextIsJSONNotHTML(t *testing.T) {
	b := start(t)
	b.login()
	_, text, header := b.ask("GET", "/api/quarantined?id=1", "")
	kind, escaped := header.Get("Content-Type"), strings.Contains(text, `\u003cscript\u003e`)
	if kind != "application/json" || strings.Contains(text, "<script>") || !escaped {
		t.Errorf("%s %s", kind, text)
	}
}

func TestThePageLivesAsLongAsItsSession(t *testing.T) {
	b := start(t)
	b.login()
	c, _, err := websocket.Dial(t.Context(), b.s.URL+"/live", &websocket.DialOptions{HTTPClient: b.c})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow() //nolint:errcheck // the test is over
	if _, _, err := c.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestProbesAnswerThisComputer(t *testing.T) {
	b := start(t)
	for path, want := range map[string]string{
		"/healthz": "ok", "/readyz": `"ready":true`, "/metrics": `gatehouse_alerts_open{type="fever"} 0`,
	} {
		if status, text, _ := b.ask("GET", path, ""); status != 200 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

func TestAPublicDeskNeedsTLS(t *testing.T) {
	for listen, ok := range map[string]bool{
		"127.0.0.1:8080": true, "localhost:8080": true, "[::1]:80": true,
		"0.0.0.0:8080": false, ":8080": false, "10.1.1.1:80": false, "8080": false,
	} {
		if err := (Config{Listen: listen}).Check(); (err == nil) != ok {
			t.Errorf("%s: %v", listen, err)
		}
	}
	if err := (Config{Listen: "0.0.0.0:8443", TLS: TLS{Cert: "c", Key: "k"}}).Check(); err != nil {
		t.Error(err)
	}
	if err := (Config{Listen: "0.0.0.0:8443", TLS: TLS{Cert: "c"}}).Check(); err == nil {
		t.Error("a certificate without its key is taken")
	}
}
