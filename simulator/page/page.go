// Package page does what a page of gatehouse does in a browser: it asks and posts over HTTP,
// with cookies, and listens on the WebSocket to what the page shows.
package page

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/live"
)

const (
	patience   = 10 * time.Second // for an answer
	longestMsg = 4 << 20          // bytes: of a whole county's state
)

// StatusError is the error of a request that is not answered with success.
type StatusError struct {
	Code int    // of HTTP
	Text string // of the answer, its beginning
}

func (e StatusError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Code, http.StatusText(e.Code), e.Text)
}

// Page is a page of one server. Its methods may be called from any goroutine.
type Page struct {
	base   string
	client http.Client
}

// New returns a page of the server at base, http://host:port.
func New(base string) *Page {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &Page{base: base, client: http.Client{Jar: jar, Timeout: patience}}
}

// Base returns the server's address, http://host:port.
func (p *Page) Base() string { return p.base }

// do sends a request and returns the body of an answer with the status want.
func (p *Page) do(ctx context.Context, method, path string, body []byte, want int) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("reach %s: %w", p.base, err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("reach %s: %w", p.base, err)
	}
	if answer.StatusCode != want {
		return b, StatusError{answer.StatusCode, strings.TrimSpace(string(b[:min(len(b), 1<<10)]))}
	}
	return b, nil
}

// Post posts a body as JSON. The error of an answer that is not 204 is a StatusError.
func Post[B any](ctx context.Context, p *Page, path string, body B) error {
	b, err := json.Marshal(body)
	if err == nil {
		_, err = p.do(ctx, http.MethodPost, path, b, http.StatusNoContent)
	}
	if err != nil {
		return fmt.Errorf("post to %s: %w", path, err)
	}
	return nil
}

// Ask posts a body as JSON and returns what is answered as JSON. The error of an answer that
// is not 200 is a StatusError.
func Ask[T, B any](ctx context.Context, p *Page, path string, body B) (v T, err error) {
	b, err := json.Marshal(body)
	if err != nil {
		return v, fmt.Errorf("post to %s: %w", path, err)
	}
	return AskText[T](ctx, p, path, b)
}

// AskText posts a body as it is, and returns what Ask does.
func AskText[T any](ctx context.Context, p *Page, path string, body []byte) (v T, err error) {
	b, err := p.do(ctx, http.MethodPost, path, body, http.StatusOK)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		return v, fmt.Errorf("post to %s: %w", path, err)
	}
	return v, nil
}

// Get returns what a path answers as JSON. The error of an answer that is not 200 is a
// StatusError.
func Get[T any](ctx context.Context, p *Page, path string) (v T, err error) {
	b, err := p.do(ctx, http.MethodGet, path, nil, http.StatusOK)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		return v, fmt.Errorf("read %s: %w", path, err)
	}
	return v, nil
}

// Text returns what a path answers, with the error of Get.
func (p *Page) Text(ctx context.Context, path string) (string, error) {
	b, err := p.do(ctx, http.MethodGet, path, nil, http.StatusOK)
	return string(b), err
}

// Listen gives take each key of the page's state that is new or has changed, until the
// connection or ctx ends, or take fails.
func (p *Page) Listen(ctx context.Context, take func(key string, value json.RawMessage) error) error {
	opts := &websocket.DialOptions{HTTPClient: &p.client}
	c, _, err := websocket.Dial(ctx, p.base+"/live", opts) //nolint:bodyclose // c has the body
	if err != nil {
		return fmt.Errorf("listen to %s: %w", p.base, err)
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(longestMsg)
	for {
		_, b, err := c.Read(ctx)
		if err != nil {
			return fmt.Errorf("listen to %s: %w", p.base, err)
		}
		var f live.Frame
		if err := json.Unmarshal(b, &f); err != nil {
			return fmt.Errorf("read what %s shows: %w", p.base, err)
		}
		for _, state := range []map[string]json.RawMessage{f.All, f.Set} {
			for key, value := range state {
				if err := take(key, value); err != nil {
					return fmt.Errorf("read %s of %s: %w", key, p.base, err)
				}
			}
		}
	}
}
