package centre

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/lockfile"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/site"
)

// StoreFile is the SQLite file's name in the county's folder.
const StoreFile = "gatehouse.db"

// Beside resolves relative paths against the configuration file's own folder.
func (c *Config) Beside(file string) {
	paths := []*string{&c.Dir, &c.Sites, &c.SiteKey}
	if e := c.Broker.Embedded; e != nil {
		paths = append(paths, &e.Dir, &e.UsersFile, &e.TLS.Cert, &e.TLS.Key, &e.TLS.CA)
	}
	if e := c.Broker.External; e != nil {
		paths = append(paths, &e.PasswordFile, &e.CA, &e.Cert, &e.Key)
	}
	if c.Desk != nil {
		paths = append(paths, &c.Desk.TLS.Cert, &c.Desk.TLS.Key)
	}
	if c.Influx != nil {
		paths = append(paths, &c.Influx.TokenFile)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(file), *p)
		}
	}
}

// Run runs the county until ctx ends.
func Run(ctx context.Context, cfg Config, version string, log *slog.Logger) (err error) {
	if err := cfg.Check(); err != nil {
		return err
	}
	sites, err := site.Load(cfg.Sites)
	if err != nil {
		return err
	}
	if sites.ID != cfg.County {
		return fmt.Errorf("%s describes county %q, the configuration says %q", cfg.Sites, sites.ID, cfg.County)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("make the county's folder: %w", err)
	}
	locked, err := lock(cfg.Dir)
	if err != nil {
		return err
	}
	defer locked.Close()
	key, siteKey, err := keys(&cfg, log)
	if err != nil {
		return err
	}
	held, err := OpenArchive(cfg)
	if err != nil {
		return err
	}
	if since := cfg.RewindSince; !since.IsZero() {
		n, err := held.Rewind(ctx, since, func(p store.Position) bool { return p.JID == report.JID(cfg.County, p.Agent) })
		if err != nil {
			return errors.Join(err, held.Close())
		}
		log.Warn("watermarks were taken back; agents send again what they hold", "since", since, "journals", n)
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	address, closeBroker, err := startBroker(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeBroker()) }()
	log.Info("collecting", "county", cfg.County, "gates", sites.Gates(), "broker", cmp.Or(address.Name, address.URL), "dir", cfg.Dir)
	watched, closeDesk, err := startDesk(ctx, cfg, sites, held, address, version, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDesk()) }()
	closeReports, err := startReports(ctx, cfg, held, address, watched, log)
	if err != nil {
		return err
	}
	closeReports = sync.OnceValue(closeReports)
	defer func() { err = errors.Join(err, closeReports()) }()
	// A collector that another one has taken over from takes nothing more, and
	// says so as long as it runs: should it end, a supervisor would start it
	// again, and it would take over in its turn.
	var standing sync.WaitGroup
	defer standing.Wait()
	fenced := func(reason string) {
		standing.Go(func() {
			if err := closeReports(); err != nil {
				log.Error("end taking reports", "err", err)
			}
		})
		if watched != nil {
			watched.Fenced(reason)
		}
	}
	return collect.New(collect.Config{County: cfg.County, Version: version, KeyID: siteKey.ID(), Key: key.Private,
		Sites: sites, Store: held, Broker: address, Watch: watched, Fenced: fenced, Log: log}).Run(ctx)
}

// lock keeps a second collector off the same folder.
func lock(dir string) (io.Closer, error) {
	held, err := lockfile.Take(filepath.Join(dir, "lock"))
	if errors.Is(err, lockfile.ErrHeld) {
		return nil, fmt.Errorf("the county's folder %s is used by another collector that still runs: %w", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("lock the county's folder: %w", err)
	}
	return held, nil
}

// keys reads the county's keys and makes them on the first start.
func keys(cfg *Config, log *slog.Logger) (identity.CollectorKey, identity.SiteKey, error) {
	key, made, err := identity.LoadOrCreateCollectorKey(cfg.Dir)
	if err != nil {
		return key, identity.SiteKey{}, err
	}
	if made {
		log.Info("the collector's keys were made: give collector.pub to every agent", "dir", cfg.Dir)
	}
	if cfg.SiteKey == "" {
		cfg.SiteKey = filepath.Join(cfg.Dir, "site.key")
		if _, err := os.Stat(cfg.SiteKey); errors.Is(err, os.ErrNotExist) {
			if _, err := identity.CreateSiteKey(cfg.SiteKey); err != nil {
				return key, identity.SiteKey{}, err
			}
			log.Info("the county's site key was made: copy it to every gate, and keep it secret", "file", cfg.SiteKey)
		}
	}
	siteKey, err := identity.LoadSiteKey(cfg.SiteKey)
	return key, siteKey, err
}

// OpenArchive opens what cfg says records are stored in, also while a collector
// runs: both write in whole transactions.
func OpenArchive(cfg Config) (*archive.Archive, error) {
	path := filepath.Join(cfg.Dir, StoreFile)
	if cfg.Influx == nil {
		return archive.OpenSQLite(path)
	}
	token := os.Getenv(TokenVariable)
	if cfg.Influx.TokenFile != "" {
		b, err := os.ReadFile(cfg.Influx.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("read the InfluxDB token: %w", err)
		}
		token = strings.TrimSpace(string(b))
	}
	return archive.OpenInflux(path, influx.Options{URL: cfg.Influx.URL, Token: token, Org: cfg.Influx.Org,
		Bucket: cfg.Influx.Bucket, County: cfg.County})
}

// startBroker gives the address at which the collector finds its broker.
func startBroker(ctx context.Context, cfg Config, log *slog.Logger) (mqtt.Broker, func() error, error) {
	if e := cfg.Broker.External; e != nil {
		return *e, func() error { return nil }, nil
	}
	own := broker.Config{Listen: "127.0.0.1:1883"}
	if cfg.Broker.Embedded != nil {
		own = *cfg.Broker.Embedded
	}
	if own.Dir == "" {
		own.Dir = filepath.Join(cfg.Dir, "broker")
	}
	b, err := broker.Start(ctx, own, log)
	if err != nil {
		return mqtt.Broker{}, nil, err
	}
	return b.Client(), b.Close, nil
}
