package page

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/setup"
)

// bench is a page whose deeds a test decides.
type bench struct {
	t     *testing.T
	p     *Page
	url   string
	links chan string
	ended chan error

	mu    sync.Mutex
	now   time.Time
	write error
	wrote []setup.Answers
}

func start(t *testing.T, begin func(context.Context) error, link func() (string, error)) *bench {
	t.Helper()
	b := &bench{t: t, links: make(chan string, 9), ended: make(chan error, 1),
		now: time.Date(2020, 2, 14, 4, 0, 0, 0, time.UTC)}
	b.p = New(Options{Scratch: t.TempDir(), LinkFor: 15 * time.Minute, Log: slog.New(slog.DiscardHandler),
		Place: setup.Place{Dir: t.TempDir(), Data: t.TempDir()},
		Now: func() time.Time {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.now
		},
		Deeds: Deeds{Start: begin, Link: link, Trust: func() string { return "" },
			Look: func(context.Context, setup.Answers) []Fault { return nil },
			Try:  func(context.Context, setup.Answers) error { return errors.New("no InfluxDB is there") },
			Plan: func(a setup.Answers) ([]setup.File, error) {
				return setup.Plan(a, setup.Place{}, time.Now(), setup.Reader{Open: os.ReadFile, Secret: os.ReadFile})
			},
			Write: func(_ context.Context, a setup.Answers) ([]setup.Written, error) {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.wrote = append(b.wrote, a)
				return []setup.Written{{Path: "collect.yaml", Done: "new"}}, b.write
			},
			Say: func(link string) error { b.links <- link; return nil }}})
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.url = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _, err := b.p.Serve(ctx, l)
		b.ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-b.ended:
		case <-time.After(20 * time.Second):
			t.Error("it does not end")
		}
	})
	return b
}

// do asks the page, with a cookie and further headers.
func (b *bench) do(method, path, cookie, body string, headers ...string) (status int, answer string, set string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	set, _, _ = strings.Cut(res.Header.Get("Set-Cookie"), ";")
	c := res.Header.Get("Set-Cookie")
	if c != "" && (!strings.Contains(c, "HttpOnly") || !strings.Contains(c, "Strict")) {
		b.t.Errorf("the cookie %q can be read or sent by others", c)
	}
	return res.StatusCode, string(text), set
}

// token returns the secret of the next link.
func (b *bench) token() string {
	b.t.Helper()
	select {
	case link := <-b.links:
		_, token, _ := strings.Cut(link, "#")
		return token
	case <-time.After(20 * time.Second):
		b.t.Fatal("no link is said")
		return ""
	}
}

func (b *bench) open(token string) (status int, answer, cookie string) {
	b.t.Helper()
	return b.do(http.MethodPost, "/api/open", "", `{"token":"`+token+`"}`)
}

func (b *bench) later(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *bench) view(cookie string) (v view) {
	b.t.Helper()
	status, text, _ := b.do(http.MethodGet, "/api/state", cookie, "")
	if err := json.Unmarshal([]byte(text), &v); err != nil || status != http.StatusOK {
		b.t.Fatalf("the state: %d %s %v", status, text, err)
	}
	return v
}

func TestALinkLetsOneBrowserIn(t *testing.T) {
	b := start(t, nil, nil)
	token := b.token()
	if status, _, _ := b.do(http.MethodGet, "/api/state", "", ""); status != http.StatusUnauthorized {
		t.Errorf("without a link: %d", status)
	}
	status, said, _ := b.open(token[:len(token)-1] + "0")
	if status != http.StatusForbidden || !strings.Contains(said, "wrong") {
		t.Errorf("a wrong link: %d %s", status, said)
	}
	status, _, cookie := b.open(token)
	if status != http.StatusNoContent || cookie == "" {
		t.Fatalf("the link: %d", status)
	}
	if b.view(cookie).Phase != Asking {
		t.Error("the browser is not let in")
	}
	if status, said, _ := b.open(token); status != http.StatusForbidden || !strings.Contains(said, "used") {
		t.Errorf("the link again: %d %s", status, said)
	}
	if status, _, _ := b.do(http.MethodGet, "/api/state", cookie+"x", ""); status != http.StatusUnauthorized {
		t.Errorf("another cookie: %d", status)
	}
	for _, c := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"a page of another site", []string{"Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"another name", []string{"Host", "evil.example"}, 421},
		{"a form", []string{"Content-Type", "text/plain"}, 415},
	} {
		status, _, _ := b.do(http.MethodPost, "/api/answers", cookie, `{"county":"x"}`, c.headers...)
		if status != c.want {
			t.Errorf("%s: %d, want %d", c.name, status, c.want)
		}
	}
	b.later(2 * time.Hour) // nobody has used the page for so long
	if second := b.token(); second == token {
		t.Error("the same link again")
	} else if status, said, _ := b.open(token); status != http.StatusForbidden || !strings.Contains(said, "late") {
		t.Errorf("the link of before: %d %s", status, said)
	} else if status, _, _ := b.do(http.MethodGet, "/api/state", cookie, ""); status != http.StatusUnauthorized {
		t.Errorf("the browser of before: %d", status)
	} else if status, _, _ := b.open(second); status != http.StatusNoContent {
		t.Errorf("the new link: %d", status)
	}
}

func TestALinkThatNobodyOpensEnds(t *testing.T) {
	b := start(t, nil, nil)
	token := b.token()
	b.later(15 * time.Minute)
	if status, said, _ := b.open(token); status != http.StatusForbidden || !strings.Contains(said, "late") {
		t.Errorf("%d %s", status, said)
	}
	b.token()
}

func TestLinksAreNotGuessed(t *testing.T) {
	b := start(t, nil, nil)
	token := b.token()
	for range wrongLinks {
		b.open("guess")
	}
	if status, _, _ := b.open(token); status != http.StatusTooManyRequests {
		t.Errorf("after %d wrong links: %d", wrongLinks, status)
	}
	b.later(2 * wrongFor)
	if status, _, _ := b.open(token); status != http.StatusNoContent {
		t.Errorf("later: %d", status)
	}
}
