package agent

import (
	"crypto/ed25519"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
)

// files is what the files say that the configuration names.
type files struct {
	collector ed25519.PublicKey
	site      identity.SiteKey // empty without devices, like the rules
	rules     *policy.Rules
	texts     texts // that rules are made of
	refused   error // why those of the configuration are not; nil: they are
	zone      *time.Location
}

func readFiles(cfg Config) (f files, err error) {
	if f.zone, err = config.Zone(cfg.TimeZone); err != nil {
		return f, err
	}
	if f.collector, err = identity.LoadCollectorPublic(cfg.CollectorKey); err != nil {
		return f, err
	}
	if len(cfg.Station.Devices) == 0 {
		return f, nil
	}
	if f.site, err = identity.LoadSiteKey(cfg.SiteKey); err != nil {
		return f, err
	}
	return f, f.readRules(cfg)
}
