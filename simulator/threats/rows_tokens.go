package threats

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

func tokensEnd(ctx context.Context, c *county) (string, error) {
	if said, err := c.run(ctx, "token", "add", "root", "--role", "admin", "--dir", c.path("county")); err == nil {
		return "", fmt.Errorf("a program is made administrator: %s", said)
	}
	token, err := c.token(ctx, "scrape", "viewer")
	if err != nil {
		return "", err
	}
	b := c.browser(39)
	bearer := []string{"Authorization", "Bearer " + token}
	if err := b.is(ctx, http.StatusOK, http.MethodGet, "/api/hours?for=1h", "", bearer...); err != nil {
		return "", err
	}
	refused := map[string]int{"/api/users": http.StatusForbidden, "/api/audit": http.StatusForbidden,
		"/api/account": http.StatusForbidden, "/api/losses": http.StatusForbidden, "/api/enrol": http.StatusForbidden}
	for path, want := range refused {
		a, err := b.ask(ctx, http.MethodGet, path, "", bearer...)
		if err != nil || a.status != want && a.status != http.StatusNotFound {
			return "", errors.Join(err, fmt.Errorf("a viewer's token asks for %s: %d", path, a.status))
		}
	}
	if _, err := c.run(ctx, "token", "revoke", "scrape", "--dir", c.path("county")); err != nil {
		return "", err
	}
	if err := b.is(ctx, http.StatusUnauthorized, http.MethodGet, "/api/hours?for=1h", "", bearer...); err != nil {
		return "", err
	}
	n, err := occurrences(c.path("county"), token)
	if err != nil || n > 0 {
		return "", errors.Join(err, fmt.Errorf("the token stands in %d files", n))
	}
	return fmt.Sprintf(
		"%d requests beyond its role refused, all after it was revoked; no file holds it",
		len(refused),
	), nil
}

// token makes a token of a program.
func (c *county) token(ctx context.Context, name, role string) (string, error) {
	said, err := c.run(ctx, "token", "add", name, "--role", role, "--dir", c.path("county"))
	return strings.TrimSpace(said), err
}

func enumerate(ctx context.Context, c *county) (string, error) {
	if _, err := c.user(ctx, "zheng", "viewer", 38); err != nil {
		return "", err
	}
	var times [2]time.Duration
	var texts [2]string
	for i := range 6 { // each from another address, so that none has to wait
		for j, name := range []string{"zheng", fmt.Sprint("nobody", i)} {
			begin := time.Now()
			a, err := c.browser(byte(100+2*i+j)).ask(ctx, http.MethodPost, "/api/login",
				fmt.Sprintf(`{"name":%q,"password":"wrong wrong %d"}`, name, i))
			if err != nil {
				return "", err
			}
			texts[j] = fmt.Sprint(a.status, " ", a.body)
			if took := time.Since(begin); i == 0 || took < times[j] {
				times[j] = took // the least: others load the computer
			}
		}
	}
	ratio := float64(times[0]) / float64(times[1])
	if texts[0] != texts[1] || ratio > 3 || ratio < 1/3.0 {
		return "", fmt.Errorf("known: %s in %s, unknown: %s in %s", texts[0], ms(times[0]), texts[1], ms(times[1]))
	}
	return fmt.Sprintf("the same answer; known %s, unknown %s (ratio %.2f)", ms(times[0]), ms(times[1]), ratio), nil
}
