package pages

import (
	"net/http"
	"strings"
	"time"
)

// Cookies of the desk. Browsers send them to its own pages only.
const (
	sessionCookie = "gatehouse_session" // the token of a session
	browserCookie = "gatehouse_browser" // the tokens of a known browser
)

// jar is the cookies of a request, and how new ones are set for its browser.
type jar struct {
	r      *http.Request
	secure bool
	path   string // ends with a slash
}

// jar returns the cookies of a request.
func (s *Server) jar(r *http.Request) jar {
	from := s.proxies.Of(r)
	j := jar{r, from.TLS, "/"}
	// The browser finds the desk below the path, unless it calls it directly and
	// without the path.
	if below := s.base() + "/"; strings.HasPrefix(r.RequestURI, below) || from.Forwarded {
		j.path = below
	}
	return j
}

// name returns a cookie's name in the browser. With TLS a prefix makes browsers
// refuse one that was set without, or by another host of the domain (RFC 6265bis,
// section 4.1.3).
func (j jar) name(name string) string {
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
	//nolint:gosec // without TLS the desk listens on loopback only
	http.SetCookie(w, &http.Cookie{
		Name: j.name(name), Value: value, Path: j.path, MaxAge: age,
		HttpOnly: true, Secure: j.secure, SameSite: http.SameSiteStrictMode,
	})
}

// token returns the token of a request's session, or an empty string.
func (s *Server) token(r *http.Request) string { return s.jar(r).get(sessionCookie) }
