// Package centre runs the county's part in one process: the broker (unless
// another one is used), the store, the collector, the desk and the reports of
// machines.
package centre

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/backup"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/epochs"
	"gatehouse/gateway/county/health"
	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/county/retention"
	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/proxied"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/wire"
)

// Config is the collector's configuration file. Relative paths in it count
// from the file's own folder.
type Config struct {
	County   string           `yaml:"county"`              // id of the county, first level of the topics
	Dir      string           `yaml:"dir"`                 // keys, store and broker state; back it up
	TimeZone string           `yaml:"time_zone,omitempty"` // of the county; default Asia/Shanghai
	Sites    string           `yaml:"sites"`               // YAML file: communities, grids, compounds, gates
	SiteKey  string           `yaml:"site_key,omitempty"`  // default: site.key in dir, made on the first start
	Broker   Broker           `yaml:"broker,omitempty"`    // default: embedded on 127.0.0.1:1883
	Influx   *Influx          `yaml:"influx,omitempty"`    // absent: everything in SQLite
	Desk     *pages.Config    `yaml:"desk,omitempty"`      // absent: no desk is served
	Machines []report.Machine `yaml:"machines,omitempty"`  // that publish reports by themselves
	// Retention removes old records of SQLite; by default none.
	Retention *retention.Config `yaml:"retention,omitempty"`
	// CADir holds the key of the county's authority, which issues the gates'
	// certificates; default: the path of dir with -ca at its end. It may not lie in dir.
	CADir string `yaml:"ca_dir,omitempty"`
	// Epochs gives each gate a key of its own for two weeks; absent: one key for all.
	Epochs *epochs.Config `yaml:"epochs,omitempty"`
	Enrol  *Enrol         `yaml:"enrol,omitempty"` // how gates are put into service by a code; absent: by hand
	// RequireSigned takes only what is signed by the key of a gate that is enrolled; other
	// agents wait on the page Enrol.
	RequireSigned bool   `yaml:"require_signed,omitempty"`
	Rules         *Rules `yaml:"rules,omitempty"` // how what gates decide by is approved
	// Backup says where backups go, and when the desk tells that none was made.
	Backup *backup.Config `yaml:"backup,omitempty"`
	// Packages is the folder of packages that the desk serves to gates; empty: none.
	Packages string `yaml:"packages,omitempty"`
	// Discovery tells Home Assistant of gates and machines: homeassistant; empty: nobody is told.
	Discovery string `yaml:"discovery,omitempty"`
	// RewindSince takes every journal's watermark back to that instant at the
	// start: for an InfluxDB that was restored from a backup made then.
	RewindSince time.Time `yaml:"-"`
	// NewAuthority says that the county's authority is lost and another one takes its place.
	NewAuthority bool `yaml:"-"`
	// TakeOver lets this collector serve the county although another one, with keys of its
	// own, seems to serve it at the broker.
	TakeOver bool `yaml:"-"`
	// Unsafe says why what is kept in Dir may be lost; empty: nothing is known.
	Unsafe string `yaml:"-"`
	// Health is where the parts post how they are; nil: on a board of their own.
	Health *health.Board `yaml:"-"`
}

// Broker is the embedded broker's listener, or another broker's address.
type Broker struct {
	Embedded *broker.Config `yaml:"embedded,omitempty"`
	External *mqtt.Broker   `yaml:"external,omitempty"`
}

// Influx says where telemetry goes instead of SQLite.
type Influx struct {
	URL       string `yaml:"url"`                  // http://127.0.0.1:8086
	Org       string `yaml:"org,omitempty"`        // InfluxDB 2.x only
	Bucket    string `yaml:"bucket"`               // 2.x: the bucket; 1.8: database/retention-policy
	TokenFile string `yaml:"token_file,omitempty"` // 2.x: the token; 1.8: user:password
	Proxy     string `yaml:"proxy,omitempty"`      // environment or the URL of one; default none
}

// Enrol says how gates are put into service by a code.
type Enrol struct {
	URLs  []string `yaml:"urls"`  // of the desk, as gates reach it; they try one after the other
	Files string   `yaml:"files"` // folder of what gates get: default, and one for each gate that differs
}

// Rules says how versions of policies, rosters, guards and contacts are approved.
type Rules struct {
	TwoPeople bool `yaml:"two_people,omitempty"` // another user than the author approves
}

// TokenVariable may hold the InfluxDB token instead of a file.
const TokenVariable = "GATEHOUSE_INFLUX_TOKEN" //nolint:gosec // a variable's name

// Beside resolves relative paths against the configuration file's own folder.
func (c *Config) Beside(file string) {
	paths := append(c.named(), &c.Dir, &c.CADir, &c.Packages)
	if e := c.Broker.Embedded; e != nil {
		paths = append(paths, &e.Dir)
	}
	if c.Backup != nil {
		paths = append(paths, &c.Backup.Dir)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(file), *p)
		}
	}
}

// named returns the paths of the files, and of the folder of what gates get, that people
// have written.
func (c *Config) named() []*string {
	paths := []*string{&c.Sites, &c.SiteKey}
	if e := c.Broker.Embedded; e != nil {
		paths = append(paths, &e.UsersFile, &e.TLS.Cert, &e.TLS.Key, &e.TLS.CA)
	}
	if e := c.Broker.External; e != nil {
		paths = append(paths, &e.PasswordFile, &e.CA, &e.Cert, &e.Key)
	}
	if c.Desk != nil {
		paths = append(paths, c.Desk.Paths()...)
	}
	if c.Influx != nil {
		paths = append(paths, &c.Influx.TokenFile)
	}
	if c.Enrol != nil {
		paths = append(paths, &c.Enrol.Files)
	}
	return paths
}

// Check returns what is wrong, each fault with the key to mend.
func (c Config) Check() error {
	var errs []error
	add := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	if c.Dir == "" {
		errs = append(errs, errors.New("dir: is missing"))
	}
	if c.Sites == "" {
		errs = append(
			errs,
			errors.New("sites: is missing: name the file of the gates, like deploy/sites.example.yaml"),
		)
	}
	_, err := config.Zone(c.TimeZone)
	add("time_zone", err)
	if c.Broker.Embedded != nil && c.Broker.External != nil {
		errs = append(errs, errors.New("broker: give embedded or external, not both"))
	}
	if c.Broker.External != nil {
		add("broker.external", c.Broker.External.Check())
	}
	if c.Desk != nil {
		add("desk", c.Desk.Check())
	}
	if c.Influx != nil {
		errs = append(errs, c.Influx.check())
	}
	errs = append(errs, checkDiscovery(c))
	add("ca_dir", authority.Apart(c.authorityDir(), c.Dir))
	if c.Epochs != nil {
		add("epochs", c.Epochs.Check())
	}
	if c.Enrol != nil {
		add("enrol", c.Enrol.check(c.Desk != nil))
	}
	if c.Backup != nil {
		add("backup", c.Backup.Check())
	}
	if c.RequireSigned && c.Enrol == nil {
		errs = append(errs, errors.New("require_signed: no gate can be enrolled: give enrol, see deploy/ENROL.md"))
	}
	if c.Packages != "" && c.Desk == nil {
		errs = append(errs, errors.New("packages: the desk serves them: give desk, too"))
	}
	if c.Retention != nil {
		add("retention", c.Retention.Check())
		if c.Influx != nil {
			errs = append(
				errs,
				errors.New("retention: is for SQLite; set the retention of InfluxDB's bucket instead"),
			)
		}
	}
	return errors.Join(append(errs, c.CheckMachines())...)
}

// CheckMachines returns what is wrong with the county's id and with the machines that
// publish by themselves: each fault with the key to mend.
func (c Config) CheckMachines() error {
	var errs []error
	if err := wire.CheckID(c.County); err != nil {
		errs = append(errs, fmt.Errorf("county: %w", err))
	}
	seen := map[string]bool{}
	for i, m := range c.Machines {
		if err := m.Check(); err != nil {
			errs = append(errs, fmt.Errorf("machines[%d] %s: %w", i, m.Machine, err))
		}
		for j, t := range m.Topics {
			if c.Broker.External == nil && strings.ContainsAny(t.Topic, " \t") {
				errs = append(
					errs,
					fmt.Errorf("machines[%d] %s: topics[%d] %q: the embedded broker carries no topic "+
						"with white space: rename it at the device, or use another broker (broker: external)",
						i, m.Machine, j, t.Topic),
				)
			}
		}
		for _, t := range append(m.Topics, mapping.Topic{Topic: wire.Topic(c.County, m.Machine, wire.LeafReport)}) {
			if seen[t.Topic] {
				errs = append(errs, fmt.Errorf("machines[%d] %s: %s is another machine's, or listed twice",
					i, m.Machine, t.Topic))
			}
			seen[t.Topic] = true
		}
	}
	return errors.Join(errs...)
}

func (i Influx) check() error {
	var errs []error
	if u, err := url.Parse(i.URL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		errs = append(errs, fmt.Errorf("influx.url %q: write it as http://host:8086", i.URL))
	} else if i.TokenFile != "" && u.Scheme == "http" && !secret.Here(u.Hostname()) {
		errs = append(errs, fmt.Errorf("influx.url %q: the token would go to %s unencrypted: write https://%s, or "+
			"reach it by a tunnel that begins on this computer (http://127.0.0.1:port)", i.URL, u.Hostname(), u.Host))
	}
	if i.Bucket == "" {
		errs = append(errs, errors.New("influx.bucket: is missing (InfluxDB 1.8: database/retention-policy)"))
	}
	if err := proxied.Check(i.Proxy); err != nil {
		errs = append(errs, fmt.Errorf("influx: %w", err))
	}
	return errors.Join(errs...)
}
