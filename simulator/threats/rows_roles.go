package threats

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"gatehouse/gateway/county/people"
)

// roles are users who do more than they may.
func roles() []Row {
	return []Row{
		{
			ID: "T34", Name: "roles",
			Title:   "each role, a program of each role, and nobody ask for what the desk does",
			Control: "one table of acts, asked in one place", try: everyRole,
		},
		{
			ID: "T35", Name: "last-administrator", Title: "an administrator disables or degrades the last one",
			Control: "there is always one", try: lastAdministrator,
		},
		{
			ID: "T36", Name: "password-again", Title: "somebody sits down at a desk that was left open",
			Control: "acts that give access ask for the password again", try: passwordAgain,
		},
	}
}

// requests are requests of the desk, with their acts.
func requests() []struct {
	method, path string
	act          people.Act
} {
	return []struct {
		method, path string
		act          people.Act
	}{
		{http.MethodGet, "/api/session", people.ActSee}, {http.MethodGet, "/api/hours?for=1h", people.ActSee},
		{http.MethodGet, "/api/checks", people.ActSee}, {http.MethodGet, "/api/runs", people.ActSee},
		{http.MethodGet, "/api/gate?agent=gate-001", people.ActSee}, {http.MethodGet, "/api/alerts", people.ActSee},
		{
			http.MethodGet,
			"/api/passage",
			people.ActPassages,
		}, {http.MethodPost, "/api/acknowledge", people.ActRunAlerts},
		{http.MethodPost, "/api/answer", people.ActCalls}, {http.MethodPost, "/api/notice", people.ActNotices},
		{http.MethodGet, "/api/audit", people.ActAudit}, {http.MethodGet, "/api/losses", people.ActLosses},
		{http.MethodGet, "/api/quarantined?id=1", people.ActQuarantine},
		{http.MethodPost, "/api/quarantine", people.ActQuarantine},
		{http.MethodGet, "/api/retention", people.ActRetention}, {http.MethodGet, "/api/users", people.ActPeople},
		{http.MethodPost, "/api/invite", people.ActPeople}, {http.MethodPost, "/api/users/role", people.ActPeople},
		{
			http.MethodPost,
			"/api/users/reset",
			people.ActPeople,
		}, {http.MethodPost, "/api/users/disable", people.ActPeople},
		{http.MethodGet, "/api/users/sessions?name=li", people.ActPeople},
		{
			http.MethodPost,
			"/api/users/sessions/end",
			people.ActPeople,
		}, {http.MethodGet, "/api/tokens", people.ActTokens},
		{http.MethodPost, "/api/token", people.ActTokens}, {http.MethodPost, "/api/token/revoke", people.ActTokens},
		{http.MethodGet, "/api/enrol", people.ActEnrol}, {http.MethodPost, "/api/enrol/codes", people.ActEnrol},
		{http.MethodPost, "/api/enrol/decide", people.ActEnrol},
	}
}

func everyRole(ctx context.Context, c *county) (string, error) {
	asked, refused := 0, 0
	for i, role := range people.Roles() {
		b, err := c.user(ctx, "role-"+string(role), string(role), byte(130+i))
		if err != nil {
			return "", err
		}
		as := map[string][]string{"": nil}
		if role != people.Admin {
			token, err := c.token(ctx, "role-"+string(role), string(role))
			if err != nil {
				return "", err
			}
			as["a program of "] = []string{"Authorization", "Bearer " + token}
		}
		for who, header := range as {
			by := b
			if header != nil {
				by = c.browser(byte(130 + i))
			}
			for _, r := range requests() {
				a, err := by.ask(ctx, r.method, r.path, postBody(r.method), header...)
				if err != nil {
					return "", err
				}
				asked++
				kept := a.status == http.StatusForbidden || a.status == http.StatusUnauthorized
				again := a.status == http.StatusForbidden && asksAgain(r.path)
				if may := people.May(role, r.act); may == kept && (!may || !again) {
					return "", fmt.Errorf(
						"%s%s: %s %s is answered with %d: %.100s",
						who,
						role,
						r.method,
						r.path,
						a.status,
						a.body,
					)
				}
				if kept {
					refused++
				}
			}
		}
	}
	stranger := c.browser(140)
	for _, r := range requests() {
		if err := stranger.is(ctx, http.StatusUnauthorized, r.method, r.path, postBody(r.method)); err != nil {
			return "", err
		}
		asked++
		refused++
	}
	return fmt.Sprintf(
		"%d requests of 6 roles, their programs and nobody; %d refused, as the table says",
		asked,
		refused,
	), nil
}

// asksAgain reports whether a request asks for the password again, and is refused without.
func asksAgain(path string) bool {
	return path == "/api/invite" || path == "/api/users/role" || path == "/api/users/reset" || path == "/api/token"
}

func postBody(method string) string {
	if method == http.MethodPost {
		return `{"name":"nobody","id":""}`
	}
	return ""
}

func lastAdministrator(ctx context.Context, c *county) (string, error) {
	var list []struct {
		Name     string
		Role     people.Role
		Disabled string
	}
	if err := c.admin.get(ctx, "/api/users", &list); err != nil {
		return "", err
	}
	for _, u := range list {
		if u.Role != people.Admin || u.Name == "li" || u.Disabled != "" {
			continue
		}
		err := c.admin.post(ctx, "/api/users/disable", map[string]any{"name": u.Name, "disabled": true}, nil)
		if err != nil {
			return "", err
		}
	}
	for path, body := range map[string]map[string]any{
		"/api/users/disable": {"name": "li", "disabled": true, "password": password},
		"/api/users/role":    {"name": "li", "role": "viewer", "password": password},
	} {
		if err := c.admin.post(ctx, path, body, nil); err == nil {
			return "", fmt.Errorf("%s: the last administrator is gone", path)
		}
	}
	return "disabling and degrading both refused", c.admin.is(ctx, http.StatusOK, http.MethodGet, "/api/users", "")
}

func passwordAgain(ctx context.Context, c *county) (string, error) {
	acts := map[string]string{ //nolint:gosec // no password
		"/api/invite":        `"role":"admin"`,
		"/api/users/role":    `"name":"once","role":"admin"`,
		"/api/users/reset":   `"name":"once"`,
		"/api/users/disable": `"name":"once","disabled":false`,
		"/api/token":         `"name":"left","role":"duty","until":"2100-01-01T00:00:00Z"`,
	}
	for path, body := range acts {
		for _, guess := range []string{"", "wrong wrong wrong"} {
			a, err := c.admin.ask(ctx, http.MethodPost, path, fmt.Sprintf(`{%s,"password":%q}`, body, guess))
			if err != nil {
				return "", err
			}
			if a.status != http.StatusForbidden && a.status != http.StatusTooManyRequests {
				return "", fmt.Errorf("%s without the password: %d", path, a.status)
			}
		}
	}
	if len(acts) == 0 {
		return "", errors.New("no act asks for the password")
	}
	return fmt.Sprintf("%d acts, each refused without and with a wrong password", len(acts)), nil
}
