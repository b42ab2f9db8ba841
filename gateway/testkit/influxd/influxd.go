// Package influxd prepares a real InfluxDB 1.8 server for tests and proofs: its
// configuration, and the database in it.
package influxd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/testkit/loopback"
)

// What a client of the server needs. The server checks no password, so any will
// do.
const (
	Token    = "user:password"
	Database = "gatehouse"
	Bucket   = Database + "/autogen"
)

// Find returns the program's path: where `make tools` puts it, in a folder at or
// above the working directory, or on PATH.
func Find() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, ".tools", "bin", "influxd")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	if path, err := exec.LookPath("influxd"); err == nil {
		return path, nil
	}
	return "", errors.New("influxd is not installed: run make tools")
}

// Configure writes a configuration for a server on a free loopback port that
// keeps everything in dir, and returns its path (influxd run -config PATH) and
// the server's URL.
func Configure(ctx context.Context, dir string) (path, server string, err error) {
	address, err := loopback.Free(ctx)
	if err != nil {
		return "", "", err
	}
	rpc, err := loopback.Free(ctx)
	if err != nil {
		return "", "", err
	}
	text := fmt.Sprintf(`reporting-disabled = true
bind-address = %q
[meta]
  dir = %q
[data]
  dir = %q
  wal-dir = %q
  query-log-enabled = false
  max-series-per-database = 0
[http]
  bind-address = %q
  flux-enabled = true
  log-enabled = false
[monitor]
  store-enabled = false
`, rpc, filepath.Join(dir, "meta"), filepath.Join(dir, "data"), filepath.Join(dir, "wal"), address)
	path = filepath.Join(dir, "influxd.conf")
	return path, "http://" + address, os.WriteFile(path, []byte(text), 0o600)
}

// BackupAddress returns where influxd backup and restore reach a server that was started
// by Start.
func (s *Server) BackupAddress() (string, error) {
	b, err := os.ReadFile(filepath.Join(s.dir, "influxd.conf"))
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(string(b), "bind-address = \"")
	address, _, _ := strings.Cut(rest, "\"")
	return address, nil
}

// CreateDatabase waits until the server answers and creates the database.
func CreateDatabase(ctx context.Context, server string) error {
	for {
		err := Statement(ctx, server, "CREATE DATABASE "+Database)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("create the database at %s: %w", server, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// DropDatabase deletes the database, as an operator might by mistake.
func DropDatabase(ctx context.Context, server string) error {
	return Statement(ctx, server, "DROP DATABASE "+Database)
}

// Delete deletes the points for which an InfluxQL condition is true. A database
// restored from a backup lacks the points written after the backup.
func Delete(ctx context.Context, server, where string) error {
	return Statement(ctx, server, "DELETE WHERE "+where)
}

// Statement executes a statement of InfluxQL.
func Statement(ctx context.Context, server, q string) error {
	body := url.Values{"q": {q}, "db": {Database}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/query?"+body, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, text)
	}
	return err
}
