package pages

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/peer"
	"gatehouse/gateway/qr"
)

// Registry knows who may speak in the county, and puts gates into service.
type Registry interface {
	// What people at the desk do.
	List(ctx context.Context) (registry.List, error)
	MakeCode(ctx context.Context, agent string, by audit.By) (enrolment.Code, time.Time, error)
	Withdraw(ctx context.Context, agent string, by audit.By) error
	Approve(ctx context.Context, id string, by audit.By) error
	Refuse(ctx context.Context, id string, by audit.By) error
	Revoke(ctx context.Context, name string, by audit.By) error
	// What gates ask.
	Request(ctx context.Context, ask enrolment.Request, from string) (enrolment.Accepted, error)
	Answer(ctx context.Context, id string) (enrolment.Answer, error)
	Renew(ctx context.Context, ask enrolment.Renewal) (enrolment.Renewed, error)
}

// mostCodes is how many codes may be made at once: one for each gate of a large county.
const mostCodes = 1000

// enrolRoutes are what people at the desk and gates ask about enrolment.
func (s *Server) enrolRoutes() []route {
	return []route{
		{"GET /api/enrol", people.ActEnrol, s.enrolment},
		{"POST /api/enrol/codes", people.ActEnrol, s.enrolCodes},
		{"POST /api/enrol/decide", people.ActEnrol, s.enrolDecide},
		{"POST " + enrolment.RequestPath, people.ActAnybody, s.enrolRequest},
		{"GET " + enrolment.AnswerPath + "{id}", people.ActAnybody, s.enrolAnswer},
		{"POST " + enrolment.RenewPath, people.ActAnybody, s.enrolRenew},
	}
}

// enrolment answers what the page of gates in service shows.
func (s *Server) enrolment(w http.ResponseWriter, r *http.Request, _ people.Session) {
	list, err := s.Registry.List(r.Context())
	answer(w, list, err)
}

// card is a code as it is shown once, to be printed.
type card struct {
	Agent string    `json:"agent"`
	Text  string    `json:"text"`
	Until time.Time `json:"until"`
	Size  int       `json:"size"` // of the QR code, in modules
	Path  string    `json:"path"` // its dark modules, as a path of SVG
}

// enrolCodes makes codes for gates.
func (s *Server) enrolCodes(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		Agents []string `json:"agents"`
	}](w, r)
	if err == nil && (len(m.Agents) == 0 || len(m.Agents) > mostCodes) {
		err = errBody
	}
	cards := make([]card, 0, len(m.Agents))
	for _, agent := range m.Agents {
		if err != nil {
			break
		}
		var c enrolment.Code
		var until time.Time
		var drawn qr.Code
		if c, until, err = s.Registry.MakeCode(r.Context(), agent, by(who)); err != nil {
			break
		}
		if drawn, err = qr.Encode(c.QR()); err == nil {
			cards = append(cards, card{agent, c.Text(), until, drawn.Size(), drawn.Path()})
		}
	}
	answer(w, cards, err)
}

// enrolDecide approves or refuses the request of a gate, revokes an identity, or withdraws
// a code.
func (s *Server) enrolDecide(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		ID     string `json:"id"`     // of the request
		Do     string `json:"do"`     // approve, refuse
		Revoke string `json:"revoke"` // the agent whose identity ends, instead
		// The agent whose code is void, instead.
		Withdraw string `json:"withdraw"`
	}](w, r)
	switch {
	case err != nil:
	case m.Withdraw != "":
		err = s.Registry.Withdraw(r.Context(), m.Withdraw, by(who))
	case m.Revoke != "":
		err = s.Registry.Revoke(r.Context(), m.Revoke, by(who))
	case m.Do == "approve":
		err = s.Registry.Approve(r.Context(), m.ID, by(who))
	case m.Do == "refuse":
		err = s.Registry.Refuse(r.Context(), m.ID, by(who))
	default:
		err = errBody
	}
	if err != nil {
		s.log.Warn("a decision about a gate's enrolment was not carried out", "err", err)
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// Gates ask the three that follow. They have no session: what they send is signed by a
// code or by a key that the county knows.

// enrolRequest takes the request of a gate with a code.
func (s *Server) enrolRequest(w http.ResponseWriter, r *http.Request, _ people.Session) {
	s.attempt(w, r, http.StatusAccepted, func(from peer.Peer) (any, error) {
		ask, err := read[enrolment.Request](w, r)
		if err != nil {
			return nil, err
		}
		return s.Registry.Request(r.Context(), ask, from.Addr.String())
	})
}

// enrolAnswer answers what has become of a request.
func (s *Server) enrolAnswer(w http.ResponseWriter, r *http.Request, _ people.Session) {
	s.attempt(w, r, http.StatusOK, func(peer.Peer) (any, error) {
		return s.Registry.Answer(r.Context(), r.PathValue("id"))
	})
}

// enrolRenew answers with the certificate that counts for an agent.
func (s *Server) enrolRenew(w http.ResponseWriter, r *http.Request, _ people.Session) {
	s.attempt(w, r, http.StatusOK, func(peer.Peer) (any, error) {
		ask, err := read[enrolment.Renewal](w, r)
		if err != nil {
			return nil, err
		}
		return s.Registry.Renew(r.Context(), ask)
	})
}

// attempt serves a request of a gate, unless too many from its place have failed.
func (s *Server) attempt(w http.ResponseWriter, r *http.Request, status int, do func(peer.Peer) (any, error)) {
	from := s.proxies.Of(r)
	place := peer.Place(from.Addr)
	if wait := s.attempts.Try(place, s.now()); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		fail(w, errAttempts)
		return
	}
	v, err := do(from)
	if err == nil || !guessed(err) {
		s.attempts.Succeeded(place)
	}
	switch {
	case isWaiting(err):
		w.WriteHeader(http.StatusAccepted)
	case err != nil:
		if guessed(err) {
			s.log.Warn("a request about enrolment was refused", "remote", from.Addr.String(), "err", err)
		}
		fail(w, err)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // the gate may have gone
	}
}
