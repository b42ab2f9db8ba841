package pages

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/people"
)

// Ends is the end of the county's service, or that it has not begun.
type Ends interface {
	Status(ctx context.Context) (end.Status, error)
	// Object names what two people decide on before Begin.
	Object() string
	Begin(ctx context.Context, by audit.By, use func(*sql.Tx) (string, error)) error
	Certificate(ctx context.Context, zone *time.Location) (string, error)
}

// errCountyName says that somebody has typed another name than the county's.
var errCountyName = errors.New("this is not the county's name")

// endErrors lists the errors about the end.
var endErrors = []known{
	{end.ErrBegun, "end-begun", http.StatusConflict},
	{end.ErrNotBegun, "end-not-begun", http.StatusConflict},
	{end.ErrGoesOn, "end-goes-on", http.StatusConflict},
	{errCountyName, "end-name", http.StatusUnprocessableEntity},
	{consent.ErrWaits, "consent-waits", http.StatusConflict},
	{consent.ErrNo, "consent-gone", http.StatusConflict},
	{consent.ErrObject, "consent-gone", http.StatusConflict},
	{consent.ErrOpen, "consent-many", http.StatusConflict},
}

// endRoutes are those of the end of the county's service.
func (s *Server) endRoutes() []route {
	return []route{
		{"GET /api/end", people.ActEnd, s.end},
		{"GET /api/end/certificate", people.ActEnd, s.endCertificate},
		{"POST /api/end/ask", people.ActEndBegin, s.endAsk},
		{"POST /api/end/begin", people.ActEndBegin, s.endBegin},
	}
}

// endGate is how far a gate is, for the page.
type endGate struct {
	Agent    string    `json:"agent"`
	State    end.State `json:"state"`
	Received time.Time `json:"received,omitzero"` // its receipt
	Through  uint64    `json:"through,omitempty"` // seq of its last record
}

type endStep struct {
	Name   string    `json:"name"`
	Done   time.Time `json:"done"`
	Detail string    `json:"detail"`
}

// endPage is the answer about an end.
type endPage struct {
	County  string           `json:"county"` // its name, which is typed to begin
	Asked   *consent.Request `json:"asked,omitempty"`
	ID      string           `json:"id,omitempty"` // empty: the end has not begun
	By      string           `json:"by,omitempty"`
	Begun   time.Time        `json:"begun,omitzero"`
	Ended   time.Time        `json:"finished,omitzero"`
	Missing int              `json:"missing"` // gates that had not answered when it was finished
	Gates   []endGate        `json:"gates"`
	Steps   []endStep        `json:"steps"`
}

// end answers how far the end is, and which request for it is open.
func (s *Server) end(w http.ResponseWriter, r *http.Request, _ people.Session) {
	out := endPage{County: s.CountyName, Gates: []endGate{}, Steps: []endStep{}}
	st, err := s.Ends.Status(r.Context())
	if errors.Is(err, end.ErrNotBegun) {
		err = nil
	}
	if err == nil {
		out.Asked, err = s.endAsked(r.Context())
	}
	out.ID, out.By, out.Begun, out.Ended, out.Missing = st.ID, st.By, st.Begun, st.Finished, st.Missing
	for _, g := range st.Gates {
		out.Gates = append(out.Gates, endGate{g.Agent, g.State, g.Received, g.Retired.Through})
	}
	for _, x := range st.Steps {
		out.Steps = append(out.Steps, endStep{x.Name, x.Done, x.Detail})
	}
	answer(w, out, err)
}

// endAsked returns the newest request for the end that may still be agreed to or used, or
// that was refused last; nil: there is none.
func (s *Server) endAsked(ctx context.Context) (*consent.Request, error) {
	list, err := s.Consents.List(ctx)
	i := slices.IndexFunc(list, func(x consent.Request) bool {
		return x.Act == consent.End && x.Object == s.Ends.Object()
	})
	if err != nil || i < 0 || list[i].DoneAt != nil || !s.now().Before(list[i].Expires) {
		return nil, err
	}
	return &list[i], nil
}

// endAsk asks another person to agree that the gates go out of service for good.
func (s *Server) endAsk(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		Password string `json:"password"` // of who asks
	}](w, r)
	var st end.Status
	if err == nil {
		st, err = s.Ends.Status(r.Context())
	}
	switch {
	case errors.Is(err, end.ErrNotBegun):
		err = nil
	case err == nil && st.ID != "":
		err = end.ErrBegun
	}
	if err == nil {
		err = s.People.Confirm(r.Context(), who, m.Password)
	}
	done(w, err, func() error {
		_, err := s.Consents.Ask(r.Context(), who.Actor, consent.End, s.Ends.Object(),
			"all gates go out of service for good")
		return err
	})
}

// endBegin tells the gates to go out of service for good, once another person has agreed.
// Who does it types the county's name.
func (s *Server) endBegin(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		ID       int64  `json:"id"`   // of the request
		Name     string `json:"name"` // of the county
		Password string `json:"password"`
	}](w, r)
	if err == nil && strings.TrimSpace(m.Name) != s.CountyName {
		err = errCountyName
	}
	if err == nil {
		err = s.People.Confirm(r.Context(), who, m.Password)
	}
	done(w, err, func() error {
		return s.Ends.Begin(r.Context(), by(who), func(tx *sql.Tx) (string, error) {
			x, err := s.Consents.Use(r.Context(), tx, m.ID, consent.End, s.Ends.Object())
			return x.String(), err
		})
	})
}

// endCertificate answers the signed certificate, as it is printed.
func (s *Server) endCertificate(w http.ResponseWriter, r *http.Request, _ people.Session) {
	text, err := s.Ends.Certificate(r.Context(), s.Zone)
	answer(w, struct {
		Text string `json:"text"`
	}{text}, err)
}
