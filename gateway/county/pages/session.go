package pages

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/fleet"
)

// cookie holds the session's token. It is never sent from another site's pages.
const cookie = "gatehouse_session"

// maxBody bounds what a page posts, in bytes.
const maxBody = 16 << 10

func token(r *http.Request) string {
	c, err := r.Cookie(cookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// user lets only requests through that somebody sends who is logged in.
func (s *Server) user(next func(w http.ResponseWriter, r *http.Request, name string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, _, err := s.desk.Session(r.Context(), token(r))
		if err != nil {
			fail(w, err)
			return
		}
		next(w, r, name)
	}
}

// problem is the body of an answer that is no success. Code is for the page,
// which has the words; Text is for engineers.
type problem struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// codes are the errors that a page has words for.
var codes = []struct {
	err    error
	code   string
	status int
}{
	{desk.ErrSession, "session", http.StatusUnauthorized},
	{desk.ErrPassword, "password", http.StatusForbidden},
	{desk.ErrInvite, "invite", http.StatusForbidden},
	{desk.ErrName, "name", http.StatusUnprocessableEntity},
	{desk.ErrWeak, "weak", http.StatusUnprocessableEntity},
	{alerts.ErrGone, "gone", http.StatusConflict},
	{fleet.ErrNoRun, "run", http.StatusNotFound},
	{errBody, "body", http.StatusBadRequest},
	{errMany, "many", http.StatusTooManyRequests},
	{desk.ErrBusy, "busy", http.StatusServiceUnavailable},
}

var (
	errBody = errors.New("the request can't be understood")
	errMany = errors.New("too many wrong passwords: wait")
)

func fail(w http.ResponseWriter, err error) {
	p, status := problem{Code: "server", Text: err.Error()}, http.StatusInternalServerError
	for _, c := range codes {
		if errors.Is(err, c.err) {
			p.Code, status = c.code, c.status
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p) // the page may have gone
}

func answer[T any](w http.ResponseWriter, v T, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the page may have gone
}

func read[T any](w http.ResponseWriter, r *http.Request) (v T, err error) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, errors.Join(errBody, err)
	}
	return v, nil
}

type credentials struct {
	Token    string `json:"token"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	c, err := read[credentials](w, r)
	if err != nil {
		fail(w, err)
		return
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if !s.admit(w, host, c.Name) {
		return
	}
	token, err := s.desk.Login(r.Context(), c.Name, c.Password)
	switch {
	case err == nil:
		s.limits.good(host, c.Name)
	case errors.Is(err, desk.ErrPassword):
		s.limits.wrong(host, c.Name)
		s.log.Warn("a wrong password at the desk", "from", host)
	default:
		s.limits.void(host, c.Name)
	}
	if err != nil {
		later(w, err)
		return
	}
	s.keep(w, r, token, 0)
	w.WriteHeader(http.StatusNoContent)
}

// admit counts an attempt before it is looked at, so that many at once are no
// more than many in a row. It answers and returns false when it must wait.
func (s *Server) admit(w http.ResponseWriter, host, name string) bool {
	wait := s.limits.attempt(host, name)
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		fail(w, errMany)
	}
	return wait == 0
}

// later is fail, with the word when to try again where that helps.
func later(w http.ResponseWriter, err error) {
	if errors.Is(err, desk.ErrBusy) {
		w.Header().Set("Retry-After", "2")
	}
	fail(w, err)
}

// keep gives the browser its session, or with a negative age takes it away.
func (s *Server) keep(w http.ResponseWriter, r *http.Request, token string, age int) {
	//nolint:gosec // without TLS the desk listens on loopback only
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: token, Path: "/", MaxAge: age, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
}

func (s *Server) setUp(w http.ResponseWriter, r *http.Request) {
	c, err := read[credentials](w, r)
	if err != nil {
		fail(w, err)
		return
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if !s.admit(w, host, "") {
		return
	}
	err = s.desk.SetUp(r.Context(), c.Token, c.Name, c.Password)
	if !errors.Is(err, desk.ErrInvite) {
		s.limits.void(host, "")
	}
	if err != nil {
		later(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if err := s.desk.Logout(r.Context(), token(r)); err != nil {
		fail(w, err)
		return
	}
	s.keep(w, r, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

// limiter slows down who guesses: after a few wrong passwords for a name, or
// many from an address, each further one costs twice the wait of the last.
type limiter struct {
	now func() time.Time
	mu  sync.Mutex
	bad map[string]*guesses
}

type guesses struct {
	n     int
	until time.Time
}

const (
	freeGuesses  = 5  // of one name from one address
	freeFrom     = 20 // from one address
	longestWait  = 5 * time.Minute
	forgetGuess  = time.Hour
	maxGuessKeys = 10000
)

func newLimiter(now func() time.Time) *limiter { return &limiter{now: now, bad: map[string]*guesses{}} }

// attempt counts an attempt as a wrong one, before anybody has looked at it. It
// returns how long to wait instead; 0: it may be looked at.
func (l *limiter) attempt(host, name string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	longest := time.Duration(0)
	for _, k := range keys(host, name) {
		if g := l.bad[k.text]; g != nil {
			longest = max(longest, g.until.Sub(now))
		}
	}
	if longest > 0 {
		return longest
	}
	l.tidy(now)
	for _, k := range keys(host, name) {
		g := l.bad[k.text]
		if g == nil || now.Sub(g.until) > forgetGuess && !g.until.IsZero() {
			g = &guesses{}
			l.bad[k.text] = g
		}
		g.n++
		g.rest(k, now)
	}
	return 0
}

// rest makes the next attempt wait from now, where there were too many.
func (g *guesses) rest(k key, now time.Time) {
	if g.n >= k.free {
		g.until = now.Add(min(time.Second<<min(g.n-k.free, 20), longestWait))
	}
}

// wrong says that an attempt was wrong: the wait begins now, however long it
// took to find out.
func (l *limiter) wrong(host, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys(host, name) {
		if g := l.bad[k.text]; g != nil {
			g.rest(k, l.now())
		}
	}
}

// good says that an attempt was right: the name's wrong ones are forgotten.
func (l *limiter) good(host, name string) {
	l.void(host, name)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.bad, host+" "+name)
}

// void says that an attempt does not count.
func (l *limiter) void(host, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys(host, name) {
		g := l.bad[k.text]
		if g == nil {
			continue
		}
		if g.n--; g.n < k.free {
			g.until = time.Time{}
		}
		if g.n <= 0 {
			delete(l.bad, k.text)
		}
	}
}

// key is what attempts are counted under, and how many cost nothing.
type key struct {
	text string
	free int
}

func keys(host, name string) [2]key {
	return [2]key{{host, freeFrom}, {host + " " + name, freeGuesses}}
}

// tidy bounds what is remembered.
func (l *limiter) tidy(now time.Time) {
	if len(l.bad) <= maxGuessKeys {
		return
	}
	for key, g := range l.bad {
		if now.Sub(g.until) > forgetGuess || len(l.bad) > 2*maxGuessKeys {
			delete(l.bad, key)
		}
	}
}
