package threats

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// logins are who guesses, steals or keeps a way into the desk.
func logins() []Row {
	return []Row{
		{
			ID: "T26", Name: "session-fixation", Title: "a user logs in with a cookie that somebody else has set",
			Control: "each log-in makes a new session; only hashes are kept", try: fixation,
		},
		{
			ID: "T27", Name: "log-out-ends-pages", Title: "a page stays open after its user has logged out",
			Control: "a live connection lasts as long as its session",
			try: func(ctx context.Context, c *county) (string, error) {
				return c.endsPage(ctx, "zhou", 31, func(b *browser) error {
					return b.is(ctx, http.StatusNoContent, http.MethodPost, "/api/logout", "{}")
				})
			},
		},
		{
			ID: "T28", Name: "disabled-user", Title: "somebody who has left keeps a page open and a password",
			Control: "a user who is disabled loses sessions, pages and invitations",
			try: func(ctx context.Context, c *county) (string, error) {
				said, err := c.endsPage(ctx, "wu", 32, func(*browser) error {
					return c.admin.post(
						ctx,
						"/api/users/disable",
						map[string]any{"name": "wu", "disabled": true},
						nil,
					)
				})
				if err == nil && c.browser(32).logIn(ctx, "wu") == nil {
					err = errors.New("a disabled user logs in")
				}
				return said, err
			},
		},
		{
			ID: "T29", Name: "set-up-link", Title: "the link of the first user is read in the log, or used again",
			Control: "one use, kept by its hash, in a file 0600, never in the log", try: setUpTwice,
		},
		{
			ID: "T30", Name: "parallel-guessing", Title: "150 passwords of one user are guessed at the same time",
			Control: "an attempt counts before its password is checked; two hashes at once", try: guessAtOnce,
		},
		{
			ID: "T31", Name: "lock-out-as-weapon",
			Title:   "somebody guesses for a user, so that the user has to wait",
			Control: "known browsers wait for their own guesses only", try: lockOut,
		},
		{
			ID: "T32", Name: "user-names", Title: "answers and times of the log-in tell which users there are",
			Control: "the same answer, and as much work, for unknown names", try: enumerate,
		},
		{
			ID: "T33", Name: "tokens",
			Title:   "a token of a program is used after its end, for an account, or as administrator",
			Control: "tokens have a role, an end and no account", try: tokensEnd,
		},
	}
}

func fixation(ctx context.Context, c *county) (string, error) {
	b := c.browser(33)
	if err := b.logIn(ctx, "li"); err != nil {
		return "", err
	}
	u, err := url.Parse(c.url)
	if err != nil {
		return "", err
	}
	cookies := b.jar.Cookies(u)
	set := c.browser(33)
	var planted []*http.Cookie
	for _, k := range cookies {
		planted = append(
			planted,
			//nolint:gosec // a browser sends it, it is not set
			&http.Cookie{Name: k.Name, Value: strings.Repeat("A", len(k.Value)), Path: "/", Secure: true},
		)
	}
	set.jar.SetCookies(u, planted)
	if err := set.is(ctx, http.StatusUnauthorized, http.MethodGet, "/api/session", ""); err != nil {
		return "", err
	}
	if err := set.logIn(ctx, "li"); err != nil {
		return "", err
	}
	for _, k := range set.jar.Cookies(u) {
		if slices.ContainsFunc(
			planted,
			func(p *http.Cookie) bool { return p.Name == k.Name && p.Value == k.Value },
		) &&
			strings.Contains(k.Name, "session") {
			return "", errors.New("a session goes on under the cookie that was set before")
		}
	}
	b.jar.SetCookies(u, planted)
	if err := b.is(ctx, http.StatusUnauthorized, http.MethodGet, "/api/session", ""); err != nil {
		return "", err
	}
	for _, k := range cookies {
		if n, err := occurrences(c.path("county"), k.Value); err != nil || n > 0 {
			return "", errors.Join(err, fmt.Errorf("a session's cookie stands in %d files of the county", n))
		}
	}
	return fmt.Sprintf("a planted cookie is void; of %d values none is in the county's files", len(cookies)), nil
}

// endsPage opens a page of a user with a session, ends that, and returns after how long the
// page was closed.
func (c *county) endsPage(ctx context.Context, name string, n byte, end func(*browser) error) (string, error) {
	b, err := c.user(ctx, name, "duty", n)
	if err != nil {
		return "", err
	}
	ws, err := b.socket(ctx, "")
	if err != nil {
		return "", err
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(4 << 20)
	if _, _, err := ws.Read(ctx); err != nil {
		return "", err
	}
	begin := time.Now()
	if err := end(b); err != nil {
		return "", err
	}
	within, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for err == nil {
		_, _, err = ws.Read(within)
	}
	took := time.Since(begin)
	if within.Err() != nil || took > 5*time.Second {
		return "", fmt.Errorf("the page is open %s after that", ms(took))
	}
	return fmt.Sprintf(
			"closed after %s",
			ms(took),
		), b.is(
			ctx,
			http.StatusUnauthorized,
			http.MethodGet,
			"/api/session",
			"",
		)
}

func setUpTwice(ctx context.Context, c *county) (string, error) {
	said, err := c.run(ctx, "invite", "--dir", c.path("county"), "--url", c.url, "--role", "viewer")
	if err != nil {
		return "", err
	}
	token := setupLink.FindStringSubmatch(said)[1]
	b := c.browser(34)
	if err := c.join(ctx, b, token, "once"); err != nil {
		return "", err
	}
	err = b.is(ctx, http.StatusForbidden, http.MethodPost, "/api/setup",
		fmt.Sprintf(`{"token":%q,"name":"twice","password":%q}`, token, password))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(c.path("county", "setup-link")); err == nil {
		return "", errors.New("the file with the first link is still there")
	}
	for _, p := range c.programs() {
		if strings.Contains(p.Printed(), "/setup#") {
			return "", fmt.Errorf("the log of %s holds a link", p.Name)
		}
	}
	n, err := occurrences(c.path("county"), token)
	if err != nil || n > 0 {
		return "", errors.Join(err, fmt.Errorf("the link's token stands in %d files", n))
	}
	return "the second use is 403; no log and no file holds a link", nil
}

func guessAtOnce(ctx context.Context, c *county) (string, error) {
	if _, err := c.user(ctx, "sun", "viewer", 35); err != nil {
		return "", err
	}
	const guesses = 150
	b := c.browser(36)
	counts := map[int]int{}
	var mu sync.Mutex
	var guessing sync.WaitGroup
	begin := time.Now()
	for i := range guesses {
		guessing.Go(func() {
			a, err := b.ask(
				ctx,
				http.MethodPost,
				"/api/login",
				fmt.Sprintf(`{"name":"sun","password":"wrong %d"}`, i),
			)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			counts[a.status]++
		})
	}
	var longest time.Duration
	for range 10 {
		asked := time.Now()
		if err := c.admin.is(ctx, http.StatusOK, http.MethodGet, "/api/session", ""); err != nil {
			return "", err
		}
		longest = max(longest, time.Since(asked))
	}
	guessing.Wait()
	took := time.Since(begin)
	checked := counts[http.StatusForbidden]
	if checked > 5 || counts[http.StatusNoContent] > 0 || longest > 5*time.Second {
		return "", fmt.Errorf("%v; the desk answered others after %s", counts, ms(longest))
	}
	return fmt.Sprintf(
		"%d of %d passwords were checked, in %s; the desk answered others within %s",
		checked,
		guesses,
		ms(took),
		ms(longest),
	), nil
}

func lockOut(ctx context.Context, c *county) (string, error) {
	known, err := c.user(ctx, "qian", "viewer", 37)
	if err != nil {
		return "", err
	}
	weapon := c.browser(37) // behind the same router
	limited := 0
	for i := range 30 {
		a, err := weapon.ask(
			ctx,
			http.MethodPost,
			"/api/login",
			fmt.Sprintf(`{"name":"qian","password":"wrong %d"}`, i),
		)
		if err != nil {
			return "", err
		}
		if a.status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < 20 {
		return "", fmt.Errorf("of 30 guesses only %d had to wait", limited)
	}
	if err := known.is(ctx, http.StatusNoContent, http.MethodPost, "/api/logout", "{}"); err != nil {
		return "", err
	}
	if err := known.logIn(ctx, "qian"); err != nil {
		return "", fmt.Errorf("the user is locked out: %w", err)
	}
	return fmt.Sprintf(
		"%d of 30 guesses had to wait; the user's browser at the same address logs in at once",
		limited,
	), nil
}
