// Package pages serves the county's desk to browsers: log-in, the requests of the
// pages, and the stream of what is new.
package pages

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/calls"
	"gatehouse/gateway/county/checks"
	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/lookup"
	"gatehouse/gateway/county/notices"
	"gatehouse/gateway/county/passages"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/county/retention"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/live"
	"gatehouse/gateway/openfiles"
	"gatehouse/gateway/peer"
	"gatehouse/gateway/probe"
	"gatehouse/gateway/web"
)

// Alerts are those of the county.
type Alerts interface {
	Last(ctx context.Context, agent string, limit int) ([]alerts.Alert, error)
	Acknowledge(ctx context.Context, now time.Time, id int64, by audit.By, note string) error
	// Answer answers a guard's call, and End ends it.
	Answer(ctx context.Context, now time.Time, id int64, by audit.By, answer calls.Answer) error
	End(ctx context.Context, now time.Time, id int64, by audit.By) error
}

// Notices are what the county tells its guards.
type Notices interface {
	Write(ctx context.Context, now time.Time, by audit.By, n notices.Notice) (notices.Notice, error)
	Remove(ctx context.Context, now time.Time, by audit.By, id uint64) error
}

// Passages are those of the county's gates.
type Passages interface {
	Hours(ctx context.Context, agent string, from time.Time) ([]passages.Hour, error)
	Last(ctx context.Context, agent string, limit int) ([]passages.Passage, error)
}

// Checks are the field checks of the county's thermometers.
type Checks interface {
	All(ctx context.Context, now time.Time) ([]checks.Thermometer, error)
}

// Runs are those of the county's machines.
type Runs interface {
	Last(ctx context.Context, machine string, limit int) ([]fleet.RunSummary, error)
	One(ctx context.Context, machine, id string) (fleet.RunPage, error)
}

// Users are those who may log in, and how one becomes one of them.
type Users interface {
	Users(ctx context.Context) ([]string, error)
	Invite(ctx context.Context, by string) (token string, err error)
	SetUp(ctx context.Context, token, name, password string) error
}

// Sessions are those of users.
type Sessions interface {
	Login(ctx context.Context, v people.Visitor, name, password string) (people.Entry, error)
	Session(ctx context.Context, token string) (name string, until time.Time, err error)
	Logout(ctx context.Context, token string) error
	// Remember returns the tokens of a browser with which a user was set up.
	Remember(ctx context.Context, tokens, name string) (string, error)
	// AwaitEnd returns when the session has ended, or ctx ends.
	AwaitEnd(ctx context.Context, token string)
}

// People are users with their sessions.
type People interface {
	Users
	Sessions
}

// State streams the state of the county to a page until ctx ends.
type State interface {
	Serve(ctx context.Context, w http.ResponseWriter, r *http.Request, hearer live.Hearer)
}

// Poison is the quarantine, as its page lists it and its buttons treat it.
type Poison interface {
	Poison(ctx context.Context, id int64) (store.Quarantined, bool, error)
	Retry(ctx context.Context, p store.Quarantined) error
	Drop(ctx context.Context, id int64) (bool, error)
	Quarantined(ctx context.Context, limit int) ([]store.Quarantined, error)
	Holes(ctx context.Context) ([]store.RecordedHole, error)
}

// Removed is what was removed from the store because it was old.
type Removed interface {
	Expired(ctx context.Context) ([]store.Expired, error)
}

// Parts are what the pages show and act on.
type Parts struct {
	Alerts   Alerts
	Passages Passages
	Runs     Runs
	Notices  Notices
	Checks   Checks
	People   People
	Poison   Poison
	Audit    Audit
	Removed  Removed
	Registry Registry
	Kept     []retention.Kept // for how long records are kept
	Records  lookup.County    // for one passage
	Zone     *time.Location   // of the county
	State    State
	Prober   probe.Prober
}

// Server serves one desk.
type Server struct {
	Parts

	cfg      Config
	proxies  peer.Proxies
	scraper  *bearer           // nil: no token is configured
	attempts registry.Attempts // of gates to use a code
	version  string
	now      func() time.Time
	log      *slog.Logger
}

// New returns a server of a desk's parts.
func New(cfg Config, parts Parts, version string, log *slog.Logger) (*Server, error) {
	s := &Server{Parts: parts, cfg: cfg, version: version, now: time.Now, log: log}
	var err error
	if s.proxies, err = peer.Parse(cfg.Proxies); err != nil {
		return nil, fmt.Errorf("desk: proxies: %w", err)
	}
	if s.scraper, err = readBearer(cfg.MetricsTokenFile); err != nil {
		return nil, fmt.Errorf("desk: metrics_token_file: %w", err)
	}
	return s, nil
}

// Listen opens the desk's address, for as many connections as leave the store
// and the broker their open files.
func Listen(ctx context.Context, c Config, log *slog.Logger) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("serve the county's desk: %w", web.Unheard(c.Listen, err))
	}
	proxies, err := peer.Parse(c.Proxies)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("desk: proxies: %w", err), l.Close())
	}
	l = web.Strange(web.Bound(l, openfiles.Pages(), proxies, log), c.TLS.Cert != "", log)
	if c.TLS.Cert == "" {
		return l, nil
	}
	cert, err := identity.KeyPair(c.TLS.Cert, c.TLS.Key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("desk: tls: %w", err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}), nil
}

// Serve serves on l until ctx ends. The first start, when there is no user yet,
// logs a link with which the first one is made.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	scheme := "http"
	if s.cfg.TLS.Cert != "" {
		scheme = "https"
	}
	url := scheme + "://" + s.callable(l.Addr().String()) + s.base()
	s.log.Info("the county's desk", "url", url)
	if err := s.welcome(ctx, url); err != nil {
		return errors.Join(err, l.Close())
	}
	h := web.NewServer(s.handler(ctx, l.Addr().String()), s.log)
	stop := context.AfterFunc(ctx, func() { _ = h.Close() }) // pages connect again
	defer stop()
	if err := h.Serve(l); ctx.Err() == nil {
		return fmt.Errorf("serve the county's desk: %w", err)
	}
	return nil
}

// callable returns an address that a browser can open: of a server that listens
// on all addresses the first name that is configured.
func (s *Server) callable(addr string) string {
	from, err := netip.ParseAddrPort(addr)
	if err != nil || !from.Addr().IsUnspecified() || len(s.cfg.Hosts) == 0 {
		return addr
	}
	return net.JoinHostPort(s.cfg.Hosts[0], strconv.Itoa(int(from.Port())))
}

// welcome logs a link with which the first user is made, when there is none.
func (s *Server) welcome(ctx context.Context, url string) error {
	users, err := s.People.Users(ctx)
	if err != nil || len(users) > 0 {
		return err
	}
	token, err := s.People.Invite(ctx, "")
	if err != nil {
		return err
	}
	s.log.Warn("nobody can log in yet: open this link once and choose a name and a password",
		"link", url+"/setup#"+token)
	return nil
}

func (s *Server) handler(ctx context.Context, addr string) http.Handler {
	mux := http.NewServeMux()
	probes := http.NewServeMux()
	probe.Mount(probes, s.version, s.Prober)
	for _, path := range []string{"GET /readyz", "GET /metrics"} {
		mux.Handle(path, s.near(probes))
	}
	page := web.Load("desk")
	for _, path := range []string{
		"/{$}", "/alerts", "/audit", "/checks", "/enrol", "/gates/{agent}", "/losses", "/machines",
		"/machines/{machine}", "/notices", "/runs/{machine}/{run}", "/users", "/setup", "/assets/",
	} {
		mux.Handle("GET "+path, page)
	}
	mux.Handle("/", web.NotFound([]string{"/alerts", "/audit", "/checks", "/enrol", "/gates", "/losses", "/machines",
		"/notices", "/runs", "/users", "/setup"}))
	mux.HandleFunc("GET /live", s.live(ctx))
	mux.HandleFunc("POST /api/login", s.login)
	mux.HandleFunc("POST /api/setup", s.setUp)
	mux.HandleFunc("POST /api/logout", s.logout)
	mux.HandleFunc("GET /api/session", s.user(s.session))
	mux.HandleFunc("GET /api/hours", s.user(s.hours))
	mux.HandleFunc("GET /api/checks", s.user(s.checks))
	mux.HandleFunc("GET /api/runs", s.user(s.runs))
	mux.HandleFunc("GET /api/run", s.user(s.run))
	mux.HandleFunc("GET /api/gate", s.user(s.gate))
	mux.HandleFunc("GET /api/passage", s.user(s.passage))
	mux.HandleFunc("GET /api/alerts", s.user(s.alerts))
	mux.HandleFunc("POST /api/acknowledge", s.user(s.acknowledge))
	mux.HandleFunc("POST /api/answer", s.user(s.answerCall))
	mux.HandleFunc("POST /api/notice", s.user(s.notice))
	mux.HandleFunc("GET /api/audit", s.user(s.audit))
	mux.HandleFunc("GET /api/losses", s.user(s.losses))
	mux.HandleFunc("GET /api/quarantined", s.user(s.quarantined))
	mux.HandleFunc("GET /api/retention", s.user(s.retention))
	mux.HandleFunc("POST /api/quarantine", s.user(s.quarantine))
	mux.HandleFunc("GET /api/users", s.user(s.users))
	mux.HandleFunc("POST /api/invite", s.user(s.invite))
	s.mountEnrolment(mux)
	site := web.Site{Listen: addr, Hosts: s.cfg.Hosts, Proxies: s.proxies, Log: s.log}
	return s.alive(probes, web.Guard(site, web.Under(s.base(), mux)))
}

// live streams what is new to a page, for as long as its session lasts.
func (s *Server) live(ctx context.Context) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := s.token(r)
		name, _, err := s.People.Session(r.Context(), token)
		if err != nil {
			fail(w, err)
			return
		}
		if !s.look(w, r, name, audit.Act{Action: audit.LookLive}) {
			return
		}
		if !live.Upgrade(r) {
			s.log.Warn(
				"a request for the live connection is no WebSocket: if a browser sent it, a proxy in between must "+
					"pass on the headers Upgrade and Connection, see deploy/PROXY.md",
				"remote",
				s.proxies.Of(r).Addr.String(),
			)
		}
		ctx, cancel := context.WithCancel(ctx)
		var watching sync.WaitGroup
		defer watching.Wait()
		defer cancel()
		watching.Go(func() {
			s.People.AwaitEnd(ctx, token)
			cancel()
		})
		s.State.Serve(ctx, w, r, nil)
	}
}
