package pages

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/rules"
)

// rulesErrors lists the errors about versions of rules.
var rulesErrors = []known{
	{rules.ErrKind, "body", http.StatusUnprocessableEntity},
	{rules.ErrScope, "rules-scope", http.StatusUnprocessableEntity},
	{rules.ErrText, "rules-text", http.StatusUnprocessableEntity},
	{rules.ErrGone, "gone", http.StatusNotFound},
	{rules.ErrState, "rules-state", http.StatusConflict},
	{rules.ErrFaulty, "rules-faulty", http.StatusConflict},
	{rules.ErrSecond, "rules-second", http.StatusForbidden},
	{rules.ErrLocks, "rules-locks", http.StatusConflict},
	{rules.ErrVault, "rules-vault", http.StatusConflict},
}

// rulesRoutes are those of policy editors.
func (s *Server) rulesRoutes() []route {
	return []route{
		{"GET /api/rules", people.ActRules, s.rules},
		{"GET /api/rules/check", people.ActRules, s.rulesCheck},
		{"GET /api/rules/text", people.ActRules, s.rulesText},
		{"POST /api/rules/add", people.ActRules, s.rulesAdd},
		{"POST /api/rules/do", people.ActRules, s.rulesDo},
	}
}

// rules answers the versions, and how the gates stand.
func (s *Server) rules(w http.ResponseWriter, r *http.Request, _ people.Session) {
	list, err := s.Rules.List(r.Context())
	answer(w, struct {
		TwoPeople bool             `json:"two_people"`
		Versions  []rules.Version  `json:"versions"`
		Gates     []rules.Standing `json:"gates"`
	}{s.Rules.TwoPeople(), list, s.Standings.Standings()}, err)
}

// versionOf returns the number in a request's address.
func versionOf(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.URL.Query().Get("id"), 10, 64)
	if err != nil {
		return 0, errBody
	}
	return id, nil
}

// rulesCheck answers what is found of a version.
func (s *Server) rulesCheck(w http.ResponseWriter, r *http.Request, _ people.Session) {
	id, err := versionOf(r)
	var report *rules.Report
	if err == nil {
		report, err = s.Rules.Check(r.Context(), id)
	}
	answer(w, report, err)
}

// rulesText answers the text of a version. A look at what names people is in the audit.
func (s *Server) rulesText(w http.ResponseWriter, r *http.Request, who people.Session) {
	id, err := versionOf(r)
	var v rules.Version
	var text []byte
	if err == nil {
		v, text, err = s.Rules.Text(r.Context(), id)
	}
	if err == nil && v.Kind != rules.Policy && !s.look(w, r, who, audit.Act{Action: audit.LookRules,
		Object: "rules " + string(v.Kind) + " " + v.Scope, Detail: "version " + strconv.Itoa(v.No)}) {
		return
	}
	answer(w, struct {
		Text string `json:"text"`
	}{string(text)}, err)
}

// rulesAdd keeps a draft. The body is its text, as a file has it.
func (s *Server) rulesAdd(w http.ResponseWriter, r *http.Request, who people.Session) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, rules.MostText))
	if err != nil {
		fail(w, errors.Join(errBody, err))
		return
	}
	q := r.URL.Query()
	v, err := s.Rules.Add(r.Context(), by(who), rules.Key{Kind: rules.Kind(q.Get("kind")), Scope: q.Get("scope")},
		text, q.Get("note"))
	answer(w, v, err)
}

// rulesDo offers, approves or withdraws a version. To approve, and to take back what is
// approved, asks for the own password again.
func (s *Server) rulesDo(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		ID       int64  `json:"id"`
		Do       string `json:"do"`   // ask, approve, withdraw
		Lock     bool   `json:"lock"` // it is wanted that nobody can pass any more
		Password string `json:"password"`
	}](w, r)
	if err == nil && m.Do != "ask" {
		err = s.People.Confirm(r.Context(), who, m.Password)
	}
	done(w, err, func() error {
		switch m.Do {
		case "ask":
			return s.Rules.Ask(r.Context(), by(who), m.ID)
		case "approve":
			return s.Rules.Approve(r.Context(), by(who), m.ID, rules.Approval{Lock: m.Lock})
		case "withdraw":
			return s.Rules.Withdraw(r.Context(), by(who), m.ID)
		}
		return errBody
	})
}
