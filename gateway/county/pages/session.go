package pages

import (
	"errors"
	"net/http"

	"gatehouse/gateway/county/people"
)

type credentials struct {
	Token    string `json:"token"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

func (s *Server) login(w http.ResponseWriter, r *http.Request, _ people.Session) {
	c, err := read[credentials](w, r)
	if err != nil {
		fail(w, err)
		return
	}
	from := s.proxies.Of(r)
	visitor := people.Visitor{From: from.Addr, Browser: s.jar(r).get(browserCookie), Names: r.UserAgent()}
	entry, err := s.People.Login(r.Context(), visitor, c.Name, c.Password)
	if err != nil {
		if errors.Is(err, people.ErrPassword) {
			s.log.Warn("a wrong password at the desk", "remote", from.Addr.String())
		}
		if from.Forwarded && !from.Trusted {
			s.log.Warn(
				"somebody failed to log in through a proxy that desk.proxies does not list: all who come through "+
					"it count as one",
				"remote",
				from.Addr.String(),
			)
		}
		failRetryable(w, err)
		return
	}
	jar := s.jar(r)
	jar.set(w, sessionCookie, entry.Session, 0)
	jar.set(w, browserCookie, entry.Browser, people.BrowserFor)
	w.WriteHeader(http.StatusNoContent)
}

// invited answers what a link does, before somebody uses it.
func (s *Server) invited(w http.ResponseWriter, r *http.Request, _ people.Session) {
	c, err := read[struct {
		Token string `json:"token"`
	}](w, r)
	if err != nil {
		fail(w, err)
		return
	}
	what, err := s.People.Invited(r.Context(), c.Token)
	answer(w, what, err)
}

func (s *Server) setUp(w http.ResponseWriter, r *http.Request, who people.Session) {
	c, err := read[credentials](w, r)
	if err != nil {
		fail(w, err)
		return
	}
	if err := s.People.SetUp(r.Context(), who.From, c.Token, c.Name, c.Password); err != nil {
		failRetryable(w, err)
		return
	}
	if err := s.farewell(r.Context()); err != nil {
		s.log.Error("remove the file with the link for the first user", "err", err)
	}
	jar := s.jar(r)
	if tokens, err := s.People.Remember(r.Context(), jar.get(browserCookie), c.Name); err != nil {
		s.log.Error("remember a browser", "err", err)
	} else {
		jar.set(w, browserCookie, tokens, people.BrowserFor)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request, who people.Session) {
	shown := s.shown(r)
	was, err := s.People.Who(r.Context(), shown)
	if err != nil && !errors.Is(err, people.ErrSession) {
		fail(w, err)
		return
	}
	if err := s.People.Logout(r.Context(), who.From, shown.Session); err != nil {
		fail(w, err)
		return
	}
	s.jar(r).set(w, sessionCookie, "", -1)
	if was.Provided && s.provider != nil {
		answer(w, leaving{s.provider.Leave(r.Context())}, nil)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
