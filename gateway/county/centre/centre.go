package centre

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/commits"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/epochs"
	"gatehouse/gateway/county/health"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/site"
)

// county is what Run starts, one step after the other.
type county struct {
	cfg     Config
	version string
	log     *slog.Logger

	sites     *site.County
	key       ed25519.PrivateKey
	siteKeyID string
	epochs    *epochs.Epochs // nil: one key for all gates
	archive   *archive.Archive
	broker    mqtt.Broker // where its own clients find it
	known     *identities // for the embedded broker
	rules     publishing
	admit     func()           // lets others use the embedded broker
	desk      collect.Observer // nil: there is none
	audit     *audit.Log
	registry  *registry.Registry
	ends      *end.Ends // nil: there is no desk
	told      atomic.Pointer[desk.Desk]
	reports   *reports
	backups   backups
	health    *health.Board
	commits   commits.Commits

	closers []func() error // of what was started, in that order
}

// Run runs the county until ctx ends. It returns an error if a part can't be
// started or closed.
func Run(ctx context.Context, cfg Config, version string, log *slog.Logger) (err error) {
	if err := cfg.Check(); err != nil {
		return err
	}
	c := &county{cfg: cfg, version: version, log: log, known: newIdentities(),
		health: cmp.Or(cfg.Health, health.NewBoard())}
	defer func() { err = errors.Join(err, c.close()) }()
	for _, step := range []func(context.Context) error{
		c.loadSites,
		c.lockFolder,
		c.loadKeys,
		c.startEpochs,
		c.openArchive,
		c.startBroker,
		c.refuseAnother,
		c.watchDisks,
		c.startDesk,
		c.startDiscovery,
		c.openAudit,
		c.openSigners,
		c.startEnd,
		c.rewind,
		c.watchCertificates,
		c.watchBackups,
		c.startRetention,
		c.startReports,
		c.collect,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// onClose has f called at the end, before those that were given earlier.
func (c *county) onClose(f func() error) { c.closers = append(c.closers, f) }

func (c *county) close() error {
	var errs []error
	for _, f := range slices.Backward(c.closers) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// defaultListen is where the embedded broker listens if nothing else is configured.
const defaultListen = "127.0.0.1:1883"

// embedded returns the configuration of the embedded broker.
func (c *county) embedded() broker.Config {
	own := broker.Config{Listen: defaultListen}
	if c.cfg.Broker.Embedded != nil {
		own = *c.cfg.Broker.Embedded
	}
	if own.Dir == "" {
		own.Dir = filepath.Join(c.cfg.Dir, "broker")
	}
	return own
}

// startBroker starts the embedded broker unless another one is configured.
func (c *county) startBroker(ctx context.Context) error {
	if e := c.cfg.Broker.External; e != nil {
		c.broker, c.admit = *e, func() {}
		return nil
	}
	own := c.embedded()
	own.Hold, own.Refused, own.County, own.Discovery = true, c.refuse, c.cfg.County, ""
	if c.cfg.discovers() {
		own.Discovery = broker.HomeAssistant
	}
	if c.cfg.Desk != nil { // it has the registry
		own.Identities, own.Certificates = c.known, c.cfg.Enrol != nil
	}
	c.health.Embedded()
	b, err := broker.Start(ctx, own, c.log)
	if err != nil {
		return err
	}
	c.onClose(b.Close)
	c.broker, c.admit = b.Client(), b.Admit
	return nil
}

// refuse tells the desk, once there is one, what the broker does not do for an
// agent. The broker calls it from any goroutine.
func (c *county) refuse(agent, why string) {
	if d := c.told.Load(); d != nil {
		d.Refused(agent, why, 1)
	}
}

// collect runs the collector until ctx ends. When another collector has taken
// over, this one stops storing and says so, and does not end: a supervisor would
// start it again, and it would take over in its turn.
func (c *county) collect(ctx context.Context) error {
	c.log.Info("collecting", "county", c.cfg.County, "gates", c.sites.Gates(),
		"broker", cmp.Or(c.broker.Name, c.broker.URL), "dir", c.cfg.Dir)
	var closing sync.WaitGroup
	defer closing.Wait()
	fenced := func(reason string) {
		closing.Go(func() {
			if err := c.reports.close(); err != nil {
				c.log.Error("stop taking reports", "err", err)
			}
		})
		if c.desk != nil {
			c.desk.Fenced(reason)
		}
	}
	return collect.New(collect.Config{County: c.cfg.County, Version: c.version, KnowsKey: c.knowsKey, Key: c.key,
		Sites: c.sites, Store: c.archive, Broker: c.broker, Watch: c.desk, Audit: c.audit, Fenced: fenced,
		Signers: signers{c.registry, c.log}, RequireSigned: c.cfg.RequireSigned,
		Health: c.health, Commits: &c.commits, Log: c.log}).Run(ctx)
}
