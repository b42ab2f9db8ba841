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
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/health"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/secret"
)

// ReportsFile is the name of the reports' own file in the county's folder.
const ReportsFile = "reports.db"

// reports is what takes the reports of machines.
type reports struct {
	taker   *report.Taker
	cancel  context.CancelFunc
	running sync.WaitGroup
	close   func() error // may be called several times
}

// startReports takes what machines publish by themselves, in a persistent
// session of its own: the broker holds each message until it is stored.
func (c *county) startReports(ctx context.Context) error {
	log := c.log.With("part", "reports")
	zone, err := config.Zone(c.cfg.TimeZone)
	if err != nil {
		return fmt.Errorf("time_zone: %w", err)
	}
	opts := report.Options{County: c.cfg.County, Path: filepath.Join(c.cfg.Dir, ReportsFile),
		Machines: c.cfg.Machines, Store: c.archive, Zone: zone, Log: log,
		Blocked: c.blocked, Begin: func() (end func()) { return c.health.Begin("reports", time.Now()) }}
	if c.desk != nil {
		opts.Watch = c.desk
	}
	taker, err := report.Open(ctx, opts)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &reports{taker: taker, cancel: cancel}
	r.close = sync.OnceValue(r.end)
	c.reports = r
	c.onClose(func() error { return r.close() })
	tried := make(chan struct{}, 1)
	client, err := c.reportsClient(taker, log, func() {
		select {
		case tried <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	r.running.Go(func() { _ = client.Run(ctx) }) // ends with ctx only
	r.running.Go(func() { _ = taker.Run(ctx) })  // likewise
	// Whoever finds the collector may publish at once: it is subscribed before. An
	// external broker that can't be reached holds up nothing else.
	select {
	case <-tried:
	case <-ctx.Done():
	}
	return nil
}

func (r *reports) end() error {
	r.cancel()
	r.running.Wait()
	return r.taker.Close()
}

// reportsClient returns the client that passes reports to taker. It calls tried
// after each attempt to connect and subscribe.
func (c *county) reportsClient(taker *report.Taker, log *slog.Logger, tried func()) (*mqtt.Client, error) {
	id, err := sessionID(c.cfg.Dir)
	if err != nil {
		return nil, err
	}
	m := mqtt.Config{ClientID: id, Keep: taker.Put, Log: log,
		OnUp:   func() { c.admit(); c.hears(nil); tried() },
		OnDown: c.hears,
		OnFail: func(err error) { c.hears(err); tried() },
	}
	for _, f := range taker.Filters() {
		m.Subscriptions = append(m.Subscriptions, mqtt.Subscription{Filter: f, QoS: 1})
	}
	if err := c.broker.Load(&m); err != nil {
		return nil, err
	}
	return mqtt.New(m), nil
}

// hears tells the board whether the collector is subscribed; err is nil when it is.
func (c *county) hears(err error) {
	if err == nil {
		c.health.Up("reports", time.Now())
		return
	}
	c.health.Down("reports", time.Now(), err)
}

// blocked tells the board why reports can't be stored; err is nil when they can.
func (c *county) blocked(err error) {
	if err == nil {
		c.health.Clear("reports", fact.TroubleReports)
		return
	}
	c.health.Set("reports", health.Problem(fact.TroubleReports, time.Now(),
		"reports of machines can't be stored, the broker keeps them: "+err.Error()).Advise(
		"reports-blocked", "why", err.Error()))
}

// sessionID returns the client id of the session for reports: secret, because who
// knows it can end the session, and the same after a restart, because it names
// the session.
func sessionID(dir string) (string, error) {
	path := filepath.Join(dir, "reports.session")
	b, err := secret.Read(path)
	if err == nil && len(strings.TrimSpace(string(b))) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the session of reports: %w", err)
	}
	id := "reports-" + strings.ToLower(rand.Text())
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("store the id of the session of reports: %w", err)
	}
	return id, nil
}
