package agent

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/bridge"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/secret"
)

// CheckFiles reads the files that the configuration names, and returns what is wrong with
// them at now, each fault with its key.
func (c Config) CheckFiles(now time.Time) error {
	var errs []error
	add := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	_, err := identity.LoadCollectorPublic(c.CollectorKey)
	add("collector_key", err)
	if b := c.broker(); b.Check() == nil {
		add("broker", b.Load(&mqtt.Config{}))
	}
	if i := c.Identity; i.Key != "" {
		add("identity.key", tryKey(i.Key))
		cert, err := identity.LoadCertificate(i.Cert)
		if err == nil && now.After(cert.NotAfter) {
			err = fmt.Errorf("%s has ended on %s: the agent renews it by itself for 30 days; later the gate needs a "+
				"new code (gatehouse enrol --again)", i.Cert, cert.NotAfter.UTC().Format(time.DateOnly))
		}
		add("identity.cert", err)
		_, err = identity.LoadCertificate(i.CA)
		add("identity.ca", err)
	}
	if len(c.Station.Devices) > 0 {
		_, err := identity.LoadRing(c.SiteKey)
		add("site_key", err)
	}
	for key, list := range map[string]string{"roster": c.Roster, "guards": c.Guards} {
		if list != "" {
			add(key, secret.Check(list))
		}
	}
	if len(errs) == 0 && len(c.Station.Devices) > 0 {
		_, err := Check(c, now)
		add("policy and roster", err)
	}
	if len(c.Bridge.Machines) > 0 && c.Bridge.Check() == nil {
		_, err := bridge.New(c.Bridge, bridge.Options{})
		add("machines", err)
	}
	return errors.Join(errs...)
}

// Effective returns the configuration with what counts where it says nothing.
func (c Config) Effective() Config {
	c.TimeZone = cmp.Or(c.TimeZone, config.DefaultZone)
	c.KeepDays = int(c.keep() / day)
	c.Broker = c.broker()
	if c.Kiosk.Listen != "" {
		c.Kiosk.Title = cmp.Or(c.Kiosk.Title, c.Agent)
	}
	return c
}

// OfBefore returns what still works and is from before the present version, and what to
// write instead.
func (c Config) OfBefore() (out []string) {
	if c.Identity.Key == "" {
		out = append(out, "identity: is missing, as before gates could be enrolled: what the gate sends is "+
			"not signed, and a county with require_signed does not take it: put it into service with a code "+
			"(gatehouse enrol --again)")
	}
	if c.Dir == "/etc/gatehouse" || strings.HasPrefix(c.Dir, "/etc/") {
		out = append(out, "dir: the service may not write below /etc: move the gate's folder to "+
			"/var/lib/gatehouse/gate, and write that here")
	}
	return out
}
