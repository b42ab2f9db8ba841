package pages

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/live"
	"gatehouse/gateway/probe"
	"gatehouse/gateway/web"
)

// route is a request that the desk answers.
type route struct {
	pattern string // of http.ServeMux
	act     people.Act
	answer  handler
}

// handler answers a request of somebody who may make it. Of people.ActAnybody only
// the address is known.
type handler func(w http.ResponseWriter, r *http.Request, who people.Session)

// pagePaths returns the addresses of the desk's pages. The page asks for what it shows.
func pagePaths() []string {
	return []string{
		"/{$}", "/account", "/alerts", "/audit", "/checks", "/confirmed", "/consents", "/end", "/enrol",
		"/gates/{agent}", "/losses", "/machines", "/machines/{machine}", "/notices",
		"/rules", "/runs/{machine}/{run}", "/users", "/versions", "/setup", "/assets/",
	}
}

// routes returns all requests that the desk answers, besides probes. ctx ends the
// live connections.
func (s *Server) routes(ctx context.Context) []route {
	return slices.Concat(s.pageRoutes(), []route{
		{"GET /live", people.ActSee, s.live(ctx)},
		{"GET /api/session", people.ActSee, s.session},
		{"GET /api/hours", people.ActSee, s.hours},
		{"GET /api/checks", people.ActSee, s.checks},
		{"GET /api/runs", people.ActSee, s.runs},
		{"GET /api/run", people.ActSee, s.run},
		{"GET /api/gate", people.ActSee, s.gate},
		{"GET /api/alerts", people.ActSee, s.alerts},
		{"GET /api/passage", people.ActPassages, s.passage},
		{"POST /api/acknowledge", people.ActRunAlerts, s.acknowledge},
		{"POST /api/answer", people.ActCalls, s.answerCall},
		{"POST /api/notice", people.ActNotices, s.notice},
		{"POST /api/open", people.ActOpen, s.openGate},
		{"POST /api/command", people.ActCommand, s.command},
		{"GET /api/commands", people.ActCommand, s.commands},
		{"GET /api/audit", people.ActAudit, s.audit},
		{"GET /api/losses", people.ActLosses, s.losses},
		{"GET /api/quarantined", people.ActQuarantine, s.quarantined},
		{"POST /api/quarantine", people.ActQuarantine, s.quarantine},
		{"GET /api/retention", people.ActRetention, s.retention},
	}, s.accountRoutes(), s.consentRoutes(), s.endRoutes(), s.peopleRoutes(), s.enrolRoutes(), s.providerRoutes(),
		s.rulesRoutes(), s.packageRoutes(), s.versionRoutes())
}

// pageRoutes are the page itself and what one needs to log in.
func (s *Server) pageRoutes() []route {
	page := web.Load("desk")
	show := func(w http.ResponseWriter, r *http.Request, _ people.Session) { page.ServeHTTP(w, r) }
	var out []route
	var known []string
	for _, path := range pagePaths() {
		out = append(out, route{"GET " + path, people.ActAnybody, show})
		first, _, _ := strings.Cut(path[1:], "/")
		known = append(known, "/"+first)
	}
	known = slices.Compact(slices.DeleteFunc(known, func(p string) bool { return p == "/{$}" || p == "/assets" }))
	none := web.NotFound(known)
	help := func(w http.ResponseWriter, r *http.Request, _ people.Session) { web.Help().ServeHTTP(w, r) }
	return append(out,
		route{"GET " + strings.TrimSuffix(web.HelpPath, "/"), people.ActAnybody, help},
		route{"GET " + web.HelpPath, people.ActAnybody, help},
		route{"/", people.ActAnybody, func(w http.ResponseWriter, r *http.Request, _ people.Session) {
			none.ServeHTTP(w, r)
		}},
		route{"POST /api/login", people.ActAnybody, s.login},
		route{"POST /api/invited", people.ActAnybody, s.invited},
		route{"POST /api/setup", people.ActAnybody, s.setUp},
		route{"POST /api/logout", people.ActAnybody, s.logout},
	)
}

// handler serves all routes. addr is the address that the desk listens on.
func (s *Server) handler(ctx context.Context, addr string) http.Handler {
	mux := http.NewServeMux()
	probes := http.NewServeMux()
	probe.Mount(probes, s.version, s.Prober)
	for _, path := range []string{"GET /readyz", "GET /metrics"} {
		mux.Handle(path, s.near(probes))
	}
	for _, x := range s.routes(ctx) {
		mux.HandleFunc(x.pattern, s.may(x.act, x.answer))
	}
	site := web.Site{Listen: addr, Hosts: s.cfg.Hosts, Proxies: s.proxies, Log: s.log}
	return s.alive(probes, web.Guard(site, web.Under(s.base(), mux)))
}

// may calls next for those who may do an act, and refuses all others.
func (s *Server) may(act people.Act, next handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		shown := s.shown(r)
		who := people.Session{Actor: people.Actor{From: shown.From}}
		if act != people.ActAnybody {
			var err error
			if who, err = s.People.Who(r.Context(), shown); err == nil && !who.May(act) {
				s.log.Warn("a role does not allow what was asked", "user", who.Name, "role", who.Role, "act", act,
					"remote", who.From)
				err = people.ErrRole
			}
			if err != nil {
				fail(w, err)
				return
			}
		}
		next(w, r, who)
	}
}

// live streams what is new to a page, for as long as its session lasts.
func (s *Server) live(ctx context.Context) handler {
	return func(w http.ResponseWriter, r *http.Request, who people.Session) {
		shown := s.shown(r)
		if who.May(people.ActPassages) && !s.look(w, r, who, audit.Act{Action: audit.LookLive}) {
			return
		}
		if !live.Upgrade(r) {
			s.log.Warn(
				"a request for the live connection is no WebSocket: if a browser sent it, a proxy in between must "+
					"pass on the headers Upgrade and Connection, see deploy/PROXY.md",
				"remote",
				shown.From,
			)
		}
		ctx, cancel := context.WithCancel(ctx)
		var watching sync.WaitGroup
		defer watching.Wait()
		defer cancel()
		watching.Go(func() {
			s.People.AwaitEnd(ctx, shown)
			cancel()
		})
		page := live.Page{}
		if !who.May(people.ActPassages) {
			page.See = withoutPersons
		}
		s.State.Serve(ctx, w, r, page)
	}
}
