package prove

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"strings"
	"time"

	"gatehouse/gateway/fact"
)

// deskPage reads the county's desk as a browser does: over HTTP, as a user. It is
// for one goroutine.
type deskPage struct {
	base   string   // http://host:port
	invite []string // command that prints a link for a new user
	client http.Client
}

// deskAlert is the part of a row of /api/alerts that a proof looks at.
type deskAlert struct {
	Agent  string         `json:"agent"`
	Type   fact.AlarmType `json:"type"`
	Detail string         `json:"detail"`
	At     time.Time      `json:"at"` // when the agent raised it
}

// errSession says that the desk does not know the page's session.
var errSession = errors.New("the desk wants a login")

func newDeskPage(address, program, dir string) (*deskPage, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	base := "http://" + address
	return &deskPage{
		base:   base,
		invite: []string{program, "invite", "--dir", dir, "--url", base},
		client: http.Client{Jar: jar, Timeout: 5 * time.Second},
	}, nil
}

// signUp makes a user, or gives the user another password, and logs in.
func (d *deskPage) signUp(ctx context.Context) error {
	link, err := exec.CommandContext(ctx, d.invite[0], d.invite[1:]...).Output()
	if err != nil {
		return fmt.Errorf("get an invitation to the desk: %w", err)
	}
	_, token, _ := strings.Cut(strings.TrimSpace(string(link)), "#")
	user := map[string]string{"token": token, "name": "proof", "password": "looks at the desk"}
	if err := d.post(ctx, "/api/setup", user); err != nil {
		return err
	}
	user["token"] = ""
	return d.post(ctx, "/api/login", user)
}

// alerts returns the alerts that the desk lists, the newest first. It signs up
// when the desk does not know the page yet or any more.
func (d *deskPage) alerts(ctx context.Context) ([]deskAlert, error) {
	all, err := d.listed(ctx)
	if !errors.Is(err, errSession) {
		return all, err
	}
	if err := d.signUp(ctx); err != nil {
		return nil, err
	}
	return d.listed(ctx)
}

func (d *deskPage) listed(ctx context.Context) (all []deskAlert, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+"/api/alerts", nil)
	if err != nil {
		return nil, err
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read the desk: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return nil, errSession
	default:
		return nil, fmt.Errorf("read the desk: %s", resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		return nil, fmt.Errorf("read the desk: %w", err)
	}
	return all, nil
}

// ready reports whether /readyz says ready or not, with a problem that contains text.
func (d *deskPage) ready(ctx context.Context, ready bool, text string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return err == nil && (resp.StatusCode == http.StatusOK) == ready && bytes.Contains(b, []byte(text))
}

func (d *deskPage) post(ctx context.Context, path string, body map[string]string) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.client.Do(req)
	if err != nil {
		return fmt.Errorf("post to the desk: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("post to the desk: %s: %s", path, resp.Status)
	}
	return nil
}
