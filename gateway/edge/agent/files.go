package agent

import (
	"crypto/ed25519"
	"errors"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/help"
	"gatehouse/gateway/edge/ruleset"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
)

// files is what the files say that the configuration names.
type files struct {
	collector ed25519.PublicKey
	ring      identity.Ring  // empty without devices, like the rules
	names     identity.Named // of the ring, now
	rules     *policy.Rules
	texts     texts // that rules are made of
	refused   error // why those of the configuration are not; nil: they are
	zone      *time.Location
	set       ruleset.Set    // of the county, of which the rules are; No is 0: they are of files
	contacts  []help.Contact // whom the guard can telephone
	closed    []string       // lists of people that others could read
}

// readFiles reads the files at a time, which says which key is in force.
func readFiles(cfg Config, now time.Time) (f files, err error) {
	if f.zone, err = config.Zone(cfg.TimeZone); err != nil {
		return f, err
	}
	if f.collector, err = identity.LoadCollectorPublic(cfg.CollectorKey); err != nil {
		return f, err
	}
	f.contacts = cfg.Contacts
	if len(cfg.Station.Devices) == 0 {
		f.refused = f.readCounty(cfg, now)
		return f, nil
	}
	if f.ring, err = identity.LoadRing(cfg.SiteKey); err != nil {
		return f, err
	}
	f.names = f.ring.Named(now)
	err = f.readCounty(cfg, now)
	if err != nil || f.set.No == 0 {
		if err := f.readRules(cfg); err != nil {
			return f, err
		}
		f.refused = errors.Join(err, f.refused)
	}
	return f, nil
}
