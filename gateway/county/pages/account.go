package pages

import (
	"net/http"

	"gatehouse/gateway/county/people"
)

// accountRoutes are those of everybody's own account.
func (s *Server) accountRoutes() []route {
	return []route{
		{"POST /api/password", people.ActAccount, s.changePassword},
		{"GET /api/sessions", people.ActAccount, s.ownSessions},
		{"POST /api/sessions/end", people.ActAccount, s.endOwn},
	}
}

// session answers who asks, and what the page may offer: the acts.
func (s *Server) session(w http.ResponseWriter, _ *http.Request, who people.Session) {
	acts := []people.Act{}
	for _, act := range people.Acts() {
		if who.May(act) {
			acts = append(acts, act)
		}
	}
	answer(w, struct {
		Name string       `json:"name"`
		Role people.Role  `json:"role"`
		Acts []people.Act `json:"acts"`
		// Of users of the provider, who log in there once more where others give their
		// password; and that this was done, and counts for the next act.
		Provided  bool `json:"provided,omitempty"`
		Confirmed bool `json:"confirmed,omitempty"`
	}{who.Name, who.Role, acts, who.Provided, s.People.Confirmed(who)}, nil)
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		Was      string `json:"was"`
		Password string `json:"password"`
	}](w, r)
	if err != nil {
		fail(w, err)
		return
	}
	if err := s.People.ChangePassword(r.Context(), who, s.shown(r).Session, m.Was, m.Password); err != nil {
		failRetryable(w, err)
		return
	}
	jar := s.jar(r)
	if tokens, err := s.People.Remember(r.Context(), jar.get(browserCookie), who.Name); err != nil {
		s.log.Error("remember a browser", "err", err)
	} else {
		jar.set(w, browserCookie, tokens, people.BrowserFor)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) ownSessions(w http.ResponseWriter, r *http.Request, who people.Session) {
	list, err := s.People.Sessions(r.Context(), who.Name, who.ID)
	answer(w, list, err)
}

// endOwn ends one of the sessions of who asks, or with an empty id all others.
func (s *Server) endOwn(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		ID string `json:"id"`
	}](w, r)
	done(w, err, func() error { return s.People.End(r.Context(), who, who.Name, m.ID) })
}

// done does an act, unless err says that its request can't be understood, and answers
// that it is done or why not.
func done(w http.ResponseWriter, err error, act func() error) {
	if err == nil {
		err = act()
	}
	if err != nil {
		failRetryable(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
