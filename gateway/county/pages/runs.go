package pages

import (
	"net/http"

	"gatehouse/gateway/county/people"
)

const runsListed = 300

func (s *Server) checks(w http.ResponseWriter, r *http.Request, _ people.Session) {
	list, err := s.Checks.All(r.Context(), s.now())
	answer(w, list, err)
}

func (s *Server) runs(w http.ResponseWriter, r *http.Request, _ people.Session) {
	list, err := s.Runs.Last(r.Context(), r.URL.Query().Get("machine"), runsListed)
	answer(w, list, err)
}

func (s *Server) run(w http.ResponseWriter, r *http.Request, _ people.Session) {
	page, err := s.Runs.One(r.Context(), r.URL.Query().Get("machine"), r.URL.Query().Get("run"))
	answer(w, page, err)
}
