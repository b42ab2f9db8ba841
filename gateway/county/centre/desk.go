package centre

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/county/retention"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/repository"
	"gatehouse/gateway/wire"
)

// DeskFile is the name of the desk's own file in the county's folder.
const DeskFile = "desk.db"

// linkFile is the name of the file with the link for the desk's first user, in the
// county's folder.
const linkFile = "setup-link"

// startDesk runs the desk if one is configured. If a part of it ends nothing else
// does: gates deliver whether anybody looks or not.
func (c *county) startDesk(ctx context.Context) error {
	if c.cfg.Desk == nil {
		return nil
	}
	log := c.log.With("part", "desk")
	storeName := "SQLite"
	if c.cfg.Influx != nil {
		storeName = "InfluxDB"
	}
	d, err := desk.Open(desk.Options{
		Path: filepath.Join(c.cfg.Dir, DeskFile), Sites: c.sites, Records: c.archive, Losses: c.archive,
		Removed: c.archive, Tracks: time.Duration(c.retention().Tracks),
		// A machine's reports have the same journal again when their own file was lost.
		BeginsAgain: func(agent, jid string) bool { return jid == report.JID(c.cfg.County, agent) },
		Voice:       desk.Voice{County: c.cfg.County, Key: c.key, Again: c.cfg.Desk.Again()},
		Health:      c.health, Store: storeName, Keeps: c.keeps, Commits: &c.commits, Backup: c.backups.at,
		Version: c.version, Log: log,
	})
	if err != nil {
		return err
	}
	c.onClose(d.Close)
	d.People.LimitIdle(c.cfg.Desk.IdleAfter())
	client, err := c.deskClient(d, log)
	if err != nil {
		return err
	}
	server, err := c.newPages(ctx, d, log)
	if err != nil {
		return err
	}
	l, err := pages.Listen(ctx, *c.cfg.Desk, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	run := func(part string, f func(context.Context) error) {
		wg.Go(func() {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				log.Error(part+" has ended", "err", err)
			}
		})
	}
	run("the desk", d.Run)
	run("the desk's connection to the broker", client.Run)
	run("publishing rules", c.rules.publisher.Run)
	run("the connection that publishes rules", c.rules.client.Run)
	run("the desk's server", func(ctx context.Context) error { return server.Serve(ctx, l) })
	c.onClose(func() error {
		cancel()
		wg.Wait()
		return nil
	})
	c.desk, c.audit = d, d.Audit
	c.told.Store(d)
	return nil
}

// newPages returns what serves the desk to browsers, and to gates that enrol.
func (c *county) newPages(ctx context.Context, d *desk.Desk, log *slog.Logger) (*pages.Server, error) {
	zone, err := config.Zone(c.cfg.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time_zone: %w", err)
	}
	if err := c.openRules(d, log); err != nil {
		return nil, err
	}
	who, err := c.openRegistry(ctx, d, log)
	if err != nil {
		return nil, err
	}
	if err := c.publishRules(d, who, log.With("part", "rules")); err != nil {
		return nil, err
	}
	c.known.open(who)
	c.registry = who
	c.ends = d.OpenEnd(end.Options{County: c.cfg.County, Name: c.sites.Name, Key: c.key, Identities: who.Identities})
	var served *repository.Folder
	if folder, err := c.cfg.PackageFolder(); err == nil {
		served = &folder
	}
	cfg := *c.cfg.Desk
	cfg.LinkFile = filepath.Join(c.cfg.Dir, linkFile)
	return pages.New(cfg, pages.Parts{Alerts: d.Alerts, Passages: d.Passages, Runs: d.Runs,
		Notices: d.Notices, Checks: d.Checks, Commands: d.Commands, Audit: d.Audit, Registry: who,
		People: d.People, Consents: d.Consents, Poison: c.archive, Removed: c.archive, Kept: c.retention().Kept(),
		State: d.Hub, Prober: d, Rules: c.rules.versions, Standings: c.rules.publisher,
		Records: c.archive, Zone: zone, Ends: c.ends,
		Packages: served, PackagesKey: c.cfg.packagesPublic, Versions: d.Versions, Gates: d.Seen,
		CountyName: cmp.Or(c.sites.Name, c.cfg.County)}, c.version, log)
}

// keeps says for how long records are kept: sorts and ages, such as readings 14d;
// empty: for ever, or with an InfluxDB that was not read yet not known.
func (c *county) keeps() string {
	if keeps, _ := c.archive.Keeps(); keeps > 0 {
		return retention.Age(keeps).String()
	}
	var list []string
	if c.cfg.Retention != nil {
		for _, k := range c.cfg.Retention.Kept() {
			if k.Age > 0 {
				list = append(list, k.Name+" "+k.Age.String())
			}
		}
	}
	return strings.Join(list, ", ")
}

// deskClient returns the client that passes statuses and heartbeats to the desk.
func (c *county) deskClient(d *desk.Desk, log *slog.Logger) (*mqtt.Client, error) {
	d.Linked(false) // until it is
	m := mqtt.Config{
		ClientID: "desk-" + strings.ToLower(rand.Text()),
		OnUp:     func() { d.Linked(true); c.health.Up("desk", time.Now()) },
		OnDown:   func(err error) { d.Linked(false); c.health.Down("desk", time.Now(), err) },
		OnFail:   func(err error) { c.health.Down("desk", time.Now(), err) },
		Subscriptions: []mqtt.Subscription{
			{Filter: wire.Topic(c.cfg.County, "+", wire.LeafStatus), QoS: 1},
			{Filter: wire.Topic(c.cfg.County, "+", wire.LeafBeat)},
			{Filter: wire.Topic(c.cfg.County, "+", wire.LeafDesk), QoS: 1, Optional: true},
			{Filter: wire.Topic(c.cfg.County, "+", wire.LeafNonce), QoS: 1, Optional: true},
		},
		OnMessage: func(m mqtt.Message) { d.Hear(m.Topic, m.Payload) },
		Log:       log,
	}
	if err := c.broker.Load(&m); err != nil {
		return nil, err
	}
	client := mqtt.New(m)
	d.SpeakBy(client)
	return client, nil
}
