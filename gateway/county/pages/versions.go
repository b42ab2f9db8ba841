package pages

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/county/versions"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/repository"
	"gatehouse/gateway/wire"
)

// Versions are the upgrades of the county's gates.
type Versions interface {
	// Now returns the one that is on or was stopped; nil: none.
	Now() *versions.Rollout
	Last(ctx context.Context, most int) ([]versions.Rollout, error)
	Begin(ctx context.Context, by audit.By, p versions.Plan) error
	Act(ctx context.Context, by audit.By, id string, do versions.Do, gates []string) error
}

// versionErrors are errors that the page has words for.
var versionErrors = []known{
	{versions.ErrOpen, "versions-open", http.StatusConflict},
	{versions.ErrNone, "versions-none", http.StatusConflict},
	{versions.ErrWaves, "versions-waves", http.StatusUnprocessableEntity},
	{versions.ErrVersion, "versions-version", http.StatusUnprocessableEntity},
	{versions.ErrReason, "command-text", http.StatusUnprocessableEntity},
}

// pastShown is how many upgrades that have ended the page shows.
const pastShown = 10

func (s *Server) versionRoutes() []route {
	return []route{
		{"GET /api/versions", people.ActUpgrade, s.versions},
		{"POST /api/versions/begin", people.ActUpgrade, s.versionBegin},
		{"POST /api/versions/do", people.ActUpgrade, s.versionDo},
	}
}

// offered is a version that the county offers.
type offered struct {
	Version       string   `json:"version"`
	Architectures []string `json:"architectures"`
	Packages      []string `json:"packages"`
}

// gateVersion is what one gate runs.
type gateVersion struct {
	Agent   string        `json:"agent"`
	Program string        `json:"program,omitempty"` // empty: not known
	Online  bool          `json:"online"`
	Heard   *time.Time    `json:"heard,omitempty"`
	Upgrade *wire.Upgrade `json:"upgrade,omitempty"` // nil: its version says nothing of upgrades, or was not heard
}

// versionsPage is what the page shows.
type versionsPage struct {
	Serves      bool               `json:"serves"` // the county has a folder of packages
	Fingerprint string             `json:"fingerprint,omitempty"`
	Offered     []offered          `json:"offered"`
	Gates       []gateVersion      `json:"gates"`
	Rollout     *versions.Rollout  `json:"rollout,omitempty"`
	Past        []versions.Rollout `json:"past"`
	Limits      map[string]int     `json:"limits"` // of an upgrade, in minutes
}

// offers returns the versions with a package gatehouse, the newest first, and the fingerprint of
// the key by which gates verify them; empty: there is none yet.
func (s *Server) offers() (out []offered, fingerprint string, err error) {
	out = []offered{}
	if s.Packages == nil {
		return out, "", nil
	}
	key, err := s.PackagesKey()
	if err != nil || key == nil {
		return out, "", err
	}
	ring, err := openpgp.ParseRing(key)
	if err != nil {
		return nil, "", err
	}
	fingerprint = strings.Join(ring.Fingerprints(), ", ")
	list, err := s.Packages.Index(ring)
	if errors.Is(err, repository.ErrNone) {
		return out, fingerprint, nil
	}
	if err != nil {
		return nil, "", err
	}
	for _, p := range list {
		i := slices.IndexFunc(out, func(o offered) bool { return o.Version == p.Version })
		if i < 0 {
			i, out = len(out), append(out, offered{Version: p.Version})
		}
		o := &out[i]
		if p.Name == "gatehouse" && !slices.Contains(o.Architectures, p.Architecture) {
			o.Architectures = append(o.Architectures, p.Architecture)
		}
		if !slices.Contains(o.Packages, p.Name) {
			o.Packages = append(o.Packages, p.Name)
		}
	}
	out = slices.DeleteFunc(out, func(o offered) bool { return len(o.Architectures) == 0 })
	slices.SortFunc(out, func(a, b offered) int { return repository.Compare(b.Version, a.Version) })
	return out, fingerprint, nil
}

func (s *Server) versions(w http.ResponseWriter, r *http.Request, _ people.Session) {
	minutes := func(d time.Duration) int { return int(d / time.Minute) }
	p := versionsPage{Serves: s.Packages != nil, Rollout: s.Versions.Now(), Gates: []gateVersion{},
		Past: []versions.Rollout{}, Limits: map[string]int{"silent": minutes(versions.Silent),
			"longest": minutes(versions.Longest), "soak": minutes(versions.Soak)}}
	list, err := s.Versions.Last(r.Context(), pastShown+1)
	for _, x := range list {
		if !x.State.Open() && len(p.Past) < pastShown {
			p.Past = append(p.Past, x)
		}
	}
	var unread error
	p.Offered, p.Fingerprint, unread = s.offers()
	for _, a := range s.Gates() {
		p.Gates = append(p.Gates, gateOf(a))
	}
	slices.SortFunc(p.Gates, func(a, b gateVersion) int { return cmp.Compare(a.Agent, b.Agent) })
	answer(w, p, errors.Join(err, unread))
}

func gateOf(a presence.Agent) gateVersion {
	g := gateVersion{Agent: a.Agent, Program: a.Version, Online: a.Online(), Upgrade: a.Upgrade}
	if !a.Heard.IsZero() {
		g.Heard = new(a.Heard.UTC())
	}
	return g
}

// versionBegin begins an upgrade, for which the own password is given again.
func (s *Server) versionBegin(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		versions.Plan

		Password string `json:"password"` // of who asks
	}](w, r)
	if err == nil {
		err = s.People.Confirm(r.Context(), who, m.Password)
	}
	if err != nil {
		failRetryable(w, err)
		return
	}
	list, _, err := s.offers()
	if err == nil && !slices.ContainsFunc(list, func(o offered) bool { return o.Version == m.Version }) {
		err = versions.ErrVersion
	}
	done(w, err, func() error { return s.Versions.Begin(r.Context(), by(who), m.Plan) })
}

// versionDo changes the upgrade that is on.
func (s *Server) versionDo(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		ID    string      `json:"id"`
		Do    versions.Do `json:"do"`
		Gates []string    `json:"gates"` // of a wave that is added
	}](w, r)
	done(w, err, func() error { return s.Versions.Act(r.Context(), by(who), m.ID, m.Do, m.Gates) })
}
