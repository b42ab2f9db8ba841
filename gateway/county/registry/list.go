package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity/authority"
)

// Gate is a gate as the desk lists it.
type Gate struct {
	Agent       string     `json:"agent"`
	Fingerprint string     `json:"fingerprint,omitempty"` // of the key that counts; empty: it has no identity
	Ends        *time.Time `json:"ends,omitempty"`        // of its certificate
	ApprovedBy  string     `json:"approved_by,omitempty"`
	Revoked     *time.Time `json:"revoked,omitempty"`
	RevokedBy   string     `json:"revoked_by,omitempty"`
	CodeUntil   *time.Time `json:"code_until,omitempty"` // a code that nobody has used yet
}

// Waiting is a request that somebody has to decide.
type Waiting struct {
	ID          string    `json:"id"`
	Agent       string    `json:"agent"`
	Fingerprint string    `json:"fingerprint"`
	From        string    `json:"from"` // address
	At          time.Time `json:"at"`
	Until       time.Time `json:"until"`
	Replaces    string    `json:"replaces,omitempty"` // fingerprint of the key that becomes void
}

// Other is a machine or reader with a certificate.
type Other struct {
	Name        string         `json:"name"`
	Kind        authority.Kind `json:"kind"`
	Fingerprint string         `json:"fingerprint"`
	Ends        time.Time      `json:"ends"` // of its certificate
	ApprovedBy  string         `json:"approved_by"`
	Revoked     *time.Time     `json:"revoked,omitempty"`
	RevokedBy   string         `json:"revoked_by,omitempty"`
}

// List is what the desk shows.
type List struct {
	Off     string    `json:"off,omitempty"`     // why no code can be made; empty: they can
	OneKey  bool      `json:"one_key,omitempty"` // all gates have one key for pseudonyms, for ever
	Ending  []Ending  `json:"ending"`
	Gates   []Gate    `json:"gates"`
	Others  []Other   `json:"others"` // machines and readers, in order of their names
	Waiting []Waiting `json:"waiting"`
	// Unknown agents are not enrolled, and nothing is taken of them; in order of their names.
	Unknown []Unknown `json:"unknown"`
}

// List returns the gates with their identities, and the requests that wait, oldest first.
func (r *Registry) List(ctx context.Context) (List, error) {
	now := r.opts.Now()
	l := List{OneKey: r.opts.OneKey, Ending: r.Ending(now), Gates: []Gate{}, Others: r.others(), Waiting: []Waiting{}}
	if r.opts.Authority == nil || len(r.opts.URLs) == 0 {
		l.Off = ErrOff.Error()
	}
	codes, err := db.All(ctx, r.opts.File.Reader(), scanCode, codeColumns+" WHERE request = '' AND expires > ?",
		now.UnixNano())
	if err != nil {
		return l, fmt.Errorf("read the codes: %w", err)
	}
	requests, err := db.All(
		ctx,
		r.opts.File.Reader(),
		scanRequest,
		requestColumns+" WHERE state = ? AND at > ? ORDER BY at",
		waiting,
		now.Add(-CodeFor).UnixNano(),
	)
	if err != nil {
		return l, fmt.Errorf("read the requests: %w", err)
	}
	for _, q := range requests {
		w := Waiting{ID: q.id, Agent: q.agent, Fingerprint: enrolment.Fingerprint(q.key), From: q.from, At: q.made,
			Until: q.until()}
		if i, ok := r.Lookup(q.agent); ok && i.Revoked.IsZero() {
			w.Replaces = i.Fingerprint()
		}
		l.Waiting = append(l.Waiting, w)
	}
	until := map[string]*time.Time{}
	for _, c := range codes {
		until[c.agent] = &c.expires
	}
	for _, agent := range r.names() {
		l.Gates = append(l.Gates, r.gate(agent, until[agent]))
	}
	l.Unknown = r.unknowns.all(func(agent string) bool { _, ok := r.Lookup(agent); return ok })
	slices.SortFunc(l.Unknown, func(a, b Unknown) int { return strings.Compare(a.Agent, b.Agent) })
	return l, nil
}

// names returns the gates of the site file, and after them those that it has no more.
func (r *Registry) names() []string {
	names, known := append([]string{}, r.opts.Agents...), map[string]bool{}
	for _, agent := range names {
		known[agent] = true
	}
	for _, i := range r.Identities() {
		if !known[i.Name] && i.Kind == authority.Agent {
			names = append(names, i.Name)
		}
	}
	return names
}

// others returns the machines and readers.
func (r *Registry) others() []Other {
	out := []Other{}
	for _, i := range r.Identities() {
		if i.Kind == authority.Agent {
			continue
		}
		o := Other{Name: i.Name, Kind: i.Kind, Fingerprint: i.Fingerprint(), Ends: i.NotAfter,
			ApprovedBy: i.ApprovedBy, RevokedBy: i.RevokedBy}
		if !i.Revoked.IsZero() {
			o.Revoked = &i.Revoked
		}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b Other) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (r *Registry) gate(agent string, code *time.Time) Gate {
	g := Gate{Agent: agent, CodeUntil: code}
	i, ok := r.Lookup(agent)
	if !ok {
		return g
	}
	g.Fingerprint, g.ApprovedBy, g.RevokedBy, g.Ends = i.Fingerprint(), i.ApprovedBy, i.RevokedBy, &i.NotAfter
	if !i.Revoked.IsZero() {
		g.Revoked = &i.Revoked
	}
	return g
}
