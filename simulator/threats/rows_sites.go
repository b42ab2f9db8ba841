package threats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// sites are what other pages and hosts do with the desk and the guard's screen.
func sites() []Row {
	return []Row{
		{
			ID: "T18", Name: "dns-rebinding",
			Title:   "a page of another name that points at the desk or a guard's screen",
			Control: "a request must name the server by one of its names", try: rebind,
		},
		{
			ID: "T19", Name: "websocket-origin", Title: "a page of another site opens the live connection",
			Control: "a WebSocket must come from a page of the site", try: foreignSocket,
		},
		{
			ID: "T20", Name: "cross-site-request", Title: "a page of another site makes the browser of a user post",
			Control: "Origin and Sec-Fetch-Site, SameSite=Strict, JSON only", try: crossSite,
		},
		{
			ID: "T21", Name: "kiosk-from-elsewhere",
			Title:   "another host of the gate's network calls the guard's screen",
			Control: "the screen listens on 127.0.0.1 only, and refuses other names", try: kioskElsewhere,
		},
		{
			ID: "T22", Name: "headers-and-cookies",
			Title:   "a page is framed, or a cookie is read or set by another host",
			Control: "CSP, HSTS, __Host- cookies, HttpOnly, SameSite, no-store", try: headers,
		},
		{
			ID: "T23", Name: "path-traversal", Title: "paths that leave the folder of the pages",
			Control: "pages are in the program, not in a folder", try: traverse,
		},
		{
			ID: "T24", Name: "huge-requests",
			Title:   "bodies of 4 MiB and headers of 2 MiB are posted to desk and screen",
			Control: "16 KiB, 1 KiB at the screen", try: hugeRequests,
		},
		{
			ID: "T25", Name: "slow-requests", Title: "200 requests whose bodies come a byte a second",
			Control: "a deadline for the whole request", try: slowRequests,
		},
	}
}

// servers returns the desk and the guard's screens, each as somebody who calls it.
func (c *county) servers() map[string]*browser {
	all := map[string]*browser{"desk": c.browser(30)}
	for _, g := range c.gates {
		b := c.browser(30)
		b.url = "http://" + g.kiosk
		all["screen of "+g.id] = b
	}
	return all
}

func rebind(ctx context.Context, c *county) (string, error) {
	n := 0
	for what, b := range c.servers() {
		_, port, err := net.SplitHostPort(strings.TrimPrefix(strings.TrimPrefix(b.url, "https://"), "http://"))
		if err != nil {
			return "", err
		}
		for _, host := range []string{"evil.example", "127.0.0.1.evil.example:" + port, "localhost.evil.example",
			"0.0.0.0",
			"desk.county.example:" + port} {
			for _, path := range []string{"/", "/live", "/api/session", "/api/login", "/metrics"} {
				a, err := b.ask(ctx, http.MethodGet, path, "", "Host", host)
				if err != nil {
					return "", err
				}
				if a.status != http.StatusMisdirectedRequest && a.status != http.StatusForbidden {
					return "", fmt.Errorf("%s answers to the name %s: %s %d", what, host, path, a.status)
				}
				n++
			}
		}
	}
	return fmt.Sprintf("%d requests under other names, all refused", n), nil
}

// socket opens a server's live connection as a page of an origin does.
func (b *browser) socket(ctx context.Context, origin string) (*websocket.Conn, error) {
	opts := &websocket.DialOptions{HTTPClient: b.client}
	if origin != "" {
		opts.HTTPHeader = http.Header{"Origin": {origin}}
	}
	ws, _, err := websocket.Dial(ctx, b.url+"/live", opts) //nolint:bodyclose // ws has the body
	return ws, err
}

func foreignSocket(ctx context.Context, c *county) (string, error) {
	n := 0
	all := c.servers()
	all["desk"] = c.admin // who has a session
	for what, b := range all {
		for _, origin := range []string{"https://evil.example", "null", "https://127.0.0.1:1", "http://127.0.0.1:1",
			"https://localhost.evil.example", "file://"} {
			ws, err := b.socket(ctx, origin)
			if err == nil {
				_ = ws.CloseNow()
				return "", fmt.Errorf("%s takes a live connection of a page of %s", what, origin)
			}
			n++
		}
		ws, err := b.socket(ctx, b.url)
		if err != nil {
			return "", fmt.Errorf("%s refuses its own page: %w", what, err)
		}
		_ = ws.CloseNow()
	}
	return fmt.Sprintf("%d refused; each server takes its own page", n), nil
}

func crossSite(ctx context.Context, c *county) (string, error) {
	n := 0
	for _, path := range []string{"/api/invite", "/api/enrol/decide", "/api/users/disable", "/api/quarantine",
		"/api/logout", "/api/login", "/api/setup"} {
		for _, header := range [][]string{
			{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site", "Origin", "https://127.0.0.1:1"},
			{"Origin", "https://evil.example", "Content-Type", "text/plain"},
		} {
			err := c.admin.is(ctx, http.StatusForbidden, http.MethodPost, path, `{"name":"li"}`, header...)
			if err != nil {
				return "", err
			}
			n++
		}
	}
	for what, b := range c.servers() {
		if what == "desk" {
			continue
		}
		for _, path := range []string{"/press", "/mute", "/enter", "/call"} {
			for _, header := range [][]string{{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
				if err := b.is(ctx, http.StatusForbidden, http.MethodPost, path, `{}`, header...); err != nil {
					return "", fmt.Errorf("%s: %w", what, err)
				}
				n++
			}
		}
	}
	return fmt.Sprintf(
			"%d posts of other sites, all 403",
			n,
		), c.admin.is(
			ctx,
			http.StatusOK,
			http.MethodGet,
			"/api/session",
			"",
		)
}

func kioskElsewhere(ctx context.Context, c *county) (string, error) {
	hosts, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	n := 0
	for _, g := range c.gates {
		if _, err := listening(g.agent.PID()); err != nil {
			return "", fmt.Errorf("%s: %w", g.id, err)
		}
		_, port, err := net.SplitHostPort(g.kiosk)
		if err != nil {
			return "", err
		}
		for _, a := range append(hosts, &net.IPNet{IP: net.IPv4(127, 0, 0, 9)}) {
			network, is := a.(*net.IPNet)
			if !is || network.IP.Equal(net.IPv4(127, 0, 0, 1)) {
				continue
			}
			if answers(ctx, net.JoinHostPort(network.IP.String(), port)) {
				return "", fmt.Errorf("the screen of %s answers at %s", g.id, network.IP)
			}
			n++
		}
	}
	return fmt.Sprintf("%d screens answer at none of %d other addresses", len(c.gates), n), nil
}

func headers(ctx context.Context, c *county) (string, error) {
	want := map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store"}
	paths := []string{"/", "/live", "/api/session", "/assets/none", "/api/none"}
	n := 0
	for what, b := range c.servers() {
		for _, path := range paths {
			a, err := b.ask(ctx, http.MethodGet, path, "")
			if err != nil {
				return "", err
			}
			for name, value := range want {
				if a.header.Get(name) != value {
					return "", fmt.Errorf("%s %s: %s is %q", what, path, name, a.header.Get(name))
				}
			}
			csp := a.header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") ||
				strings.Contains(csp, "unsafe") {
				return "", fmt.Errorf("%s %s: its content security policy is %q", what, path, csp)
			}
			if what == "desk" && !strings.Contains(a.header.Get("Strict-Transport-Security"), "max-age=") {
				return "", fmt.Errorf("%s has no HSTS", path)
			}
			n++
		}
	}
	b := c.browser(30)
	a, err := b.ask(ctx, http.MethodPost, "/api/login", fmt.Sprintf(`{"name":"li","password":%q}`, password))
	if err != nil || a.status != http.StatusNoContent {
		return "", errors.Join(err, fmt.Errorf("log in: %d", a.status))
	}
	cookies := a.header.Values("Set-Cookie")
	for _, cookie := range cookies {
		for _, word := range []string{"__Host-", "; HttpOnly", "; Secure", "; SameSite=Strict", "; Path=/;"} {
			if !strings.Contains(cookie+";", word) {
				return "", fmt.Errorf("a cookie lacks %s", word)
			}
		}
		if strings.Contains(cookie, "Domain=") {
			return "", errors.New("a cookie has a domain")
		}
	}
	if len(cookies) == 0 {
		return "", errors.New("a log-in sets no cookie")
	}
	return fmt.Sprintf(
		"%d answers with all headers, %d cookies __Host-, HttpOnly, Secure, Strict",
		n,
		len(cookies),
	), nil
}
