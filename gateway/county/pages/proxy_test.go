package pages

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

const scraperToken = "a token of 24 characters"

// behind starts a desk with a path, a proxy on this computer and a scraper's token.
func behind(t *testing.T) *bench {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(scraperToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return startWith(t, Config{Listen: "127.0.0.1:0", Hosts: []string{"desk.county"}, Path: "/gatehouse",
		Proxies: []string{"127.0.0.1"}, MetricsTokenFile: file})
}

// reply is an answer to a request.
type reply struct {
	*http.Response

	status int
}

// send sends a request with "Name: value" lines as its headers, of which Host is
// one, and returns the answer without following it.
func (b *bench) send(method, path, body string, lines ...string) reply {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.s.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		if r.Header.Add(name, value); name == "Host" {
			r.Host = value
		}
	}
	res, err := (&http.Transport{}).RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { res.Body.Close() })
	return reply{res, res.StatusCode}
}

func TestAForwardedProbeIsNobodysNeighbour(t *testing.T) {
	for name, b := range map[string]*bench{"without proxies": start(t), "with proxies": behind(t)} {
		for _, path := range []string{"/metrics", "/readyz"} {
			if res := b.send("GET", path, ""); res.status != 200 {
				t.Errorf("%s: %s from this computer: %d", name, path, res.status)
			}
			for _, line := range []string{"X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1", "Via: 1.1 a",
				"X-Real-IP: 127.0.0.1", "X-Forwarded-Host: localhost", "Authorization: Bearer ",
				"Authorization: Bearer a token of 24 characterS", "Authorization: Basic a token of 24 characters"} {
				res := b.send("GET", path, "", line, "X-Forwarded-Proto: http")
				if res.status != 401 || res.Header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s: %s with %s: %d", name, path, line, res.status)
				}
			}
		}
	}
	b := behind(t)
	for _, path := range []string{"/metrics", "/readyz", "/gatehouse/metrics"} {
		if res := b.send("GET", path, "", "Via: 1.1 a", "Authorization: bearer "+scraperToken); res.status != 200 {
			t.Errorf("%s with the token: %d", path, res.status)
		}
		if res := b.send("GET", path, "", "Host: desk.county"); res.status != 401 {
			t.Errorf("%s under the desk's name: %d", path, res.status)
		}
	}
	b.login()
	if status, _, _ := b.ask("GET", "/metrics", ""); status != 200 {
		t.Errorf("with a session: %d", status)
	}
}

func TestCookiesAndHSTSFollowTheBrowsersOwnTLS(t *testing.T) {
	b := behind(t)
	for name, c := range map[string]struct {
		path   string
		lines  []string
		cookie string
		secure bool
	}{
		"no proxy":         {"", nil, "gatehouse_session_", false},
		"without TLS":      {"/gatehouse", []string{"X-Forwarded-Proto: http"}, "gatehouse_session_", false},
		"with TLS":         {"/gatehouse", []string{"X-Forwarded-Proto: https"}, "__Secure-gatehouse_session_", true},
		"the path is gone": {"", []string{"X-Forwarded-Proto: https"}, "__Secure-gatehouse_session_", true},
	} {
		res := b.send("POST", c.path+"/api/login", rightPassword, c.lines...)
		got := res.Header.Get("Set-Cookie")
		path := "Path=/gatehouse/"
		if c.lines == nil {
			path = "Path=/;"
		}
		hsts := res.Header.Get("Strict-Transport-Security") != ""
		if res.status != 204 || !strings.HasPrefix(got, c.cookie) || !strings.Contains(got, path) ||
			strings.Contains(got, "Secure;") != c.secure || hsts != c.secure {
			t.Errorf("%s: %d %s", name, res.status, got)
		}
		session, _, _ := strings.Cut(got, ";")
		lines := append([]string{"Cookie: " + session}, c.lines...)
		if res := b.send("GET", c.path+"/api/session", "", lines...); res.status != 200 {
			t.Errorf("%s: the session answers %d", name, res.status)
		}
	}
	root := startWith(t, Config{Listen: "127.0.0.1:0", Proxies: []string{"127.0.0.1"}})
	got := root.send("POST", "/api/login", rightPassword, "X-Forwarded-Proto: https").Header.Get("Set-Cookie")
	if !strings.HasPrefix(got, "__Host-gatehouse_session_") || !strings.Contains(got, "Path=/;") {
		t.Errorf("at the root: %s", got)
	}
	lone := start(t) // the header of a proxy that is not listed
	res := lone.send("POST", "/api/login", rightPassword, "X-Forwarded-Proto: https")
	if got := res.Header.Get("Set-Cookie"); strings.Contains(got, "Secure;") ||
		res.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("of a proxy that is not listed: %s", got)
	}
}

func TestOneGuesserBehindAProxyLocksOnlyItselfOut(t *testing.T) {
	b := behind(t)
	status := func(body, from string) int {
		return b.send("POST", "/gatehouse/api/login", body, "X-Forwarded-For: "+from).status
	}
	for range 5 {
		status(wrongPassword, "10.0.0.1, 203.0.113.9") // the first is its own claim
	}
	if got := status(rightPassword, "203.0.113.9"); got != 429 {
		t.Errorf("the guesser: %d", got)
	}
	if got := status(rightPassword, "10.0.0.1"); got != 204 {
		t.Errorf("the office: %d", got)
	}
}

// Without a list of proxies, all who come through one count as one; a known
// browser among them is let through.
func TestAKnownBrowserPassesBesideAGuesser(t *testing.T) {
	b := start(t)
	var known []string
	for _, c := range b.send("POST", "/api/login", rightPassword, "X-Forwarded-For: 10.0.0.1").Cookies() {
		known = append(known, "Cookie: "+c.Name+"="+c.Value)
	}
	if len(known) != 2 {
		t.Fatal(known)
	}
	for range 5 {
		b.send("POST", "/api/login", wrongPassword, "X-Forwarded-For: 203.0.113.9")
	}
	res := b.send("POST", "/api/login", rightPassword, "X-Forwarded-For: 10.0.0.1")
	if res.status != 429 || res.Header.Get("Retry-After") == "" {
		t.Errorf("a browser that is not known: %d", res.status)
	}
	known = append(known, "X-Forwarded-For: 10.0.0.1")
	if res := b.send("POST", "/api/login", rightPassword, known...); res.status != 204 {
		t.Errorf("the known browser: %d", res.status)
	}
}

func TestTheLiveConnectionIsForTheDesksOwnPages(t *testing.T) {
	b := behind(t)
	_, _, answer := b.ask("POST", "/api/login", rightPassword)
	session, _, _ := strings.Cut(answer.Get("Set-Cookie"), ";")
	for name, c := range map[string]struct {
		lines []string
		ok    bool
	}{
		"no browser":             {nil, true},
		"its own page":           {[]string{"Host: desk.county:9", "Origin: http://desk.county:9"}, true},
		"a proxy left its port":  {[]string{"Host: desk.county", "Origin: https://desk.county:8443"}, true},
		"a proxy has its own":    {[]string{"Origin: https://desk.county:8443"}, true},
		"a tunnel's end":         {[]string{"Host: localhost:9000", "Origin: http://localhost:9000"}, true},
		"localhost, port left":   {[]string{"Host: localhost", "Origin: https://localhost:8443"}, true},
		"a foreign page":         {[]string{"Host: desk.county", "Origin: https://evil.example"}, false},
		"a name like ours":       {[]string{"Host: desk.county", "Origin: https://desk.county.evil.example"}, false},
		"another local program":  {[]string{"Host: localhost:9000", "Origin: http://localhost:9001"}, false},
		"another scheme":         {[]string{"Host: desk.county", "Origin: file://desk.county"}, false},
		"a sandbox":              {[]string{"Host: desk.county", "Origin: null"}, false},
		"a foreign page, Fetch":  {[]string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, false},
		"its own page, Fetch":    {[]string{"Origin: https://other", "Sec-Fetch-Site: same-origin"}, true},
		"the proxy's own name":   {[]string{"X-Forwarded-Host: office:444", "Origin: https://office:8443"}, true},
		"not the proxy's name":   {[]string{"X-Forwarded-Host: office:444", "Origin: https://evil.example"}, false},
		"a local one by a proxy": {[]string{"X-Forwarded-Host: localhost:1", "Origin: https://localhost:2"}, false},
	} {
		header, host := http.Header{"Cookie": {session}}, ""
		for _, l := range c.lines {
			key, value, _ := strings.Cut(l, ": ")
			if header.Add(key, value); key == "Host" {
				host = value
			}
		}
		conn, res, err := websocket.Dial(t.Context(), b.s.URL+"/live",
			&websocket.DialOptions{HTTPHeader: header, Host: host})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			_ = conn.CloseNow()
		} else if res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
		if got := b.send("POST", "/api/login", "", c.lines...).status; (got == 400) != c.ok { // by the same rule
			t.Errorf("%s: a log-in answers %d", name, got)
		}
	}
	got := b.send("GET", "/live", "", "Cookie: "+session).status // a proxy has dropped the headers of the upgrade
	if got != http.StatusUpgradeRequired || !b.said.has("pass on the headers Upgrade and Connection") {
		t.Errorf("without Upgrade: %d; the log is %s", got, &b.said.text)
	}
	res := b.send("POST", "/api/login", "{}", "Origin: https://evil.example")
	text, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(text), `"code":"origin"`) {
		t.Errorf("a foreign page is told %s, %v", text, err)
	}
	if res := b.send("GET", "/", "", "X-Forwarded-Host: anything.example"); res.status != 200 {
		t.Errorf("a name that the proxy vouches for: %d", res.status)
	}
	if res := start(t).send("GET", "/", "", "X-Forwarded-Host: localhost", "Host: evil.example"); res.status != 421 {
		t.Errorf("a name that nobody vouches for: %d", res.status)
	}
}

func TestTheDeskIsBelowItsPathAndAtTheRoot(t *testing.T) {
	b := behind(t)
	for path, want := range map[string]string{
		"/gatehouse/":                   "./assets/desk.js",
		"/gatehouse/alerts":             "./assets/desk.js",
		"/gatehouse/gates/a":            "../assets/desk.js",
		"/gatehouse/gates/a%2Fb":        "../assets/desk.js",
		"/gatehouse/runs/m/r":           "../../assets/desk.js",
		"/":                             "./assets/desk.js",
		"//gates/a":                     "../assets/desk.js",
		"/runs/m/r":                     "../../assets/desk.js",
		"/gatehouse/assets/desk.js":     "use strict",
		"//assets/desk.css":             "{",
		"/gatehouse//assets/../secrets": "",
	} {
		status, text, _ := b.ask("GET", path, "")
		if want != "" && (status != 200 || !strings.Contains(text, want)) || want == "" && status != 404 {
			t.Errorf("%s: %d %.300s", path, status, text)
		}
	}
	for path, want := range map[string]string{
		"/gatehouse/alerts/": "../alerts", "/alerts/": "../alerts", "/gatehouse/runs/m/r//": "../r",
	} {
		if res := b.send("GET", path, ""); res.status != 308 || res.Header.Get("Location") != want {
			t.Errorf("%s: %d %s", path, res.status, res.Header.Get("Location"))
		}
	}
	for _, path := range []string{"/", "/gatehouse/", "/gatehouse/alerts", "/alerts/"} {
		if res := b.send("POST", path, "{}"); res.status != 405 || res.Header.Get("Allow") == "" {
			t.Errorf("POST %s: %d", path, res.status)
		}
	}
	res := b.send("GET", "/gatehouse?x=1", "")
	if to := res.Header.Get("Location"); res.status != 308 || to != "gatehouse/?x=1" {
		t.Errorf("without the slash: %d %s", res.status, to)
	}
}

func TestAPageAtAnotherPathSaysWhatToSet(t *testing.T) {
	b := start(t)
	for path, want := range map[string]string{
		"/gatehouse/": "desk.path: /gatehouse<", "/gatehouse": "desk.path: /gatehouse<",
		"/a/b/machines/x": "desk.path: /a/b<", "/a/alerts": "desk.path: /a<",
		"/%3Cscript%3E/": "desk.path: /&lt;script&gt;<",
	} {
		res := b.send("GET", path, "", "Accept: text/html,*/*")
		text, err := io.ReadAll(res.Body)
		if err != nil || res.status != 404 || !strings.Contains(string(text), want) {
			t.Errorf("%s: %d %s %v", path, res.status, text, err)
		}
	}
	if status, text, _ := b.ask("POST", "/gatehouse/api/login", "{}"); status != 404 ||
		!strings.Contains(text, "desk.path") {
		t.Errorf("%d %s", status, text)
	}
}
