package centre

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"

	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

// DeskFile is the name of the desk's own file in the county's folder.
const DeskFile = "desk.db"

// startDesk runs the desk beside the collector, where one is configured. What
// ends it ends nothing else: gates deliver whether anybody looks or not.
func startDesk(ctx context.Context, cfg Config, sites *site.County, held *archive.Archive, address mqtt.Broker, version string, log *slog.Logger) (collect.Observer, func() error, error) {
	if cfg.Desk == nil {
		return nil, func() error { return nil }, nil
	}
	log = log.With("part", "desk")
	what := "SQLite"
	if cfg.Influx != nil {
		what = "InfluxDB"
	}
	d, err := desk.Open(desk.Options{Path: filepath.Join(cfg.Dir, DeskFile), Sites: sites, Records: held, Losses: held, Store: what, Version: version, Log: log})
	if err != nil {
		return nil, nil, err
	}
	ear, err := listener(cfg, address, d, log)
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	l, err := pages.Listen(ctx, *cfg.Desk, log)
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	server := pages.New(*cfg.Desk, d, held, version, log)
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	run := func(what string, f func(context.Context) error) {
		wg.Go(func() {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				log.Error(what+" has ended", "err", err)
			}
		})
	}
	run("the desk", d.Run)
	run("the desk's ear", ear.Run)
	run("the desk's server", func(ctx context.Context) error { return server.Serve(ctx, l) })
	return d, func() error {
		cancel()
		wg.Wait()
		return d.Close()
	}, nil
}

// listener hears statuses and heartbeats.
func listener(cfg Config, address mqtt.Broker, d *desk.Desk, log *slog.Logger) (*mqtt.Client, error) {
	d.Linked(false) // until it is
	m := mqtt.Config{ClientID: "desk-" + strings.ToLower(rand.Text()), Log: log,
		OnUp: func() { d.Linked(true) }, OnDown: func(error) { d.Linked(false) },
		Subscriptions: []mqtt.Subscription{
			{Filter: wire.Topic(cfg.County, "+", wire.LeafStatus), QoS: 1},
			{Filter: wire.Topic(cfg.County, "+", wire.LeafBeat)},
		},
		OnMessage: func(m mqtt.Message) { d.Hear(m.Topic, m.Payload) }}
	if err := address.Load(&m); err != nil {
		return nil, err
	}
	return mqtt.New(m), nil
}
