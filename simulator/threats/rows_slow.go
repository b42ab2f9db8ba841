package threats

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/retry"
)

func hugeRequests(ctx context.Context, c *county) (string, error) {
	before, err := memory(c.collector.PID())
	if err != nil {
		return "", err
	}
	n := 0
	body := `{"name":"` + strings.Repeat("x", 4<<20) + `"}`
	for what, b := range c.servers() {
		for _, path := range []string{"/api/login", "/api/setup", "/enrol/request", "/enrol/renew", "/press"} {
			a, err := b.ask(ctx, http.MethodPost, path, body)
			if err == nil && a.status < http.StatusBadRequest {
				return "", fmt.Errorf("%s takes 4 MiB at %s: %d", what, path, a.status)
			}
			n++
		}
		a, err := b.ask(ctx, http.MethodGet, "/", "", "X-Long", strings.Repeat("x", 2<<20))
		if err == nil && a.status < http.StatusBadRequest {
			return "", fmt.Errorf("%s takes a header of 2 MiB: %d", what, a.status)
		}
		n++
	}
	after, err := memory(c.collector.PID())
	if err != nil {
		return "", err
	}
	if after > before+100<<20 {
		return "", fmt.Errorf("the collector needs %d MiB, before %d", after>>20, before>>20)
	}
	return fmt.Sprintf("%d requests, all refused; memory %d MiB, before %d", n, after>>20, before>>20), nil
}

func slowRequests(ctx context.Context, c *county) (string, error) {
	const each = 200
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	var slow sync.WaitGroup
	var mu sync.Mutex
	open, longest := 0, time.Duration(0)
	begin := time.Now()
	for _, b := range c.servers() {
		at, secure := strings.TrimPrefix(b.url, "http://"), false
		if rest, is := strings.CutPrefix(b.url, "https://"); is {
			at, secure = rest, true
		}
		for range each {
			slow.Go(func() {
				if !drips(ctx, at, secure) {
					mu.Lock()
					open++
					mu.Unlock()
				}
				mu.Lock()
				longest = max(longest, time.Since(begin))
				mu.Unlock()
			})
		}
	}
	took, err := c.delivers(ctx, c.gates[0])
	if err == nil {
		err = c.admin.is(ctx, http.StatusOK, http.MethodGet, "/api/session", "")
	}
	slow.Wait()
	switch {
	case err != nil:
		return "", fmt.Errorf("while slow requests are open: %w", err)
	case open > 0:
		return "", fmt.Errorf("%d of them are still open after %s", open, ms(longest))
	}
	return fmt.Sprintf(
		"%d, the last one closed after %.0f s; meanwhile a passage was stored in %s, and the desk answered",
		each*(1+len(c.gates)),
		longest.Seconds(),
		ms(took),
	), nil
}

// drips sends a request's body a byte a second, and reports whether the server ends it
// before ctx does.
func drips(ctx context.Context, at string, secure bool) bool {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at)
	if err != nil {
		return ctx.Err() == nil
	}
	defer conn.Close()
	if secure {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the desk is ours
	}
	text := "POST /api/login HTTP/1.1\r\nHost: " + at +
		"\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
	if _, err := conn.Write([]byte(text)); err != nil {
		return true
	}
	ended := make(chan struct{})
	var reading sync.WaitGroup
	defer reading.Wait()
	defer conn.Close()
	reading.Go(func() {
		defer close(ended)
		for b := make([]byte, 512); ; {
			if _, err := conn.Read(b); err != nil {
				return
			}
		}
	})
	for retry.Sleep(ctx, time.Second) {
		select {
		case <-ended:
			return true
		default:
		}
		if _, err := conn.Write([]byte(" ")); err != nil {
			return !errors.Is(err, context.DeadlineExceeded)
		}
	}
	return false
}
