package pages

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/site"
)

// got decodes the answer to a request that must succeed.
func got[T any](b *bench, method, path, body string) (v T) {
	b.t.Helper()
	status, text, _ := b.ask(method, path, body)
	if err := json.Unmarshal([]byte(text), &v); err != nil || status != 200 {
		b.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return v
}

func TestAUsersLifeOverHTTP(t *testing.T) {
	b := start(t)
	b.login()
	if status, text, _ := b.ask("POST", "/api/invite", `{"role":"duty","password":"wrong horse"}`); status != 403 ||
		!strings.Contains(text, `"password"`) {
		t.Errorf("an invitation without the password: %d %s", status, text)
	}
	path := got[link](b, "POST", "/api/invite", `{"role":"duty","password":"correct horse"}`).Path
	_, token, _ := strings.Cut(path, "#")
	if i := got[people.Invited](b, "POST", "/api/invited", fmt.Sprintf(`{"token":%q}`, token)); i.Role != people.Duty {
		t.Errorf("invited as %+v", i)
	}
	li := &bench{b.t, b.s, b.desk, &http.Client{Jar: newJar(t)}, b.path, b.said}
	body := fmt.Sprintf(`{"token":%q,"name":"li","password":"correct horse"}`, token)
	if status, text, _ := li.ask("POST", "/api/setup", body); status != 204 {
		t.Fatal(status, text)
	}
	log := `{"token":"","name":"li","password":"correct horse"}`
	steps := []struct {
		of                 *bench
		method, path, body string
		want               int
	}{
		{li, "POST", "/api/login", log, 204},
		{li, "GET", "/api/users", "", 403},
		{li, "POST", "/api/password", `{"was":"wrong horse","password":"another horse"}`, 403},
		{li, "POST", "/api/password", `{"was":"correct horse","password":"Password123"}`, 422},
		{li, "POST", "/api/password", `{"was":"correct horse","password":"another horse"}`, 204},
		{li, "GET", "/api/session", "", 200},
		{b, "POST", "/api/users/role", `{"name":"li","role":"admin","password":""}`, 403},
		{b, "POST", "/api/users/role", `{"name":"li","role":"auditor","password":"correct horse"}`, 204},
		{li, "GET", "/api/session", "", 401}, // the role ends the sessions
		{li, "POST", "/api/login", log, 403},
		{li, "POST", "/api/login", strings.Replace(log, "correct", "another", 1), 204},
		{b, "POST", "/api/users/disable", `{"name":"li","disabled":true}`, 204},
		{li, "GET", "/api/session", "", 401},
		{li, "POST", "/api/login", strings.Replace(log, "correct", "another", 1), 403},
		{b, "POST", "/api/users/disable", `{"name":"li","disabled":false,"password":"correct horse"}`, 204},
		{li, "POST", "/api/login", strings.Replace(log, "correct", "another", 1), 204},
		{b, "POST", "/api/users/disable", `{"name":"wang","disabled":true}`, 409},
		{b, "POST", "/api/users/role", `{"name":"wang","role":"viewer","password":"correct horse"}`, 409},
		{b, "POST", "/api/users/reset", `{"name":"zhao","password":"correct horse"}`, 404},
	}
	for i, c := range steps {
		if status, text, _ := c.of.ask(c.method, c.path, c.body); status != c.want {
			t.Errorf("step %d, %s %s: %d %s", i, c.path, c.body, status, text)
		}
	}
	sessions := got[[]people.Listed](b, "GET", "/api/users/sessions?name=li", "")
	if len(sessions) != 1 || sessions[0].From != "127.0.0.1" || !strings.Contains(sessions[0].Browser, "Go-http") {
		t.Fatalf("%+v", sessions)
	}
	end := fmt.Sprintf(`{"name":"li","id":%q}`, sessions[0].ID)
	if status, text, _ := b.ask("POST", "/api/users/sessions/end", end); status != 204 {
		t.Fatal(status, text)
	}
	if status, _, _ := li.ask("GET", "/api/session", ""); status != 401 {
		t.Errorf("the session was ended: %d", status)
	}
}

func TestATokenLetsAProgramIn(t *testing.T) {
	b := start(t)
	b.login()
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	body := fmt.Sprintf(`{"name":"grafana","role":"viewer","until":%q,"password":"correct horse"}`, until)
	token := got[struct {
		Token string `json:"token"`
	}](b, "POST", "/api/token", body).Token
	show := http.Header{"Authorization": {"Bearer " + token}}
	status := func(path string, header http.Header) int { return b.show(http.DefaultClient, path, header) }
	for path, want := range map[string]int{"/api/hours?for=24h": 200, "/api/losses": 403, "/api/sessions": 403} {
		if got := status(path, show); got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
	c, _, err := websocket.Dial(t.Context(), b.s.URL+"/live", &websocket.DialOptions{HTTPHeader: show})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow() //nolint:errcheck // the test is over
	if !fed(t, c, 5*time.Second) {
		t.Fatal("the socket ends at once")
	}
	if list := got[[]people.Token](b, "GET", "/api/tokens", ""); len(list) != 1 || list[0].Used == nil {
		t.Errorf("%+v", list)
	}
	if status, text, _ := b.ask("POST", "/api/token/revoke", `{"name":"grafana"}`); status != 204 {
		t.Fatal(status, text)
	}
	if fed(t, c, time.Second) {
		t.Error("the socket is still fed")
	}
	if got := status("/api/hours?for=24h", show); got != 401 {
		t.Errorf("revoked: %d", got)
	}
	// A proxy's own token, which it adds to all requests, is none of the desk's.
	foreign := http.Header{"Authorization": {"Bearer eyJhbGciOiJub25lIn0.e30."}}
	if got := b.show(b.c, "/api/session", foreign); got != http.StatusOK {
		t.Errorf("a session beside a proxy's token: %d", got)
	}
}

// show asks for a path with headers, and returns the status.
func (b *bench) show(client *http.Client, path string, header http.Header) int {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.s.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = header
	res, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return res.StatusCode
}

// Two desks on one computer, as a browser sees them.
func TestTwoDesksShareNoSession(t *testing.T) {
	a, b := start(t), start(t)
	b.c = a.c
	a.login()
	b.login()
	for name, of := range map[string]*bench{"the first": a, "the second": b} {
		if status, _, _ := of.ask("GET", "/api/session", ""); status != 200 {
			t.Errorf("%s: %d", name, status)
		}
	}
}

func TestTheFirstLinkIsInAFileAndNotInTheLog(t *testing.T) {
	dir := t.TempDir()
	said, terminal := &journal{}, &journal{}
	log := slog.New(slog.NewTextHandler(said, nil))
	d, err := desk.Open(desk.Options{Path: filepath.Join(dir, "desk.db"), Sites: &site.County{}, Records: nothing{},
		Losses: nothing{}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	file := filepath.Join(dir, "setup-link")
	if err := os.WriteFile(file, []byte("of another county"), 0o644); err != nil { //nolint:gosec // readable by all
		t.Fatal(err)
	}
	s, err := New(Config{Listen: "127.0.0.1:0", LinkFile: file, Terminal: terminal}, Parts{People: d.People}, "", log)
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]bool{}
	for range 2 { // starts
		if err := s.welcome(t.Context(), "http://127.0.0.1:8080"); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		info, err2 := os.Stat(file)
		if err != nil || err2 != nil || info.Mode() != 0o600 {
			t.Fatal(err, err2, info.Mode())
		}
		_, token, ok := strings.Cut(strings.TrimSpace(string(text)), "http://127.0.0.1:8080/setup#")
		if !ok || said.has(token) || !said.has(file) || !terminal.has(token) {
			t.Errorf("%q is in the log, or the place of the file is not, or it is not on the terminal", text)
		}
		links[token] = true
	}
	works := 0
	for token := range links {
		if _, err := d.People.Invited(t.Context(), token); err == nil {
			works++
			if err := d.People.SetUp(t.Context(), "", token, "wang", password); err != nil {
				t.Fatal(err)
			}
		}
	}
	if works != 1 || len(links) != 2 {
		t.Errorf("%d of %d links work", works, len(links))
	}
	if err := s.farewell(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Error("the file is still there")
	}
	if err := s.welcome(t.Context(), ""); err != nil {
		t.Errorf("the next start: %v", err)
	}
}
