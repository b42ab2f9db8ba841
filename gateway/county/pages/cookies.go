package pages

import (
	"net/http"
	"strings"
	"time"

	"gatehouse/gateway/county/people"
)

// Cookies of the desk. Browsers send them to its own pages only.
const (
	sessionCookie = "gatehouse_session" // the token of a session
	browserCookie = "gatehouse_browser" // the tokens of a known browser
	flowCookie    = "gatehouse_flow"    // a log-in on its way to the provider of identities and back
)

// jar is the cookies of a request, and how new ones are set for its browser.
type jar struct {
	r      *http.Request
	mark   string // of this desk
	secure bool
	path   string // ends with a slash
}

// jar returns the cookies of a request.
func (s *Server) jar(r *http.Request) jar {
	from := s.proxies.Of(r)
	j := jar{r, s.mark, from.TLS, "/"}
	// The browser finds the desk below the path, unless it calls it directly and
	// without the path.
	if below := s.base() + "/"; strings.HasPrefix(r.RequestURI, below) || from.Forwarded {
		j.path = below
	}
	return j
}

// name returns a cookie's name in the browser. With TLS a prefix makes browsers
// refuse one that was set without, or by another host of the domain (RFC 6265bis,
// section 4.1.3). Browsers send cookies to every port of a host: each desk has names of
// its own, so that two on one computer do not log each other's users out.
func (j jar) name(name string) string {
	name += "_" + j.mark
	switch {
	case !j.secure:
		return name
	case j.path == "/":
		return "__Host-" + name
	}
	return "__Secure-" + name
}

// get returns a cookie's value, or an empty string.
func (j jar) get(name string) string {
	c, err := j.r.Cookie(j.name(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// set hands the browser a cookie that lasts until it is closed, or for a time; a
// negative one removes it.
func (j jar) set(w http.ResponseWriter, name, value string, last time.Duration) {
	age := int(last / time.Second)
	if last < 0 {
		age = -1
	}
	same := http.SameSiteStrictMode
	if name == flowCookie { // the provider's page leads back here
		same = http.SameSiteLaxMode
	}
	//nolint:gosec // without TLS the desk listens on loopback only
	http.SetCookie(w, &http.Cookie{
		Name: j.name(name), Value: value, Path: j.path, MaxAge: age,
		HttpOnly: true, Secure: j.secure, SameSite: same,
	})
}

// shown returns what a request shows to be let in. A proxy may add tokens of its own
// to all requests: only the desk's count.
func (s *Server) shown(r *http.Request) people.Shown {
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if bearer = strings.TrimSpace(bearer); !strings.EqualFold(scheme, "Bearer") || !people.IsToken(bearer) {
		bearer = ""
	}
	from := ""
	if addr := s.proxies.Of(r).Addr; addr.IsValid() {
		from = addr.String()
	}
	return people.Shown{Session: s.jar(r).get(sessionCookie), Bearer: bearer, From: from}
}
