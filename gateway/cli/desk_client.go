package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/secret"
)

// deskPatience bounds one request to the desk.
const deskPatience = 15 * time.Second

// deskClient asks the desk of a running collector, as its pages do. Its methods may be called
// from any goroutine.
type deskClient struct {
	base  string // address, without a slash at its end
	name  string // by which the desk answers; empty: that of the address
	token string // of a program; empty: a user is logged in by a cookie
	http  *http.Client
}

// deskError is an answer of the desk that something can't be done.
type deskError struct {
	status     int // of HTTP
	code, text string
}

func (e deskError) Error() string { return cmp.Or(e.text, http.StatusText(e.status)) }

// newDeskClient returns a client of the desk of a configuration.
func newDeskClient(cfg pages.Config) (*deskClient, error) {
	base, name, client, err := deskAt(cfg)
	if err != nil {
		return nil, err
	}
	return clientOf(base, name, client), nil
}

// clientAt returns a client of the desk at an address.
func clientAt(address string) (*deskClient, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usageError{fmt.Errorf("--url %s: write it as https://desk.county.example", address)}
	}
	return clientOf(strings.TrimRight(address, "/"), "", &http.Client{}), nil
}

func clientOf(base, name string, client *http.Client) *deskClient {
	client.Jar, _ = cookiejar.New(nil) // never fails without options
	client.Timeout = deskPatience
	return &deskClient{base: base, name: name, http: client}
}

// withToken has the client show the token of a program, which is in a file.
func (d *deskClient) withToken(file string) (err error) {
	if d.token, err = secret.Line(file); err != nil {
		return fmt.Errorf("--token-file: %w", err)
	}
	return nil
}

// logIn logs a user in.
func (d *deskClient) logIn(ctx context.Context, name, password string) error {
	type credentials struct {
		Token    string `json:"token"`
		Name     string `json:"name"`
		Password string `json:"password"`
	}
	_, err := post[struct{}](ctx, d, "/api/login", credentials{Name: name, Password: password})
	if err != nil {
		return fmt.Errorf("log in at the desk as %s: %w", name, err)
	}
	return nil
}

// logOut ends the session, also when ctx has ended. It is not worth an error: sessions end by
// themselves.
func (d *deskClient) logOut(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deskPatience)
	defer cancel()
	_, _ = post[struct{}](ctx, d, "/api/logout", struct{}{})
}

// get returns what the desk answers for a path. The error wraps a deskError when it refuses.
func get[T any](ctx context.Context, d *deskClient, path string) (v T, err error) {
	return request[T](ctx, d, http.MethodGet, path, nil)
}

// post posts a body, and returns what get does.
func post[T, B any](ctx context.Context, d *deskClient, path string, body B) (v T, err error) {
	b, err := json.Marshal(body)
	if err != nil {
		return v, err
	}
	return request[T](ctx, d, http.MethodPost, path, b)
}

func request[T any](ctx context.Context, d *deskClient, method, path string, body []byte) (v T, err error) {
	r, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(body))
	if err != nil {
		return v, err
	}
	r.Host = d.name
	r.Header.Set("User-Agent", "gatehouse") // the desk lists it with the session
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if d.token != "" {
		r.Header.Set("Authorization", "Bearer "+d.token)
	}
	answer, err := d.http.Do(r)
	if err != nil {
		return v, fmt.Errorf("reach the desk; does the collector run (gatehouse ready)? %w", err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	switch {
	case err != nil:
		return v, fmt.Errorf("read the desk's answer: %w", err)
	case answer.StatusCode == http.StatusNoContent:
		return v, nil
	case answer.StatusCode != http.StatusOK:
		var problem struct{ Code, Text string }
		_ = json.Unmarshal(b, &problem) // a proxy answers otherwise
		return v, deskError{answer.StatusCode, problem.Code, cmp.Or(problem.Text, strings.TrimSpace(string(b)))}
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, errors.New("the address answers, and is no desk of gatehouse's: is it right?")
	}
	return v, nil
}
