package pages

import (
	"net/http"
	"time"

	"gatehouse/gateway/county/people"
)

// peopleRoutes are those of administrators: users and tokens.
func (s *Server) peopleRoutes() []route {
	return []route{
		{"GET /api/users", people.ActPeople, s.users},
		{"POST /api/invite", people.ActPeople, s.invite},
		{"GET /api/invites", people.ActPeople, s.invites},
		{"POST /api/invite/withdraw", people.ActPeople, s.withdraw},
		{"POST /api/users/role", people.ActPeople, s.setRole},
		{"POST /api/users/reset", people.ActPeople, s.reset},
		{"POST /api/users/disable", people.ActPeople, s.disable},
		{"GET /api/users/sessions", people.ActPeople, s.userSessions},
		{"POST /api/users/sessions/end", people.ActPeople, s.endUsers},
		{"GET /api/tokens", people.ActTokens, s.tokens},
		{"POST /api/token", people.ActTokens, s.makeToken},
		{"POST /api/token/revoke", people.ActTokens, s.revoke},
	}
}

func (s *Server) users(w http.ResponseWriter, r *http.Request, _ people.Session) {
	list, err := s.People.Users(r.Context())
	answer(w, list, err)
}

// userAct is the body of an act on a user. Acts that give somebody access ask for the
// administrator's password again.
type userAct struct {
	Name     string      `json:"name"`
	Role     people.Role `json:"role"`
	Disabled bool        `json:"disabled"`
	Password string      `json:"password"` // of who asks
}

// confirmed reads an act for which an administrator has given the own password again.
func (s *Server) confirmed(w http.ResponseWriter, r *http.Request, who people.Session) (userAct, error) {
	m, err := read[userAct](w, r)
	if err == nil {
		err = s.People.Confirm(r.Context(), who, m.Password)
	}
	return m, err
}

// link is the answer of an act that makes a link.
type link struct {
	Path string `json:"path"`
}

func (s *Server) invite(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := s.confirmed(w, r, who)
	if err != nil {
		failRetryable(w, err)
		return
	}
	token, err := s.People.Invite(r.Context(), who.Actor, m.Role)
	if err == nil {
		s.log.Info("somebody was invited to the desk", "role", m.Role, "by", who.Name)
	}
	answer(w, link{"/setup#" + token}, err)
}

// invites lists the links that nobody has used.
func (s *Server) invites(w http.ResponseWriter, r *http.Request, _ people.Session) {
	list, err := s.People.OpenInvites(r.Context())
	answer(w, list, err)
}

// withdraw makes a link void.
func (s *Server) withdraw(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		ID string `json:"id"`
	}](w, r)
	done(w, err, func() error { return s.People.WithdrawInvite(r.Context(), who.Actor, m.ID) })
}

func (s *Server) reset(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := s.confirmed(w, r, who)
	if err != nil {
		failRetryable(w, err)
		return
	}
	token, err := s.People.Reset(r.Context(), who.Actor, m.Name)
	if err == nil {
		s.log.Info("a link for a new password was made", "user", m.Name, "by", who.Name)
	}
	answer(w, link{"/setup#" + token}, err)
}

func (s *Server) setRole(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := s.confirmed(w, r, who)
	done(w, err, func() error {
		err := s.People.SetRole(r.Context(), who.Actor, m.Name, m.Role)
		if err == nil {
			s.log.Info("a user has another role", "user", m.Name, "role", m.Role, "by", who.Name)
		}
		return err
	})
}

// disable disables a user, at once and without a password, or enables one.
func (s *Server) disable(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[userAct](w, r)
	change := s.People.Disable
	if err == nil && !m.Disabled {
		change = s.People.Enable
		err = s.People.Confirm(r.Context(), who, m.Password)
	}
	done(w, err, func() error {
		err := change(r.Context(), who.Actor, m.Name)
		if err == nil {
			s.log.Info("a user was disabled or enabled", "user", m.Name, "disabled", m.Disabled, "by", who.Name)
		}
		return err
	})
}

func (s *Server) userSessions(w http.ResponseWriter, r *http.Request, who people.Session) {
	list, err := s.People.Sessions(r.Context(), r.URL.Query().Get("name"), who.ID)
	answer(w, list, err)
}

// endUsers ends one session of a user, or with an empty id all but the one that asks.
func (s *Server) endUsers(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		Name string `json:"name"`
		ID   string `json:"id"`
	}](w, r)
	done(w, err, func() error { return s.People.End(r.Context(), who, m.Name, m.ID) })
}

func (s *Server) tokens(w http.ResponseWriter, r *http.Request, _ people.Session) {
	list, err := s.People.Tokens(r.Context())
	answer(w, list, err)
}

func (s *Server) makeToken(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		Name     string      `json:"name"`
		Role     people.Role `json:"role"`
		Until    time.Time   `json:"until"`
		Password string      `json:"password"` // of who asks
	}](w, r)
	if err == nil {
		err = s.People.Confirm(r.Context(), who, m.Password)
	}
	if err != nil {
		failRetryable(w, err)
		return
	}
	token, err := s.People.MakeToken(r.Context(), who.Actor, m.Name, m.Role, m.Until)
	if err == nil {
		s.log.Info("a token was made", "token", m.Name, "role", m.Role, "until", m.Until, "by", who.Name)
	}
	answer(w, struct {
		Token string `json:"token"`
	}{token}, err)
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		Name string `json:"name"`
	}](w, r)
	done(w, err, func() error {
		err := s.People.Revoke(r.Context(), who.Actor, m.Name)
		if err == nil {
			s.log.Info("a token was revoked", "token", m.Name, "by", who.Name)
		}
		return err
	})
}
