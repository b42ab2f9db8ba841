package pages

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/passages"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
)

const (
	gatePassages = 50
	alertsListed = 300
	lossesListed = 200
	maxNote      = 500 // characters
	longestChart = 31 * 24 * time.Hour
)

func (s *Server) hours(w http.ResponseWriter, r *http.Request, _ people.Session) {
	span, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil || span <= 0 || span > longestChart {
		fail(w, errBody)
		return
	}
	hours, err := s.Passages.Hours(r.Context(), r.URL.Query().Get("agent"), s.now().Add(-span))
	answer(w, hours, err)
}

// gate answers the last alerts of a gate, and its last passages to those who may see
// them; null to others.
func (s *Server) gate(w http.ResponseWriter, r *http.Request, who people.Session) {
	agent := r.URL.Query().Get("agent")
	var passed []passages.Passage
	var err error
	if who.May(people.ActPassages) {
		if !s.look(w, r, who, audit.Act{Action: audit.LookGate, Object: "gate " + agent}) {
			return
		}
		passed, err = s.Passages.Last(r.Context(), agent, gatePassages)
	}
	if err != nil {
		fail(w, err)
		return
	}
	raised, err := s.Alerts.Last(r.Context(), agent, gatePassages)
	answer(w, struct {
		Passages []passages.Passage `json:"passages"`
		Alerts   []alerts.Alert     `json:"alerts"`
	}{passed, seen(who, raised)}, err)
}

func (s *Server) alerts(w http.ResponseWriter, r *http.Request, who people.Session) {
	list, err := s.Alerts.Last(r.Context(), "", alertsListed)
	answer(w, seen(who, list), err)
}

// acknowledge notes that somebody has seen an alert: some may only those about runs.
func (s *Server) acknowledge(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		ID   int64  `json:"id"`
		Note string `json:"note"`
	}](w, r)
	if err == nil && utf8.RuneCountInString(m.Note) > maxNote {
		err = errBody
	}
	if err == nil && !who.May(people.ActAlerts) {
		var run bool
		if run, err = s.Alerts.OfRun(r.Context(), m.ID); err == nil && !run {
			err = people.ErrRole
		}
	}
	if err == nil {
		err = s.Alerts.Acknowledge(r.Context(), s.now(), m.ID, by(who), strings.TrimSpace(m.Note))
	}
	if err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// poison is a row of the quarantine for the page.
type poison struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Agent  string    `json:"agent"`
	Seq    uint64    `json:"seq"`
	Reason string    `json:"reason"`
	Bytes  int       `json:"bytes"`
}

type hole struct {
	At     time.Time `json:"at"`
	Agent  string    `json:"agent"`
	From   uint64    `json:"from"`
	To     uint64    `json:"to"`
	Reason string    `json:"reason"`
}

func (s *Server) losses(w http.ResponseWriter, r *http.Request, _ people.Session) {
	held, err := s.Poison.Quarantined(r.Context(), lossesListed)
	if err != nil {
		fail(w, err)
		return
	}
	holes, err := s.Poison.Holes(r.Context())
	out := struct {
		Quarantine []poison `json:"quarantine"`
		Holes      []hole   `json:"holes"`
	}{[]poison{}, []hole{}}
	for _, p := range held {
		out.Quarantine = append(out.Quarantine, poison{p.ID, p.At, p.Agent, p.Seq, p.Reason, len(p.Raw)})
	}
	holes = slices.DeleteFunc(holes, func(h store.RecordedHole) bool {
		return h.Reason == store.ReasonRepeated // its records are stored
	})
	for _, h := range holes[max(0, len(holes)-lossesListed):] {
		out.Holes = append(out.Holes, hole{h.At, h.Agent, h.From, h.To, h.Reason})
	}
	answer(w, out, err)
}

// quarantine commits a row again, or drops it for good.
func (s *Server) quarantine(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		ID   int64 `json:"id"`
		Drop bool  `json:"drop"`
	}](w, r)
	if err != nil {
		fail(w, err)
		return
	}
	p, ok, err := s.Poison.Poison(r.Context(), m.ID)
	switch {
	case err != nil:
		fail(w, err)
		return
	case !ok: // somebody was faster
		w.WriteHeader(http.StatusNoContent)
		return
	}
	act := audit.Act{Action: audit.RetryQuarantine, Object: objectOf(p),
		Detail: fmt.Sprintf("of %s, seq %d", p.Agent, p.Seq)}
	treat := func() error { return s.Poison.Retry(r.Context(), p) }
	if m.Drop {
		act.Action = audit.DropQuarantine
		treat = func() error { _, err := s.Poison.Drop(r.Context(), m.ID); return err }
	}
	err = s.audited(r.Context(), by(who), act, treat)
	if errors.Is(err, books.ErrStays) {
		answer(w, struct {
			Stays string `json:"stays"`
		}{err.Error()}, nil)
		return
	}
	if err != nil {
		fail(w, err)
		return
	}
	s.log.Info("a row of the quarantine has gone", "id", p.ID, "agent", p.Agent, "jid", p.JID, "seq", p.Seq,
		"reason", p.Reason, "dropped", m.Drop, "by", who.Name)
	w.WriteHeader(http.StatusNoContent)
}

func beginning(p store.Quarantined) string {
	return strings.ToValidUTF8(string(p.Raw[:min(len(p.Raw), shownWhole)]), "\uFFFD")
}
