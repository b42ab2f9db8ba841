package centre

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse/gateway/county/backup"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/identity/authority"
)

// TryInflux asks the InfluxDB of the configuration, and returns what is wrong and what to
// do. It writes nothing.
func (c Config) TryInflux(ctx context.Context) error {
	options, err := influxOptions(c, nil)
	if err != nil {
		return err
	}
	return influx.Try(ctx, options)
}

// TryFiles reads through the databases in the county's folder that are there, also while a
// collector runs. The error names the damage, or the file that a later version has written;
// it wraps the error of ctx when there was no time to read all.
func (c Config) TryFiles(ctx context.Context) error {
	var errs []error
	for _, name := range []string{StoreFile, DeskFile} {
		path := filepath.Join(c.Dir, name)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			continue
		}
		content, err := db.Inspect(ctx, path)
		if err == nil && name == DeskFile && content.Schema > desk.Schema() {
			err = fmt.Errorf("%s was written by a later version (schema %d, this program has %d): install that "+
				"version again, or bring a backup back", path, content.Schema, desk.Schema())
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// TryAuthority returns what is wrong with the folder of the county's authority, once the
// county has one.
func (c Config) TryAuthority() error {
	if _, err := os.Stat(filepath.Join(c.Dir, DeskFile)); err != nil || c.Desk == nil {
		return nil //nolint:nilerr // the first start makes it
	}
	_, err := authority.Load(c.authorityDir(), c.County)
	return err
}

// AuthorityDir returns where the authority's key lies.
func (c Config) AuthorityDir() string { return c.authorityDir() }

// LastBackup returns the last good backup; ok is false when none was made.
func (c Config) LastBackup() (last backup.Last, ok bool, err error) { return backup.ReadLast(c.Dir) }

// Listen returns the address of the embedded broker; empty: there is another one.
func (c Config) Listen() string {
	if c.Broker.External != nil {
		return ""
	}
	if c.Broker.Embedded != nil {
		return c.Broker.Embedded.Listen
	}
	return defaultListen
}
