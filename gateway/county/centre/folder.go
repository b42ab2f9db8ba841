package centre

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/lockfile"
	"gatehouse/gateway/site"
)

func (c *county) loadSites(context.Context) (err error) {
	if c.sites, err = site.Load(c.cfg.Sites); err != nil {
		return err
	}
	if c.sites.ID != c.cfg.County {
		return fmt.Errorf("%s describes county %q, the configuration says %q", c.cfg.Sites, c.sites.ID, c.cfg.County)
	}
	return nil
}

// lockFolder keeps a second collector off the same folder.
func (c *county) lockFolder(context.Context) error {
	if err := os.MkdirAll(c.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("make the county's folder: %w", err)
	}
	held, err := lockfile.Take(filepath.Join(c.cfg.Dir, "lock"))
	if errors.Is(err, lockfile.ErrHeld) {
		return fmt.Errorf("the county's folder %s is used by another collector that still runs: %w", c.cfg.Dir, err)
	}
	if err != nil {
		return fmt.Errorf("lock the county's folder: %w", err)
	}
	c.onClose(held.Close)
	return nil
}

// refuseAnother returns an error when a collector with other keys serves the county at
// another broker. An embedded broker is this collector's own.
func (c *county) refuseAnother(ctx context.Context) error {
	if c.cfg.Broker.External == nil || c.cfg.TakeOver {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookForAnother)
	defer cancel()
	public, _ := c.key.Public().(ed25519.PublicKey)
	other, err := collect.Another(ctx, c.broker, c.cfg.County, public)
	if err != nil {
		c.log.Warn("the broker can't be asked yet whether another collector serves the county", "err", err)
		return nil
	}
	if other != nil {
		return fmt.Errorf("%w: stop that one, or this one; if it is gone for good, start this one once with "+
			"--take-over", other)
	}
	return nil
}

// lookForAnother bounds how long a start waits for the broker's answer.
const lookForAnother = 10 * time.Second

// SiteKeyFile is the path of the county's site key.
func (c Config) SiteKeyFile() string { return cmp.Or(c.SiteKey, filepath.Join(c.Dir, "site.key")) }

func (c *county) siteKeyFile() string { return c.cfg.SiteKeyFile() }

// loadKeys reads the county's keys. On the first start it makes them.
func (c *county) loadKeys(context.Context) error {
	key, made, err := identity.LoadOrCreateCollectorKey(c.cfg.Dir)
	if err != nil {
		return err
	}
	if made {
		c.log.Info("the collector's keys were made: give collector.pub to every agent", "dir", c.cfg.Dir)
	}
	path := c.siteKeyFile()
	if c.cfg.SiteKey == "" {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			if _, err := identity.CreateSiteKey(path); err != nil {
				return err
			}
			c.log.Info("the county's site key was made: copy it to every gate, and keep it secret", "file", path)
		}
	}
	siteKey, err := identity.LoadSiteKey(path)
	if err != nil {
		return err
	}
	c.key, c.siteKeyID = key.Private, siteKey.ID()
	return nil
}
