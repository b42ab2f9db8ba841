package held

import (
	"bytes"
	"context"
	"strings"

	"gatehouse/gateway/policy"
)

// Name says which list it is.
type Name struct {
	List  string `json:"list"`            // roster, guards or cases
	For   string `json:"for"`             // default, or the id of a compound or gate
	No    int    `json:"version"`         // 0: a file on the county's computer, from which gates are enrolled
	State string `json:"state,omitempty"` // draft, waiting, in force, replaced or withdrawn
}

// List is a list of the county that may name the card.
type List struct {
	Name

	Text []byte
	Err  error // why there is no text
}

// lists looks through the lists, one at a time.
func (s *search) lists(ctx context.Context) error {
	for l := range s.from.Lists {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := l.Err
		if err == nil {
			err = s.list(l)
		}
		if err != nil {
			s.report.Limits.Unread = append(s.report.Limits.Unread, Unread{l.Name, err.Error()})
		}
	}
	return nil
}

// list looks through one list. Its error repeats no number.
func (s *search) list(l List) error {
	switch l.List {
	case "roster":
		return s.roster(l)
	case "guards":
		guards, err := policy.ParseGuards(l.Text)
		for _, g := range guards {
			if g.Card != "" && s.same(g.Card) {
				s.report.Lists = append(s.report.Lists, Listed{Name: l.Name, Fields: map[string]string{"guard": g.ID}})
			}
		}
		return err
	}
	if bytes.Contains(bytes.ToUpper(l.Text), []byte(strings.ToUpper(s.who.Code))) {
		s.report.Lists = append(s.report.Lists, Listed{Name: l.Name})
	}
	return nil
}

func (s *search) roster(l List) error {
	lines, err := policy.RosterLines(l.Text)
	if err != nil {
		return err
	}
	for _, x := range lines[1:] {
		if len(x.Fields) == 0 || !s.same(x.Fields[0]) {
			continue
		}
		fields := map[string]string{}
		for i, value := range x.Fields[1:] {
			if value != "" && i+1 < len(lines[0].Fields) {
				fields[lines[0].Fields[i+1]] = value
			}
		}
		s.report.Lists = append(s.report.Lists, Listed{l.Name, x.Line, fields})
	}
	return nil
}

// same reports whether a field of a list is the card.
func (s *search) same(field string) bool {
	kind, code, err := policy.Credential(field)
	return err == nil && kind == s.who.Kind && strings.EqualFold(strings.TrimSpace(code), s.who.Code)
}
