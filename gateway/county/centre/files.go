package centre

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/site"
)

// CheckFiles reads the files that the configuration names, and returns what is wrong with
// them at now, each fault with its key. Paths are as Beside leaves them. It makes nothing.
func (c Config) CheckFiles(now time.Time) error {
	var errs []error
	add := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	if c.Sites != "" {
		add("sites", c.checkSites())
	}
	if c.SiteKey != "" {
		_, err := identity.LoadSiteKey(c.SiteKey)
		add("site_key", err)
	}
	if e := c.Broker.Embedded; e != nil {
		add("broker.embedded.users_file", e.CheckUsers())
		add("broker.embedded.tls.cert", checkPair(e.TLS.Cert, e.TLS.Key, now))
		if e.TLS.CA != "" {
			_, err := identity.ReadPEM(e.TLS.CA)
			add("broker.embedded.tls.ca", err)
		}
	}
	if e := c.Broker.External; e != nil && e.Check() == nil {
		add("broker.external", e.Load(&mqtt.Config{}))
	}
	if d := c.Desk; d != nil {
		add("desk.tls.cert", checkPair(d.TLS.Cert, d.TLS.Key, now))
		add("desk.metrics_token_file", checkLine(d.MetricsTokenFile))
		add("desk.oidc.client_secret_file", checkLine(d.OIDC.ClientSecretFile))
	}
	if c.Influx != nil {
		add("influx.token_file", checkLine(c.Influx.TokenFile))
	}
	if c.Enrol != nil && c.Enrol.Files != "" {
		add("enrol.files", checkFolder(c.Enrol.Files))
	}
	return errors.Join(errs...)
}

func (c Config) checkSites() error {
	sites, err := site.Load(c.Sites)
	if err == nil && sites.ID != c.County {
		err = fmt.Errorf("%s describes county %q, the configuration says %q: write the same in both", c.Sites,
			sites.ID, c.County)
	}
	return err
}

func checkLine(file string) error {
	if file == "" {
		return nil
	}
	_, err := secret.Line(file)
	return err
}

// checkPair returns what is wrong with a certificate and its key at now.
func checkPair(cert, key string, now time.Time) error {
	if cert == "" || key == "" {
		return nil
	}
	pair, err := identity.KeyPair(cert, key)
	if err != nil {
		return err
	}
	if ends := pair.Leaf.NotAfter; now.After(ends) {
		return fmt.Errorf("%s has ended on %s: renew it", cert, ends.UTC().Format(time.DateOnly))
	}
	return nil
}

func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("%w: make the folder with default/agent.yaml and default/policy.yaml, see deploy/ENROL.md",
			err)
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", dir)
	}
	return nil
}

// Effective returns the configuration with what counts where it says nothing.
func (c Config) Effective() Config {
	c.TimeZone = cmp.Or(c.TimeZone, config.DefaultZone)
	c.SiteKey, c.CADir = c.SiteKeyFile(), c.authorityDir()
	if c.Broker.External == nil {
		own := broker.Config{Listen: defaultListen}
		if c.Broker.Embedded != nil {
			own = *c.Broker.Embedded
		}
		own.Dir = cmp.Or(own.Dir, filepath.Join(c.Dir, "broker"))
		if own.TLS != (broker.TLS{}) {
			own.TLS.Min = cmp.Or(own.TLS.Min, "1.3")
		}
		c.Broker.Embedded = &own
	}
	if c.Desk != nil {
		c.Desk = c.Desk.Effective()
	}
	return c
}

// OfBefore returns what still works and is from before the present version, and what to
// write instead.
func (c Config) OfBefore() (out []string) {
	if e := c.Broker.Embedded; e != nil && e.UsersFile != "" && c.Enrol == nil {
		out = append(out, "broker.embedded.users_file: gates have passwords, as before gates could be enrolled: give "+
			"enrol, and put each into service with a code (deploy/ENROL.md); machines keep their passwords")
	}
	if c.Desk == nil && c.Enrol == nil {
		out = append(out, "desk: is missing, so nobody sees the county and no gate can be enrolled: give desk")
	}
	if strings.HasPrefix(c.Dir, "/etc/") {
		out = append(out, "dir: the service may not write below /etc: move the folder to /var/lib/gatehouse/county, "+
			"and write that here")
	}
	return out
}
