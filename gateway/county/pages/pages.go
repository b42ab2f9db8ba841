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
	"gatehouse/gateway/county/command"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/lookup"
	"gatehouse/gateway/county/notices"
	"gatehouse/gateway/county/oidc"
	"gatehouse/gateway/county/passages"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/county/retention"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/live"
	"gatehouse/gateway/openfiles"
	"gatehouse/gateway/peer"
	"gatehouse/gateway/probe"
	"gatehouse/gateway/repository"
	"gatehouse/gateway/web"
)

// Alerts are those of the county.
type Alerts interface {
	Last(ctx context.Context, agent string, limit int) ([]alerts.Alert, error)
	// OfRun reports whether an alert is about a run.
	OfRun(ctx context.Context, id int64) (bool, error)
	Acknowledge(ctx context.Context, now time.Time, id int64, by audit.By, note string) error
	// Answer answers a guard's call, and End ends it.
	Answer(ctx context.Context, now time.Time, id int64, by audit.By, answer calls.Answer) error
	End(ctx context.Context, now time.Time, id int64, by audit.By) error
}

// Commands are what gates are commanded.
type Commands interface {
	// Ask commands a gate; it returns the id of the command.
	Ask(ctx context.Context, by audit.By, r command.Request) (id string, err error)
	// Last returns the last commands of a gate, the newest first.
	Last(ctx context.Context, now time.Time, agent string, most int) ([]command.Row, error)
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

// State streams the state of the county to a page until ctx ends.
type State interface {
	Serve(ctx context.Context, w http.ResponseWriter, r *http.Request, page live.Page)
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

// Standings say how gates stand to the rules that are meant for them.
type Standings interface{ Standings() []rules.Standing }

// Parts are what the pages show and act on.
type Parts struct {
	Alerts   Alerts
	Passages Passages
	Runs     Runs
	Notices  Notices
	Commands Commands
	Checks   Checks
	People   *people.People
	Consents *consent.Consents
	Poison   Poison
	Audit    Audit
	Removed  Removed
	Registry Registry
	Kept     []retention.Kept // for how long records are kept
	Records  lookup.County    // for one passage
	Zone     *time.Location   // of the county
	State    State
	Prober   probe.Prober
	Rules    *rules.Rules // versions of what gates decide by
	// Standings say which gate decides by what is meant for it.
	Standings Standings
	Ends      Ends
	// CountyName is as people know it; to begin its end it is typed.
	CountyName string
	// Packages are served to gates, as apt asks for them; nil: none.
	Packages *repository.Folder
	// PackagesKey returns the public key by which they are verified; nil: there is none yet.
	PackagesKey func() ([]byte, error)
	Versions    Versions
	Gates       func() []presence.Agent // as the desk has last seen them
}

// Server serves one desk.
type Server struct {
	Parts

	cfg      Config
	proxies  peer.Proxies
	scraper  *bearer           // nil: no token is configured
	provider *oidc.Provider    // of identities; nil: there is none
	mark     string            // of this desk, in the names of its cookies
	attempts registry.Attempts // of gates to use a code
	packages *packages         // served to gates
	version  string
	now      func() time.Time
	log      *slog.Logger
}

// New returns a server of a desk's parts.
func New(cfg Config, parts Parts, version string, log *slog.Logger) (*Server, error) {
	s := &Server{Parts: parts, cfg: cfg, version: version, now: time.Now, log: log,
		packages: newPackages(parts.Packages)}
	var err error
	if s.proxies, err = peer.Parse(cfg.Proxies); err != nil {
		return nil, fmt.Errorf("desk: proxies: %w", err)
	}
	if s.scraper, err = readBearer(cfg.MetricsTokenFile); err != nil {
		return nil, fmt.Errorf("desk: metrics_token_file: %w", err)
	}
	if s.provider, err = newProvider(cfg.OIDC, s.now); err != nil {
		return nil, fmt.Errorf("desk: oidc: %w", err)
	}
	if s.mark, err = s.People.Mark(context.Background()); err != nil {
		return nil, fmt.Errorf("desk: %w", err)
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

// Serve serves on l until ctx ends. While there is no user it keeps a link with
// which the first one is made.
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
	var renewing sync.WaitGroup
	defer renewing.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	renewing.Go(func() { s.keepWelcome(ctx, url) })
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
