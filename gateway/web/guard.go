package web

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gatehouse/gateway/peer"
)

// Site is how browsers reach a server.
type Site struct {
	Listen  string       // the address it listens on; its own names come from it
	Hosts   []string     // further names
	Proxies peer.Proxies // in front of it
	Log     *slog.Logger // of what is refused
}

// forever is for how long a browser that came over TLS does not come without,
// in seconds: 30 days from each visit.
const forever = "max-age=2592000"

// Guard passes on only requests to a name of the site (with any port), so that
// no other name can be pointed at this server. Requests that change something,
// and those for a WebSocket, must come from pages of this site, or from no page
// at all. Pages may load nothing from elsewhere, and no answer is kept in a cache.
func Guard(s Site, next http.Handler) http.Handler {
	names := Hosts(s.Listen, s.Hosts...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := s.Proxies.Of(r)
		protect(w.Header(), from)
		if !from.Vouched && !known(names, r.Host) {
			s.Log.Warn("a request to a name that this server does not have was refused; if it is one of its names, "+
				"add it to hosts", "remote", from.Addr.String(), "host", r.Host)
			http.Error(
				w,
				fmt.Sprintf("this server does not answer to the name %q; add it to hosts in the configuration",
					r.Host),
				http.StatusMisdirectedRequest,
			)
			return
		}
		if acts(r) && !s.own(r, from) {
			origin := r.Header.Get("Origin")
			s.Log.Warn("a page of another site was refused; if it is the desk's own, behind a proxy, add the name "+
				"in its address to hosts", "remote", from.Addr.String(), "origin", origin, "host", r.Host)
			refuse(w, fmt.Sprintf("this request comes from a page of %q, and this server is called %q; if they are "+
				"the same behind a proxy, add the first name to hosts in the configuration", origin, from.Host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers a page of another site. The pages have words for the code; the
// text is for engineers.
func refuse(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": "origin", "text": text}) // the page may have gone
}

// protect sets the headers with which browsers protect a page.
func protect(h http.Header, from peer.Peer) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
		"img-src 'self' data:; connect-src 'self'; font-src 'self'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if from.TLS {
		h.Set("Strict-Transport-Security", forever)
	}
}

// acts reports whether a request changes something or opens a WebSocket, which
// browsers let every page do.
func acts(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return r.Header.Get("Upgrade") != ""
	}
	return true
}

// own reports whether a request comes from a page of this site, or from a
// program that is no browser. A page of one of the configured names is the
// site's with any port and with or without TLS: a proxy may change both, and
// browsers without Sec-Fetch-Site say nothing else. The computer's own names are
// shared with other programs, so their ports count.
func (s Site) own(r *http.Request, from peer.Peer) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	origin := r.Header.Get("Origin")
	if site == "same-origin" || site == "none" || site == "" && origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	name := peer.Name(u.Host)
	switch {
	case slices.ContainsFunc(s.Hosts, func(h string) bool { return peer.Name(h) == name }),
		from.Vouched && !peer.Local(name) && peer.Name(from.Host) == name:
		return true
	case site != "":
		return false
	}
	// A host without a port is the default port's, or its proxy has left the port out.
	return slices.ContainsFunc([]string{from.Host, r.Host}, func(host string) bool {
		return strings.EqualFold(u.Host, host) || strings.EqualFold(name, strings.Trim(host, "[]"))
	})
}

func known(hosts []string, host string) bool {
	return slices.ContainsFunc(hosts, func(h string) bool { return peer.Name(h) == peer.Name(host) })
}
