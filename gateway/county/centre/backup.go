package centre

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/backup"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// BackupPlan returns what a backup of the county is made of, whose configuration is in
// file. authority says whether the authority's folder is in it.
func (c Config) BackupPlan(file, version string, now time.Time, authority bool) (p backup.Plan, err error) {
	p.Program, p.Made, p.County, p.Authority = version, now.UTC(), c.County, authority
	if p.Host, err = os.Hostname(); err != nil {
		return p, err
	}
	p.Paths = backup.Paths{County: c.Dir, Config: file, Authority: c.authorityDir()}
	own := county{cfg: c}
	p.Skip = []string{own.embedded().Dir}
	for _, path := range c.named() {
		if *path != "" {
			p.Named = append(p.Named, *path)
		}
	}
	p.Named = append(p.Named, c.serversAuthority(authority)...)
	p.Telemetry = "in gatehouse.db"
	if c.Influx != nil {
		p.Telemetry = fmt.Sprintf("in InfluxDB at %s, bucket %s: not in this backup", c.Influx.URL, c.Influx.Bucket)
	}
	for _, path := range []*string{&p.Paths.County, &p.Paths.Config, &p.Paths.Authority, &p.Skip[0]} {
		if *path, err = filepath.Abs(*path); err != nil {
			return p, err
		}
	}
	return p, nil
}

// serversAuthority returns the files of the authority that gatehouse setup has made for the servers'
// certificates, beside which it lies: gates and browsers trust it, and setup --again renews by
// it. Its key is among them if keys says so and this account may read it.
func (c Config) serversAuthority(keys bool) (paths []string) {
	var certs []string
	if c.Desk != nil {
		certs = append(certs, c.Desk.TLS.Cert)
	}
	if c.Broker.Embedded != nil {
		certs = append(certs, c.Broker.Embedded.TLS.Cert)
	}
	for _, cert := range certs {
		if cert == "" {
			continue
		}
		for _, name := range []string{"ca.crt", "ca.key"} {
			path := filepath.Join(filepath.Dir(cert), name)
			if (name == "ca.crt" || keys) && unix.Access(path, unix.R_OK) == nil {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// CountyOf returns the county that a configuration names.
func CountyOf(file string) (string, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	cfg, err := config.Load[Config](file)
	return cfg.County, err
}

// Adopt opens what was restored into a folder, brings it up to the schema of this program,
// ends all sessions and links of the desk, which may have been ended since, and writes into
// the audit what happened.
func Adopt(ctx context.Context, dir string, m backup.Manifest) (err error) {
	a, err := archive.OpenSQLite(filepath.Join(dir, StoreFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	reports, err := report.OpenFile(filepath.Join(dir, ReportsFile))
	if err != nil {
		return err
	}
	if err := reports.Close(); err != nil {
		return err
	}
	file, err := desk.OpenFile(filepath.Join(dir, DeskFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	now := time.Now()
	return file.Write(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{"DELETE FROM sessions", "DELETE FROM invites"} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return fmt.Errorf("end the desk's sessions: %w", err)
			}
		}
		return audit.Append(ctx, tx, now, audit.AtTerminal(), audit.Act{Action: audit.Restore,
			Object: "county " + m.County,
			Detail: "backup of " + m.Made.UTC().Format(time.RFC3339) + " made on " + m.Host})
	})
}

// lookAtBackups is the time between two looks at when the last backup was made.
const lookAtBackups = 20 * time.Second

// backups knows when the last good backup was made. Its methods may be called from any
// goroutine.
type backups struct{ last atomic.Pointer[time.Time] }

// at returns when it was made; the zero time: none is known.
func (b *backups) at() time.Time {
	if at := b.last.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// watchBackups looks when the last backup was made, and tells the board, where backups are
// configured, when that is too long ago.
func (c *county) watchBackups(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			c.lookAtBackup(time.Now())
			if !retry.Sleep(ctx, lookAtBackups) {
				return
			}
		}
	})
	c.onClose(func() error {
		cancel()
		watching.Wait()
		return nil
	})
	return nil
}

func (c *county) lookAtBackup(now time.Time) {
	last, made, err := backup.ReadLast(c.cfg.Dir)
	if made {
		c.backups.last.Store(&last.At)
	}
	if c.cfg.Backup == nil {
		return
	}
	if t, wrong := lateBackup(*c.cfg.Backup, last, made, err, now); wrong {
		c.health.Set("backup", t)
		return
	}
	c.health.Clear("backup", fact.TroubleBackup)
}

// lateBackup returns what is wrong with the last backup at now, if something is; err is of
// reading when it was made.
func lateBackup(cfg backup.Config, last backup.Last, made bool, err error, now time.Time) (t wire.Trouble, wrong bool) {
	t = wire.Trouble{Kind: fact.TroubleBackup, Since: new(wire.At(now))}
	late, age := cfg.Late(), now.Sub(last.At)
	switch {
	case err != nil:
		t.Text = err.Error()
		return t.Advise("backup-unread", "why", t.Text), true
	case !made:
		t.Text = "no backup of the county was made yet: run gatehouse backup, or systemctl enable --now " +
			"gatehouse-backup.timer"
		return t.Advise("backup-none"), true
	case age > late || age < -late: // or this clock is wrong
		on := last.At.UTC().Format("2006-01-02 15:04 UTC")
		t.Text = fmt.Sprintf("the last good backup is of %s, more than %s ago: journalctl -u gatehouse-backup says why",
			on, late)
		return t.Advise("backup-late", "on", on), true
	}
	return t, false
}
