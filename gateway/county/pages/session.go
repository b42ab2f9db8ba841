package pages

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"gatehouse/gateway/county/desk"
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
	{desk.ErrGone, "gone", http.StatusConflict},
	{desk.ErrNoRun, "run", http.StatusNotFound},
	{errBody, "body", http.StatusBadRequest},
	{errMany, "many", http.StatusTooManyRequests},
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
	if wait := s.limits.wait(host, c.Name); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		fail(w, errMany)
		return
	}
	token, err := s.desk.Login(r.Context(), c.Name, c.Password)
	s.limits.done(host, c.Name, err == nil)
	if err != nil {
		if errors.Is(err, desk.ErrPassword) {
			s.log.Warn("a wrong password at the desk", "from", host)
		}
		fail(w, err)
		return
	}
	s.keep(w, r, token, 0)
	w.WriteHeader(http.StatusNoContent)
}

// keep gives the browser its session, or with a negative age takes it away.
func (s *Server) keep(w http.ResponseWriter, r *http.Request, token string, age int) {
	//nolint:gosec // without TLS the desk listens on loopback only
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: token, Path: "/", MaxAge: age, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
}

func (s *Server) setUp(w http.ResponseWriter, r *http.Request) {
	c, err := read[credentials](w, r)
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if err == nil && s.limits.wait(host, "") > 0 {
		err = errMany
	}
	if err == nil {
		err = s.desk.SetUp(r.Context(), c.Token, c.Name, c.Password)
		s.limits.done(host, "", !errors.Is(err, desk.ErrInvite))
	}
	if err != nil {
		fail(w, err)
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

// wait tells how long the next attempt must wait; 0: none.
func (l *limiter) wait(host, name string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	longest := time.Duration(0)
	for _, key := range []string{host, host + " " + name} {
		if g := l.bad[key]; g != nil {
			longest = max(longest, g.until.Sub(l.now()))
		}
	}
	return longest
}

// done notes how an attempt ended.
func (l *limiter) done(host, name string, good bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if good {
		delete(l.bad, host+" "+name)
		return
	}
	if len(l.bad) > maxGuessKeys {
		for key, g := range l.bad {
			if l.now().Sub(g.until) > forgetGuess || len(l.bad) > 2*maxGuessKeys {
				delete(l.bad, key)
			}
		}
	}
	for key, free := range map[string]int{host: freeFrom, host + " " + name: freeGuesses} {
		g := l.bad[key]
		if g == nil || l.now().Sub(g.until) > forgetGuess && !g.until.IsZero() {
			g = &guesses{}
			l.bad[key] = g
		}
		if g.n++; g.n >= free {
			g.until = l.now().Add(min(time.Second<<min(g.n-free, 20), longestWait))
		}
	}
}
