package pages

import (
	"net/http"
	"time"

	"gatehouse/gateway/county/calls"
	"gatehouse/gateway/county/notices"
	"gatehouse/gateway/county/people"
)

// answerCall answers a guard's call, or ends it.
func (s *Server) answerCall(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		calls.Answer

		ID  int64 `json:"id"`
		End bool  `json:"end"`
	}](w, r)
	if err == nil && !m.End && m.Answer.Check() != nil {
		err = errBody
	}
	switch {
	case err != nil:
	case m.End:
		err = s.Alerts.End(r.Context(), s.now(), m.ID, by(who))
	default:
		err = s.Alerts.Answer(r.Context(), s.now(), m.ID, by(who), m.Answer)
	}
	if err != nil {
		fail(w, err)
		return
	}
	s.log.Info("a guard's call was answered", "alert", m.ID, "answer", m.Answer.Answer, "ended", m.End, "by", who.Name)
	w.WriteHeader(http.StatusNoContent)
}

// notice writes a notice for guards, or removes one.
func (s *Server) notice(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		notices.Where

		Zh     string    `json:"zh"`
		En     string    `json:"en"`
		Until  time.Time `json:"until"`
		Remove uint64    `json:"remove"` // id of the one to remove
	}](w, r)
	n := notices.Notice{Where: m.Where, Zh: m.Zh, En: m.En, Until: m.Until}
	switch {
	case err != nil:
	case m.Remove != 0:
		err = s.Notices.Remove(r.Context(), s.now(), by(who), m.Remove)
	default:
		n, err = s.Notices.Write(r.Context(), s.now(), by(who), n)
	}
	if err != nil {
		fail(w, err)
		return
	}
	s.log.Info("the notices for guards were changed", "notice", n.ID, "removed", m.Remove, "text", n.Zh,
		"community", n.Community, "gate", n.Gate, "by", who.Name)
	w.WriteHeader(http.StatusNoContent)
}
