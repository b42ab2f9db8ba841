package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
)

// connector makes connections to the file that a place knows, and none to another
// one that came to its path.
type connector struct {
	address string
	driver  driver.Driver
	place   *place // nil: whatever is at the path
}

var _ driver.Connector = connector{}

// connect opens a pool. The pragmas are part of the address, so that every
// connection of the pool has them. With synchronous=FULL a committed
// transaction survives a power cut.
func connect(path, mode string, connections int, p *place) (*sql.DB, error) {
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_pragma": {busyTimeout, "foreign_keys(1)"}}
	if mode != "ro" {
		q["_pragma"] = append(q["_pragma"], pageSize, "journal_mode(WAL)", "synchronous(FULL)", walLimit, writeCache)
	}
	address := url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}
	plain, err := sql.Open("sqlite", address.String())
	if err != nil {
		return nil, err
	}
	c := connector{address: address.String(), driver: plain.Driver(), place: p}
	if err := plain.Close(); err != nil {
		return nil, err
	}
	pool := sql.OpenDB(c)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }

// Connect implements driver.Connector. Opening a file does not wait: ctx is not
// needed.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	if c.place == nil {
		return c.driver.Open(c.address)
	}
	if err := c.place.same(); err != nil {
		return nil, err
	}
	conn, err := c.driver.Open(c.address)
	if err != nil {
		return nil, err
	}
	if err := c.place.same(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}
