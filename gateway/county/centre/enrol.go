package centre

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/profiles"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity/authority"
)

func (e Enrol) check(hasDesk bool) error {
	var errs []error
	if !hasDesk {
		errs = append(errs, errors.New("gates ask at the desk: give desk, too"))
	}
	if err := enrolment.CheckURLs(e.URLs); err != nil {
		errs = append(errs, fmt.Errorf("urls: %w", err))
	}
	if e.Files == "" {
		errs = append(errs, errors.New("files: is missing: name the folder of what gates get, see deploy/ENROL.md"))
	}
	return errors.Join(errs...)
}

// authorityDir is where the authority's key lies: apart from what is backed up.
func (c Config) authorityDir() string {
	return cmp.Or(c.CADir, strings.TrimRight(filepath.Clean(c.Dir), string(filepath.Separator))+"-ca")
}

// memoryFile is where the registry remembers who was enrolled and revoked; empty: the folder
// of the county's authority is not there.
func (c Config) memoryFile() string {
	if _, err := os.Stat(c.authorityDir()); err != nil {
		return ""
	}
	return filepath.Join(c.authorityDir(), registry.MemoryFile)
}

// authority returns the county's authority, which the first start makes. issuer is the
// public key of the one that has issued certificates: another one never takes its place
// unless it is asked for, because a disk may only be not mounted.
func (c Config) authority(issuer []byte) (*authority.Authority, error) {
	dir := c.authorityDir()
	if issuer == nil || c.NewAuthority {
		return authority.Create(dir, c.County)
	}
	a, err := authority.Load(dir, c.County)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf(
			"%w: is its disk mounted? Bring the folder back from where a copy is kept; if it is lost "+
				"for good, start once with --new-authority, and gates get new certificates by themselves",
			err,
		)
	}
	if err == nil && string(a.Certificate().RawSubjectPublicKeyInfo) != string(issuer) {
		return nil, fmt.Errorf(
			"the authority in %s is not the one that has issued the gates' certificates: bring back "+
				"the right folder, or start once with --new-authority to use this one from now on",
			dir,
		)
	}
	return a, err
}

// openRegistry opens the registry of who may speak in the county. Without an authority
// gates deliver as before; nothing is issued until it is back.
func (c *county) openRegistry(ctx context.Context, d *desk.Desk, log *slog.Logger) (*registry.Registry, error) {
	issuer, err := d.Issuer(ctx)
	if err != nil {
		return nil, err
	}
	ca, err := c.cfg.authority(issuer)
	if err != nil {
		log.Error("no gate can be put into service, and no certificate renewed", "err", err)
		ca = nil
	} else if issuer == nil {
		log.Info("the county's authority was made: keep a copy of its folder in another place than the backup",
			"dir", c.cfg.authorityDir())
	}
	files := profiles.Options{
		County:    c.cfg.County,
		Sites:     c.sites,
		TimeZone:  c.cfg.TimeZone,
		Ring:      c.ring,
		Now:       time.Now,
		Collector: filepath.Join(c.cfg.Dir, "collector.pub"),
		Rules:     c.rulesFor,
	}
	opts := registry.Options{County: c.cfg.County, Collector: c.key, Authority: ca, Memory: c.cfg.memoryFile(),
		Packages: c.cfg.packagesPublic, OneKey: c.cfg.Epochs == nil, Log: log}
	if e := c.cfg.Enrol; e != nil {
		files.Dir, files.URLs, opts.URLs = e.Files, e.URLs, e.URLs
	}
	opts.Files = profiles.New(files)
	return d.OpenRegistry(ctx, opts)
}
