package pages

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"gatehouse/gateway/county/oidc"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/peer"
	"gatehouse/gateway/secret"
)

// providerErrors lists what can be wrong with a log-in at the provider of identities. The
// browser comes back with the code behind the #.
var providerErrors = []known{
	{oidc.ErrAway, "oidc-away", http.StatusServiceUnavailable},
	{oidc.ErrFlow, "oidc-flow", http.StatusForbidden},
	{oidc.ErrDenied, "oidc-denied", http.StatusForbidden},
	{oidc.ErrToken, "oidc-token", http.StatusForbidden},
	{oidc.ErrNotNow, "oidc-not-now", http.StatusForbidden},
	{people.ErrNoGroup, "oidc-group", http.StatusForbidden},
	{people.ErrOther, "oidc-other", http.StatusForbidden},
	{people.ErrDisabled, "disabled", http.StatusForbidden},
	{people.ErrSession, "session", http.StatusUnauthorized},
	{people.ErrName, "name", http.StatusUnprocessableEntity},
}

// flowFor is how long a browser keeps the cookie of a log-in at the provider.
const flowFor = 10 * time.Minute

// leaving is the answer to a log-out of somebody who came by the provider.
type leaving struct {
	To string `json:"to"` // address at the provider that ends the log-in there; empty: none
}

// newProvider returns the provider of a configuration; nil: there is none.
func newProvider(c oidc.Config, now func() time.Time) (*oidc.Provider, error) {
	if !c.On() {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	password, err := secret.Line(c.ClientSecretFile)
	if err != nil {
		return nil, err
	}
	return oidc.New(c, password, now)
}

// providerRoutes are those of log-ins at the provider of identities.
func (s *Server) providerRoutes() []route {
	return []route{
		{"GET /api/ways", people.ActAnybody, s.ways},
		{"GET " + oidc.BeginPath, people.ActAnybody, s.oidcBegin},
		{"GET " + oidc.DonePath, people.ActAnybody, s.oidcDone},
	}
}

// ways answers how one can log in, besides with a password.
func (s *Server) ways(w http.ResponseWriter, _ *http.Request, _ people.Session) {
	out := struct {
		Provider string `json:"provider,omitempty"` // what the button says; empty: there is none
	}{}
	if s.provider != nil {
		out.Provider = s.cfg.OIDC.Button()
	}
	answer(w, out, nil)
}

// oidcBegin leads a browser to the provider. One that calls the desk by another name goes
// to the configured one first: the provider leads back there, and cookies are a host's.
func (s *Server) oidcBegin(w http.ResponseWriter, r *http.Request, _ people.Session) {
	if s.provider == nil {
		http.NotFound(w, r)
		return
	}
	own, err := url.Parse(s.cfg.OIDC.Base() + oidc.BeginPath)
	if err == nil && peer.Name(own.Host) != peer.Name(s.proxies.Of(r).Host) && r.URL.Query().Get("moved") == "" {
		q := r.URL.Query()
		q.Set("moved", "1") // once: a proxy may hide the name
		own.RawQuery = q.Encode()
		seeOther(w, own.String())
		return
	}
	confirm := r.URL.Query().Get("confirm") != ""
	var of people.Session // the browser sends its cookie now, and not when it comes back from elsewhere
	if confirm {
		if of, err = s.People.Who(r.Context(), s.shown(r)); err == nil && !of.Provided {
			err = people.ErrSession
		}
	}
	var to, kept string
	if err == nil {
		to, kept, err = s.provider.Begin(r.Context(), of.ID)
	}
	if err != nil {
		s.oidcFailed(w, r, confirm, err)
		return
	}
	s.jar(r).set(w, flowCookie, kept, flowFor)
	seeOther(w, to)
}

// oidcDone takes a browser that comes back from the provider.
func (s *Server) oidcDone(w http.ResponseWriter, r *http.Request, _ people.Session) {
	if s.provider == nil {
		http.NotFound(w, r)
		return
	}
	jar := s.jar(r)
	who, flow, err := s.provider.Finish(r.Context(), r.URL.Query(), jar.get(flowCookie))
	jar.set(w, flowCookie, "", -1)
	var entry people.Entry
	switch {
	case err != nil:
	case flow.Session() != "":
		err = s.People.ConfirmAt(r.Context(), flow.Session(), who)
	default:
		visitor := people.Visitor{From: s.proxies.Of(r).Addr, Browser: jar.get(browserCookie), Names: r.UserAgent()}
		entry, err = s.People.Enter(r.Context(), visitor, who)
	}
	switch {
	case err != nil:
		s.oidcFailed(w, r, flow.Session() != "", err)
	case flow.Session() != "":
		seeOther(w, "../../confirmed")
	default:
		jar.set(w, sessionCookie, entry.Session, 0)
		seeOther(w, "../../")
	}
}

// oidcFailed leads a browser to the page that says in words what was wrong.
func (s *Server) oidcFailed(w http.ResponseWriter, r *http.Request, confirm bool, err error) {
	code := "server"
	for _, x := range providerErrors {
		if errors.Is(err, x.err) {
			code = x.code
			break
		}
	}
	s.log.Warn("somebody could not log in by the provider of identities", "remote", s.proxies.Of(r).Addr.String(),
		"err", err)
	page := "../../"
	if confirm {
		page += "confirmed"
	}
	seeOther(w, page+"#failed="+code)
}

// seeOther answers with the address of another page, which may be relative: something in
// front may have stripped a path.
func seeOther(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
