// Package clerk plays somebody at the county's desk: logs in, reads the alerts, and answers
// the calls of guards, over HTTP as the desk's page does.
package clerk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/calls"
	"gatehouse/gateway/county/command"
	"gatehouse/gateway/county/pages"
	"gatehouse/simulator/page"
)

// password is what every clerk takes.
const password = "looks at the desk"

// Invite returns a link with which one may become a user of the desk at base.
type Invite func(ctx context.Context, base string) (link string, err error)

// ByCommand returns an Invite of the desk whose files are in dir, by gatehouse invite;
// program is the path of gatehouse.
func ByCommand(program, dir string) Invite {
	return func(ctx context.Context, base string) (string, error) {
		out, err := exec.CommandContext(ctx, program, "invite", "--dir", dir, "--url", base).Output()
		if err != nil {
			return "", fmt.Errorf("get an invitation to the desk: %w", err)
		}
		return strings.TrimSpace(string(out)), nil
	}
}

// Clerk is a user of the desk. The methods may be called from any goroutine.
type Clerk struct {
	page   *page.Page
	name   string
	invite Invite
	login  sync.Mutex // held while somebody logs in
}

// New returns somebody who works with a name at the desk at base, http://host:port.
// They become a user when the desk does not know them.
func New(base, name string, invite Invite) *Clerk {
	return &Clerk{page: page.New(base), name: name, invite: invite}
}

// Alerts returns the last alerts of the desk, the newest first.
func (c *Clerk) Alerts(ctx context.Context) (list []alerts.Alert, err error) {
	err = c.as(ctx, func() error {
		list, err = page.Get[[]alerts.Alert](ctx, c.page, "/api/alerts")
		return err
	})
	return list, err
}

// Answer answers the call that an alert is.
func (c *Clerk) Answer(ctx context.Context, id int64, a calls.Answer) error {
	type answer struct {
		calls.Answer

		ID int64 `json:"id"`
	}
	return c.as(ctx, func() error { return page.Post(ctx, c.page, "/api/answer", answer{a, id}) })
}

// Command has a gate do something that asks for no password.
func (c *Clerk) Command(ctx context.Context, r command.Request) error {
	return c.as(ctx, func() error {
		_, err := page.Ask[pages.Commanded](ctx, c.page, "/api/command", r)
		return err
	})
}

// Commands returns the last commands of a gate, the newest first.
func (c *Clerk) Commands(ctx context.Context, agent string) (list []command.Row, err error) {
	err = c.as(ctx, func() error {
		list, err = page.Get[[]command.Row](ctx, c.page, "/api/commands?agent="+agent)
		return err
	})
	return list, err
}

// Ready returns whether /readyz says ready, and what it says.
func (c *Clerk) Ready(ctx context.Context) (ready bool, text string, err error) {
	text, err = c.page.Text(ctx, "/readyz")
	if _, answered := errors.AsType[page.StatusError](err); answered {
		return false, text, nil
	}
	return err == nil, text, err
}

// Passages returns how many passages of a gate the desk shows.
func (c *Clerk) Passages(ctx context.Context, gate string) (n int, err error) {
	type shown struct {
		Passages []json.RawMessage `json:"passages"`
	}
	err = c.as(ctx, func() error {
		g, err := page.Get[shown](ctx, c.page, "/api/gate?agent="+url.QueryEscape(gate))
		n = len(g.Passages)
		return err
	})
	return n, err
}

// as does something as a user, who logs in first when the desk asks for it.
func (c *Clerk) as(ctx context.Context, do func() error) error {
	err := do()
	status, _ := errors.AsType[page.StatusError](err)
	if status.Code != http.StatusUnauthorized {
		return err
	}
	c.login.Lock()
	defer c.login.Unlock()
	if err = do(); err == nil { // another goroutine has logged in
		return nil
	}
	if err := c.SignUp(ctx); err != nil {
		return err
	}
	return do()
}

// SignUp logs in, and becomes a user before, when the desk does not know the clerk yet.
func (c *Clerk) SignUp(ctx context.Context) error {
	user := map[string]string{"token": "", "name": c.name, "password": password}
	err := page.Post(ctx, c.page, "/api/login", user)
	if status, _ := errors.AsType[page.StatusError](err); status.Code != http.StatusForbidden {
		return err
	}
	link, err := c.invite(ctx, c.page.Base())
	if err != nil {
		return err
	}
	_, token, _ := strings.Cut(link, "#")
	user["token"] = token
	if err := page.Post(ctx, c.page, "/api/setup", user); err != nil {
		return err
	}
	user["token"] = ""
	return page.Post(ctx, c.page, "/api/login", user)
}
