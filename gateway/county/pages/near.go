package pages

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"gatehouse/gateway/county/people"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/web"
)

// minBearer is the shortest token of a scraper, in characters: shorter ones can
// be guessed.
const minBearer = 16

// bearer is a token that a scraper shows; only its hash is kept.
type bearer [sha256.Size]byte

// readBearer reads a token from the first line of a file that only its owner may
// read. It returns nil when no file is given.
func readBearer(file string) (*bearer, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	line, err := secret.Line(file)
	if err != nil {
		return nil, err
	}
	if line = strings.TrimSpace(line); len(line) < minBearer {
		return nil, fmt.Errorf("%s: a token has at least %d characters: "+
			"make one with head -c 24 /dev/urandom | base64", file, minBearer)
	}
	token := bearer(sha256.Sum256([]byte(line)))
	return &token, nil
}

// fits reports whether a request shows the token.
func (b *bearer) fits(r *http.Request) bool {
	scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	hash := sha256.Sum256([]byte(strings.TrimSpace(shown)))
	return b != nil && strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(hash[:], b[:]) == 1
}

const notNear = "this is answered to programs on this computer, without a proxy in between; from elsewhere log in, " +
	"or send a token, such as that of desk.metrics_token_file, as Authorization: Bearer"

// alive answers whether the desk lives (GET /healthz, and OPTIONS of anything) to
// everybody, under whatever name: proxies and load balancers ask so, by an address and
// without a session, and it says no more than the page does. The rest is next's.
func (s *Server) alive(probes, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := strings.TrimPrefix(r.URL.Path, s.base()); {
		case r.Method == http.MethodOptions:
			w.Header().Set("Allow", "GET, HEAD, OPTIONS, POST")
			w.WriteHeader(http.StatusNoContent)
		case path == "/healthz" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			w.Header().Set("Cache-Control", "no-store")
			web.Under(s.base(), probes).ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// near answers probes from this computer, and from elsewhere only with a session,
// a program's token or the scraper's.
func (s *Server) near(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.proxies.Of(r).Near && !s.scraper.fits(r) {
			if _, err := s.People.Who(r.Context(), s.shown(r)); err != nil {
				w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse"`)
				fail(w, fmt.Errorf("%w: "+notNear, people.ErrSession))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
