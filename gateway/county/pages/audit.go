package pages

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/store"
)

// Audit keeps who did what, and who looked at what.
type Audit interface {
	// Write writes an entry. When it returns an error, what it is about must not be done.
	Write(ctx context.Context, by audit.By, act audit.Act) error
	// Look is Write for what pages ask for again and again.
	Look(ctx context.Context, by audit.By, act audit.Act) error
	Last(ctx context.Context, f audit.Filter) ([]audit.Entry, error)
}

const (
	auditListed = 200 // entries on one page
	shownWhole  = 4096
)

// by says who asks, for the audit.
func by(who people.Session) audit.By {
	return audit.By{Actor: who.Name, Role: string(who.Role), From: who.From}
}

// look writes that somebody is about to see something. It reports whether that may be
// shown, and else has answered.
func (s *Server) look(w http.ResponseWriter, r *http.Request, who people.Session, act audit.Act) bool {
	err := s.Audit.Look(r.Context(), by(who), act)
	if err != nil {
		s.log.Error("a look is not in the audit, and nothing is shown", "action", string(act.Action), "err", err)
		fail(w, err)
	}
	return err == nil
}

// audited writes an act on something outside of the desk's file before it is done, and
// that it has failed.
func (s *Server) audited(ctx context.Context, by audit.By, act audit.Act, do func() error) error {
	if err := s.Audit.Write(ctx, by, act); err != nil {
		return err
	}
	err := do()
	if err != nil {
		failed := audit.Act{Action: audit.NotDone, Object: act.Object, Detail: string(act.Action)}
		if failure := s.Audit.Write(ctx, by, failed); failure != nil {
			s.log.Error("that an act has failed is not in the audit", "object", act.Object, "err", failure)
		}
	}
	return err
}

// objectOf names a row of the quarantine in the audit.
func objectOf(p store.Quarantined) string { return "quarantine " + strconv.FormatInt(p.ID, 10) }

// quarantined answers with the beginning of what a row of the quarantine holds: it may be
// about people, and is shown to who asks for this row only.
func (s *Server) quarantined(w http.ResponseWriter, r *http.Request, who people.Session) {
	id, err := strconv.ParseInt(r.URL.Query().Get("id"), 10, 64)
	if err != nil {
		fail(w, errBody)
		return
	}
	p, ok, err := s.Poison.Poison(r.Context(), id)
	if err == nil && !ok {
		err = errRow
	}
	if err == nil {
		err = s.Audit.Write(r.Context(), by(who), audit.Act{Action: audit.LookQuarantine, Object: objectOf(p),
			Detail: fmt.Sprintf("of %s, %d bytes", p.Agent, len(p.Raw))})
	}
	answer(w, struct {
		Text  string `json:"text"`
		Whole bool   `json:"whole"`
	}{beginning(p), len(p.Raw) <= shownWhole}, err)
}

// audit answers with the newest entries that the request selects.
func (s *Server) audit(w http.ResponseWriter, r *http.Request, who people.Session) {
	q := r.URL.Query()
	f := audit.Filter{Actor: q.Get("actor"), Action: audit.Action(q.Get("action")), Object: q.Get("object"),
		Limit: auditListed}
	var err error
	if before := q.Get("before"); before != "" {
		f.Before, err = strconv.ParseUint(before, 10, 63)
	}
	for key, at := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		if text := q.Get(key); text != "" && err == nil {
			*at, err = time.Parse(time.RFC3339, text)
		}
	}
	if err != nil || !utf8.ValidString(f.Actor+string(f.Action)+f.Object) {
		fail(w, errBody)
		return
	}
	if !s.look(w, r, who, audit.Act{Action: audit.LookAudit}) {
		return
	}
	list, err := s.Audit.Last(r.Context(), f)
	answer(w, list, err)
}
