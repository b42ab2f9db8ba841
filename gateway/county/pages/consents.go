package pages

import (
	"net/http"

	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/people"
)

// consentRoutes are those of what needs a second person.
func (s *Server) consentRoutes() []route {
	return []route{
		{"GET /api/consents", people.ActAgree, s.consents},
		{"POST /api/consent", people.ActAgree, s.consent},
	}
}

// consents answers what waits for a second person, and what became of it in the last days.
func (s *Server) consents(w http.ResponseWriter, r *http.Request, who people.Session) {
	list, err := s.Consents.List(r.Context())
	type row struct {
		consent.Request

		Own      bool `json:"own,omitempty"`       // who asks may take it back
		MayAgree bool `json:"may_agree,omitempty"` // who asks may decide it
	}
	rows := make([]row, 0, len(list))
	for _, x := range list {
		own := x.AskedBy == who.Name
		rows = append(rows, row{x, own, !own && consent.MayAgree(who.Role, x.Act)})
	}
	answer(w, rows, err)
}

// consent agrees to a request, or refuses it. To agree asks for the own password again.
func (s *Server) consent(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		ID       int64  `json:"id"`
		Refuse   bool   `json:"refuse"`
		Password string `json:"password"` // of who agrees
	}](w, r)
	decide := s.Consents.Refuse
	if err == nil && !m.Refuse {
		decide = s.Consents.Agree
		err = s.People.Confirm(r.Context(), who, m.Password)
	}
	done(w, err, func() error { return decide(r.Context(), who.Actor, m.ID) })
}
