package oidc

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"
)

// claims are what a token says of a person.
type claims struct {
	all map[string]json.RawMessage
}

func (c *claims) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &c.all) }

// at returns a claim by its name, or one inside another one by a path with dots
// (realm_access.roles). A name that has dots itself is found, too.
func (c claims) at(path string) (json.RawMessage, bool) {
	if v, ok := c.all[path]; ok {
		return v, true
	}
	first, rest, deeper := strings.Cut(path, ".")
	v, ok := c.all[first]
	if !ok || !deeper {
		return nil, false
	}
	var inner claims
	if json.Unmarshal(v, &inner) != nil {
		return nil, false
	}
	return inner.at(rest)
}

// text returns a claim that is a text; empty: it is not.
func (c claims) text(path string) (s string) {
	v, _ := c.at(path)
	_ = json.Unmarshal(v, &s) // empty then
	return s
}

// list returns a claim that is a list of texts, or one text. ok is false when there is no
// such claim.
func (c claims) list(path string) (out []string, ok bool) {
	v, ok := c.at(path)
	if !ok {
		return nil, false
	}
	if json.Unmarshal(v, &out) == nil {
		return out, true
	}
	if one := c.text(path); one != "" {
		return []string{one}, true
	}
	return nil, true
}

// when returns a claim that is a time; the zero time: it is not.
func (c claims) when(path string) time.Time {
	var s float64
	if v, ok := c.at(path); !ok || json.Unmarshal(v, &s) != nil || s <= 0 || s > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}

// name returns what a person is called.
func (c claims) name(claim, subject string) string {
	return cmp.Or(c.text(claim), c.text("preferred_username"), c.text("name"), c.text("email"), subject)
}
