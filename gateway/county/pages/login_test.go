package pages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/people"
)

// guess tries to log in n times at once and returns how many answers had each status.
func (b *bench) guess(n int, name func(int) string) map[int]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	got := map[int]int{}
	for i := range n {
		all.Go(func() {
			body := fmt.Sprintf(`{"token":"","name":%q,"password":"guess guess"}`, name(i))
			status, _, header := b.ask("POST", "/api/login", body)
			mu.Lock()
			defer mu.Unlock()
			got[status]++
			if status != 403 && header.Get("Retry-After") == "" {
				b.t.Errorf("%d without a word when to try again", status)
			}
		})
	}
	all.Wait()
	return got
}

func TestTwoHundredGuessesAtOnceAreNoMoreThanInARow(t *testing.T) {
	b := start(t)
	begun := time.Now()
	got := b.guess(200, func(int) string { return "wang" })
	if got[403] > 5 || got[403]+got[429]+got[503] != 200 {
		t.Errorf("of one name: %v", got)
	}
	got = b.guess(200, func(i int) string { return fmt.Sprint("li", i) })
	if got[403] > 20 || got[403]+got[429]+got[503] != 200 {
		t.Errorf("of many names: %v", got)
	}
	t.Logf("400 guesses took %s", time.Since(begun))
}

// newJar returns the cookies of another browser.
func newJar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

// page opens a page of a new session and returns when its socket is fed.
func (b *bench) page() (*http.Client, *websocket.Conn) {
	b.t.Helper()
	of := &bench{b.t, b.s, b.desk, &http.Client{Jar: newJar(b.t)}, b.path, b.said}
	of.login()
	c, _, err := websocket.Dial(b.t.Context(), b.s.URL+"/live", &websocket.DialOptions{HTTPClient: of.c})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.CloseNow() })
	if !fed(b.t, c, 5*time.Second) {
		b.t.Fatal("the socket ends at once")
	}
	return of.c, c
}

// fed reports whether a socket is still open after d.
func fed(t *testing.T, c *websocket.Conn, d time.Duration) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	for first := true; ; first = false {
		_, _, err := c.Read(ctx)
		switch {
		case err == nil && first && d == 5*time.Second:
			return true
		case errors.Is(err, context.DeadlineExceeded):
			return true
		case err != nil:
			return false
		}
	}
}

func TestASocketEndsWithItsSession(t *testing.T) {
	b := start(t)
	file, err := desk.OpenFile(b.path) // as another process
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sql := func(text string) func() {
		return func() {
			if _, err := file.Writer().ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
	}
	var mine *http.Client
	for _, c := range []struct {
		name   string
		end    func()
		within time.Duration
	}{
		{"logged out", func() {
			(&bench{t, b.s, b.desk, mine, "", nil}).ask("POST", "/api/logout", "{}")
		}, time.Second},
		{"a new password", func() {
			token, err := b.desk.People.Reset(t.Context(), people.Operator(), "wang")
			if err == nil {
				err = b.desk.People.SetUp(t.Context(), "", token, "wang", password)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, time.Second},
		{"its time is over", sql("UPDATE sessions SET expires = 1"), 4 * time.Second},
		{"ended by another process", sql("DELETE FROM sessions"), 4 * time.Second},
		{"its user has gone", sql("DELETE FROM users"), 4 * time.Second},
	} {
		of, socket := b.page()
		mine = of
		c.end()
		if fed(t, socket, c.within) {
			t.Errorf("%s: it is still fed after %s", c.name, c.within)
		}
	}
}

func TestAnotherSessionsSocketStays(t *testing.T) {
	b := start(t)
	other, _ := b.page()
	_, socket := b.page()
	(&bench{t, b.s, b.desk, other, "", nil}).ask("POST", "/api/logout", "{}")
	if !fed(t, socket, 3*time.Second) {
		t.Error("a colleague's socket ended")
	}
}
