package pages

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"gatehouse/gateway/county/people"
)

// cookie holds the session's token. Browsers never send it from another site's
// pages.
const cookie = "gatehouse_session"

// token returns the token in a request's cookie, or an empty string.
func token(r *http.Request) string {
	c, err := r.Cookie(cookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// user calls next for requests of a session, with the name of its user, and
// refuses all others.
func (s *Server) user(next func(w http.ResponseWriter, r *http.Request, name string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, _, err := s.People.Session(r.Context(), token(r))
		if err != nil {
			fail(w, err)
			return
		}
		next(w, r, name)
	}
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
	token, err := s.People.Login(r.Context(), c.Name, c.Password)
	switch {
	case err == nil:
		s.guesses.Forget(host, c.Name)
	case errors.Is(err, people.ErrPassword):
		s.guesses.Wrong(host, c.Name)
		s.log.Warn("a wrong password at the desk", "remote", host)
	default:
		s.guesses.Uncount(host, c.Name)
	}
	if err != nil {
		failRetryable(w, err)
		return
	}
	s.setCookie(w, r, token, 0)
	w.WriteHeader(http.StatusNoContent)
}

// admit counts an attempt before the password is checked, so that many at once
// get no further than many in a row. When the attempt has to wait, admit answers
// the request and returns false.
func (s *Server) admit(w http.ResponseWriter, host, name string) bool {
	wait := s.guesses.Attempt(host, name)
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		fail(w, errMany)
	}
	return wait == 0
}

// setCookie hands the browser its session; a negative age removes it.
func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, token string, age int) {
	//nolint:gosec // without TLS the desk listens on loopback only
	http.SetCookie(w, &http.Cookie{
		Name: cookie, Value: token, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
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
	err = s.People.SetUp(r.Context(), c.Token, c.Name, c.Password)
	if !errors.Is(err, people.ErrInvite) {
		s.guesses.Uncount(host, "")
	}
	if err != nil {
		failRetryable(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if err := s.People.Logout(r.Context(), token(r)); err != nil {
		fail(w, err)
		return
	}
	s.setCookie(w, r, "", -1)
	w.WriteHeader(http.StatusNoContent)
}
