package centre

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/proxied"
	"gatehouse/gateway/secret"
)

// StoreFile is the SQLite file's name in the county's folder.
const StoreFile = "gatehouse.db"

// OpenArchive opens the store that cfg names, which logs what it does not keep. It may be opened while a collector
// runs: both write in whole transactions.
func OpenArchive(cfg Config, log *slog.Logger) (*archive.Archive, error) {
	path := filepath.Join(cfg.Dir, StoreFile)
	if cfg.Influx == nil {
		return archive.OpenSQLite(path)
	}
	options, err := influxOptions(cfg, log)
	if err != nil {
		return nil, err
	}
	return archive.OpenInflux(path, options)
}

// OpenReadOnly opens the store that cfg names for queries, also while a collector runs.
func OpenReadOnly(cfg Config) (*archive.Archive, error) {
	path := filepath.Join(cfg.Dir, StoreFile)
	if cfg.Influx == nil {
		return archive.OpenReadOnly(path)
	}
	options, err := influxOptions(cfg, nil)
	if err != nil {
		return nil, err
	}
	return archive.OpenInfluxReadOnly(path, options)
}

// influxOptions returns how to reach the InfluxDB that cfg names.
func influxOptions(cfg Config, log *slog.Logger) (influx.Options, error) {
	token := os.Getenv(TokenVariable)
	if cfg.Influx.TokenFile != "" {
		b, err := secret.Text(cfg.Influx.TokenFile)
		if err != nil {
			return influx.Options{}, fmt.Errorf("read the InfluxDB token: %w", err)
		}
		token = strings.TrimSpace(string(b))
	}
	proxy := proxied.Of(cfg.Influx.Proxy)
	if log != nil {
		log.Info("the store is InfluxDB", "url", cfg.Influx.URL, "bucket", cfg.Influx.Bucket,
			"proxy", proxied.Name(proxy, cfg.Influx.URL, "influx"))
	}
	return influx.Options{URL: cfg.Influx.URL, Proxy: proxy, Token: token, Org: cfg.Influx.Org,
		Bucket: cfg.Influx.Bucket, County: cfg.County, Log: log}, nil
}

func (c *county) openArchive(ctx context.Context) (err error) {
	if c.archive, err = OpenArchive(c.cfg, c.log); err != nil {
		return err
	}
	c.onClose(c.archive.Close)
	c.archive.LookAtRetention(ctx)
	return nil
}

// rewind makes agents send again what was committed since a time, if that is asked for.
func (c *county) rewind(ctx context.Context) error {
	since := c.cfg.RewindSince
	if since.IsZero() {
		return nil
	}
	act := audit.Act{Action: audit.Rewind, Detail: "since " + since.UTC().Format(time.RFC3339)}
	if err := c.audit.Write(ctx, audit.AtTerminal(), act); err != nil {
		return err
	}
	// What machines report by themselves can't be sent again.
	keep := func(p store.Position) bool { return p.JID == report.JID(c.cfg.County, p.Agent) }
	n, err := c.archive.Rewind(ctx, since, keep)
	if err != nil {
		return err
	}
	c.log.Warn("watermarks were taken back; agents send again what they hold", "since", since, "journals", n)
	return nil
}
