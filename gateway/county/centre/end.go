package centre

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/lockfile"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/site"
)

// startEnd tells gates to go out of service for good once that is decided, and takes their
// receipts.
func (c *county) startEnd(ctx context.Context) error {
	if c.ends == nil { // there is no desk, and no gate was put into service by one
		return nil
	}
	m := mqtt.Config{ClientID: "end-" + strings.ToLower(rand.Text()), Log: c.log.With("part", "end")}
	if err := c.broker.Load(&m); err != nil {
		return err
	}
	speaker := end.NewSpeaker(c.ends, m, c.log.With("part", "end"))
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = speaker.Run(ctx) }() // ends with ctx only
	c.onClose(func() error {
		cancel()
		<-ended
		return nil
	})
	return nil
}

// End is the end of a county's service, as commands see it. Make it with OpenEnd, then
// Close it.
type End struct {
	*end.Ends

	cfg  Config
	desk *db.File
}

// OpenEnd opens how far the end of a county is.
func OpenEnd(ctx context.Context, cfg Config, log *slog.Logger) (*End, error) {
	if _, err := os.Stat(filepath.Join(cfg.Dir, DeskFile)); err != nil {
		return nil, fmt.Errorf("open the county: %w", err)
	}
	sites, err := site.Load(cfg.Sites)
	if err != nil {
		return nil, err
	}
	key, _, err := identity.LoadOrCreateCollectorKey(cfg.Dir)
	if err != nil {
		return nil, err
	}
	file, err := desk.OpenFile(filepath.Join(cfg.Dir, DeskFile))
	if err != nil {
		return nil, err
	}
	known, err := registry.Open(ctx, registry.Options{File: file, County: cfg.County, Agents: sites.Agents(),
		Now: time.Now, Log: log})
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &End{cfg: cfg, desk: file, Ends: end.New(end.Options{File: file, County: cfg.County, Name: sites.Name,
		Key: key.Private, Now: time.Now, Identities: known.Identities, Agents: sites.Agents()})}, nil
}

// Close closes it.
func (e *End) Close() error { return e.desk.Close() }

// File is the desk's file.
func (e *End) File() *db.File { return e.desk }

// Destroy destroys what the county holds of people; no collector may run. cleared says that
// somebody has deleted the records in InfluxDB. tell is called before each step.
func (e *End) Destroy(ctx context.Context, by audit.By, cleared bool, tell func(name string)) error {
	held, err := lockfile.Take(filepath.Join(e.cfg.Dir, "lock"))
	if errors.Is(err, lockfile.ErrHeld) {
		return fmt.Errorf("stop the collector first: %w", err)
	}
	if err != nil {
		return fmt.Errorf("lock the county's folder: %w", err)
	}
	defer held.Close()
	if e.cfg.Influx != nil && !cleared {
		return fmt.Errorf(
			"the records are in InfluxDB: delete them there first, InfluxDB 2 by influx delete --org %s "+
				"--bucket %s --start 1970-01-01T00:00:00Z --stop 2100-01-01T00:00:00Z, 1.8 by DROP DATABASE; delete "+
				"its backups, too, and then give --influx-cleared",
			e.cfg.Influx.Org,
			e.cfg.Influx.Bucket,
		)
	}
	return e.Ends.Destroy(ctx, by, []end.Task{
		{Name: "keys", Do: e.keys},
		{Name: "lists", Do: e.lists},
		{Name: "records", Do: e.records},
		{Name: "desk", Do: e.persons},
		{Name: "broker", Do: e.queues},
		{Name: "free pages", Do: e.compact},
		{Name: "scan", Do: e.scan},
	}, tell)
}

func removed(paths ...string) (string, error) {
	n, err := end.Remove(paths...)
	return fmt.Sprintf("%d files or folders", n), err
}

// keys destroys what makes pseudonyms, and what encrypts lists at rest.
func (e *End) keys(context.Context) (string, error) {
	ca := e.cfg.authorityDir()
	return removed(filepath.Join(ca, "epochs"), filepath.Join(ca, "vault.key"), filepath.Join(e.cfg.Dir, "epochs"),
		cmp.Or(e.cfg.SiteKey, filepath.Join(e.cfg.Dir, "site.key")))
}

// lists destroys rosters, guards and contacts that gates got.
func (e *End) lists(context.Context) (string, error) {
	if e.cfg.Enrol == nil {
		return "there is no folder of them", nil
	}
	var paths []string
	for _, name := range []string{"roster.csv", "guards.csv", "contacts.yaml", "policy.yaml", "site.key"} {
		for _, pattern := range []string{name, name + "~", "." + name + ".*"} {
			found, err := filepath.Glob(filepath.Join(e.cfg.Enrol.Files, "*", pattern))
			if err != nil {
				return "", err
			}
			paths = append(paths, found...)
		}
	}
	return removed(paths...)
}

// records destroys what gates have sent. Hourly counts, watermarks and holes stay, and what
// machines have done.
func (e *End) records(ctx context.Context) (detail string, err error) {
	path := filepath.Join(e.cfg.Dir, StoreFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "there are none", nil
	}
	a, err := OpenArchive(e.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	n, err := end.Empty(ctx, a.File(), map[string]string{"records": "kind NOT IN ('run', 'track')",
		"quarantine": "true", "digests": "true", "shares": "true"})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d rows", n), a.File().Compact(ctx)
}

// persons destroys what the desk holds of single people.
func (e *End) persons(ctx context.Context) (string, error) {
	n, err := end.Empty(ctx, e.desk, map[string]string{"passages": "true", "alerts": "type NOT LIKE 'run-%'",
		"fevers": "true", "said": "true", "rules_versions": "true", "rules_sets": "true", "notices": "true",
		"consents": "done_at != 0 OR expires < strftime('%s', 'now') * 1000000000"})
	return fmt.Sprintf("%d rows", n), err
}

// queues destroys what the embedded broker keeps.
func (e *End) queues(context.Context) (string, error) {
	if e.cfg.Broker.External != nil {
		return "it is another one: empty it there", nil
	}
	c := county{cfg: e.cfg}
	return removed(c.embedded().Dir)
}

// compact makes sure that what was deleted is not in the desk's file any more.
func (e *End) compact(ctx context.Context) (string, error) {
	before, err := size(e.desk.Path())
	if err != nil {
		return "", err
	}
	if err := e.desk.Compact(ctx); err != nil {
		return "", err
	}
	after, err := size(e.desk.Path())
	return fmt.Sprintf("%d bytes of %d stay", after, before), err
}

func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("look at %s: %w", path, err)
	}
	return info.Size(), nil
}

// scan looks whether a pseudonym is left in the county's folder.
func (e *End) scan(context.Context) (string, error) {
	n, err := end.Scan(e.cfg.Dir)
	return fmt.Sprintf("%d bytes, no pseudonym", n), err
}
