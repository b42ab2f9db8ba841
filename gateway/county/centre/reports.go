package centre

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/mqtt"
)

// ReportsFile is the name of the reports' own file in the county's folder.
const ReportsFile = "reports.db"

// startReports takes what machines publish by themselves, in a persistent
// session of its own: the broker holds what is not stored yet.
func startReports(ctx context.Context, cfg Config, held *archive.Archive, address mqtt.Broker, watched collect.Observer, log *slog.Logger) (func() error, error) {
	log = log.With("part", "reports")
	zone, err := config.Zone(cfg.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time_zone: %w", err)
	}
	opts := report.Options{County: cfg.County, Path: filepath.Join(cfg.Dir, ReportsFile), Machines: cfg.Machines,
		Store: held, Zone: zone, Log: log}
	if watched != nil {
		opts.Watch = watched
	}
	t, err := report.Open(ctx, opts)
	if err != nil {
		return nil, err
	}
	id, err := sessionID(cfg.Dir)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	m := mqtt.Config{ClientID: id, Log: log, Keep: func(m mqtt.Message) bool { return t.Take(ctx, m) }}
	for _, f := range t.Filters() {
		m.Subscriptions = append(m.Subscriptions, mqtt.Subscription{Filter: f, QoS: 1})
	}
	if err := address.Load(&m); err != nil {
		cancel()
		return nil, errors.Join(err, t.Close())
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = mqtt.New(m).Run(ctx) }) // ends with ctx only
	wg.Go(func() { _ = t.Run(ctx) })           // likewise
	return func() error {
		cancel()
		wg.Wait()
		return t.Close()
	}, nil
}

// sessionID is the client id of the session for reports: secret, because
// whoever knows it can end the session, and kept, because it names the session.
func sessionID(dir string) (string, error) {
	path := filepath.Join(dir, "reports.session")
	b, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(b))) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the session of reports: %w", err)
	}
	id := "reports-" + strings.ToLower(rand.Text())
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the session of reports: %w", err)
	}
	return id, nil
}
