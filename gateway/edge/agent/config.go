package agent

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/bridge"
	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/edge/help"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/web"
	"gatehouse/gateway/wire"
)

// Config is the agent's configuration file. Relative paths in it count from
// the file's own folder.
type Config struct {
	County       string         `yaml:"county"`              // id of the county, first level of the topics
	Agent        string         `yaml:"agent"`               // id of this gate, unique in the county
	Dir          string         `yaml:"dir"`                 // journal and state; must outlive restarts
	KeepDays     int            `yaml:"keep_days"`           // acknowledged records stay on disk; default 7
	Broker       mqtt.Broker    `yaml:"broker"`              //
	CollectorKey string         `yaml:"collector_key"`       // file: the collector's public key (collector.pub)
	Identity     enrol.Identity `yaml:"identity,omitempty"`  // the gate's own key and certificate; absent: none
	SiteKey      string         `yaml:"site_key,omitempty"`  // file: the county's key for pseudonyms
	Policy       string         `yaml:"policy,omitempty"`    // YAML file: rules and limits
	Roster       string         `yaml:"roster,omitempty"`    // CSV file: who lives here
	Guards       string         `yaml:"guards,omitempty"`    // CSV file: who may be on duty; absent: nobody signs in
	TimeZone     string         `yaml:"time_zone,omitempty"` // of the county; default Asia/Shanghai
	Kiosk        Kiosk          `yaml:"kiosk,omitempty"`     // the guard's screen; absent: none
	Contacts     []help.Contact `yaml:"contacts,omitempty"`  // whom the guard can telephone, by role
	Station      station.Config `yaml:",inline"`             // lanes and devices of a gate
	Bridge       bridge.Config  `yaml:",inline"`             // machines and the links to them
}

// Kiosk is the guard's screen.
type Kiosk struct {
	Listen string `yaml:"listen"` // 127.0.0.1:8090; the browser runs on this computer
	Title  string `yaml:"title"`  // compound and gate, as the guard knows them
}

// Paths returns all paths in the configuration.
func (c *Config) Paths() []*string {
	paths := []*string{&c.Dir, &c.CollectorKey, &c.SiteKey, &c.Policy, &c.Roster, &c.Guards,
		&c.Broker.PasswordFile, &c.Broker.CA, &c.Broker.Cert, &c.Broker.Key, &c.Identity.Key, &c.Identity.Cert,
		&c.Identity.CA}
	return append(paths, c.Bridge.Paths()...)
}

// broker returns how the broker is reached: over TLS with the gate's own certificate,
// unless the configuration names another one.
func (c Config) broker() mqtt.Broker {
	b := c.Broker
	if b.Cert == "" && b.Key == "" {
		b.Cert, b.Key = c.Identity.Cert, c.Identity.Key
	}
	return b
}

// Check returns what is wrong with the configuration, each fault with its key.
func (c Config) Check() error {
	var errs []error
	add := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	add("county", wire.CheckID(c.County))
	add("agent", wire.CheckID(c.Agent))
	if c.Agent == wire.CollectorID {
		add("agent", fmt.Errorf("%q is the collector's own name", c.Agent))
	}
	add("broker", c.Broker.Check())
	add("identity", c.Identity.Check())
	for key, v := range c.needed() {
		if v == "" {
			add(key, errors.New("is missing"))
		}
	}
	_, err := config.Zone(c.TimeZone)
	add("time_zone", err)
	if c.KeepDays < 0 || c.KeepDays > 365 {
		add("keep_days", errors.New("must be 1 to 365"))
	}
	if len(c.Station.Devices) == 0 && len(c.Bridge.Machines) == 0 {
		add("devices", errors.New("none are listed, and no machines"))
	}
	if l := c.Kiosk.Listen; l != "" && !web.Loopback(l) {
		add("kiosk.listen", fmt.Errorf(
			"%q: the guard's screen has no password and is for this computer only: write 127.0.0.1:8090", l))
	}
	return errors.Join(append(errs, help.Check(c.Contacts), c.Station.Check(), c.Bridge.Check())...)
}

// keep returns how long acknowledged records stay on disk.
func (c Config) keep() time.Duration { return time.Duration(cmp.Or(c.KeepDays, 7)) * 24 * time.Hour }

// needed returns the values that must be there, by key.
func (c Config) needed() map[string]string {
	needed := map[string]string{"dir": c.Dir, "collector_key": c.CollectorKey}
	if len(c.Station.Devices) > 0 {
		needed["site_key"], needed["policy"], needed["roster"] = c.SiteKey, c.Policy, c.Roster
	}
	return needed
}
