package prove

import (
	"context"
	"os"
	"path/filepath"

	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/influxd2"
)

// Stores of a proof, for Config.Store.
const (
	sqliteStore  = "sqlite"
	influxStore  = "influx"  // InfluxDB 1.8
	influx2Store = "influx2" // InfluxDB 2
)

// startDatabase starts the InfluxDB, if the proof's store is one, and makes an
// empty database, or a bucket and a token that may read and write it.
func (p *proof) startDatabase(ctx context.Context) (err error) {
	dir := filepath.Join(p.Dir, "influx")
	switch p.Store {
	case influxStore:
		err = p.startInflux(ctx, dir)
	case influx2Store:
		err = p.startInflux2(ctx, dir)
	}
	p.storeURL = p.database.URL
	return err
}

func (p *proof) startInflux(ctx context.Context, dir string) error {
	path, err := influxd.Find()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	conf, server, err := influxd.Configure(ctx, dir)
	if err != nil {
		return err
	}
	p.influxd = p.program("influxd", path, "run", "-config", conf)
	if err := p.influxd.start(); err != nil {
		return err
	}
	p.database = influx.Options{URL: server, Token: influxd.Token, Bucket: influxd.Bucket}
	return influxd.CreateDatabase(ctx, server)
}

func (p *proof) startInflux2(ctx context.Context, dir string) error {
	argv, server, err := influxd2.Command(ctx, dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	p.influxd = p.program("influxd", argv...)
	if err := p.influxd.start(); err != nil {
		return err
	}
	admin, err := influxd2.SetUp(ctx, server)
	if err != nil {
		return err
	}
	b, err := admin.CreateBucket(ctx, "gatehouse", 0)
	p.database = influx.Options{URL: server, Token: b.Token, Org: b.Org, Bucket: b.Name}
	return err
}

// openArchive opens a store: in the database if it has a URL, and else in SQLite.
// path is its SQLite file.
func openArchive(path string, database influx.Options, county string) (*archive.Archive, error) {
	if database.URL == "" {
		return archive.OpenSQLite(path)
	}
	database.County = county
	return archive.OpenInflux(path, database)
}
