package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/simulator/world"
)

// gatehouse drains the backlog of its own agents through the collector and its
// embedded broker, into InfluxDB or, without one, into SQLite.
func gatehouse(ctx context.Context, c Config, dir string, db *database, all []backlog) (f figures, err error) {
	listen, err := loopback.Free(ctx)
	if err != nil {
		return f, err
	}
	cfg := centre.Config{County: world.CountyID, Dir: filepath.Join(dir, "county"),
		Sites: filepath.Join(dir, "sites.yaml")}
	if err := writeYAML(cfg.Sites, world.New(1).Sites); err != nil {
		return f, err
	}
	d := drain{records: c.Records}
	if db != nil {
		d.database = db.program
		cfg.Influx = &centre.Influx{URL: db.url, Bucket: influxd.Bucket, TokenFile: filepath.Join(dir, "token")}
		if err := os.WriteFile(cfg.Influx.TokenFile, []byte(influxd.Token), 0o600); err != nil {
			return f, err
		}
	}
	file := filepath.Join(dir, "collect.yaml")
	if err := writeYAML(file, cfg); err != nil {
		return f, err
	}
	collector, err := startProgram(dir, "collector", c.Gatehouse, "collect", "--config", file, "--listen", listen)
	if err != nil {
		return f, err
	}
	defer collector.stop()
	d.path = []*program{collector}
	agents, err := newCrowd(world.CountyID, "tcp://"+listen, all)
	if err != nil {
		return f, err
	}
	d.stored = agents.acknowledged
	sending, stop := context.WithCancel(ctx)
	var sender sync.WaitGroup
	defer sender.Wait()
	defer stop()
	sender.Go(func() { agents.run(sending) })
	if f, err = d.measure(ctx); err != nil {
		return f, err
	}
	return f, agents.verify(ctx, filepath.Join(cfg.Dir, centre.StoreFile))
}

// gatehouseInflux is gatehouse with an InfluxDB of its own.
func gatehouseInflux(ctx context.Context, c Config, dir string, all []backlog) (f figures, err error) {
	db, err := startDatabase(ctx, dir)
	if err != nil {
		return f, err
	}
	defer db.stop()
	return gatehouse(ctx, c, dir, db, all)
}

func gatehouseSQLite(ctx context.Context, c Config, dir string, all []backlog) (figures, error) {
	return gatehouse(ctx, c, dir, nil, all)
}

// verify fails unless the books of the store have everything.
func (c *crowd) verify(ctx context.Context, path string) error {
	b, err := books.OpenReadOnly(path)
	if err != nil {
		return err
	}
	defer b.Close()
	var wrong error
	for _, p := range c.players {
		pos, err := b.Position(ctx, p.jid)
		if last := p.batches[len(p.batches)-1].to; err != nil || pos.Through != last {
			wrong = errors.Join(wrong, err,
				fmt.Errorf("of %s records are stored up to %d, not %d", p.agent, pos.Through, last))
		}
	}
	quarantined, lost, err := b.Losses(ctx)
	if quarantined > 0 || lost > 0 {
		wrong = errors.Join(wrong, fmt.Errorf("%d records are in quarantine, %d in holes", quarantined, lost))
	}
	return errors.Join(wrong, err)
}

func writeYAML[T any](path string, v T) error {
	b, err := config.Write(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}
