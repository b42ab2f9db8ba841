package agent

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
)

const day = 24 * time.Hour

// files is what the files say that the configuration names.
type files struct {
	collector ed25519.PublicKey
	site      identity.SiteKey // empty without devices, like the rules
	rules     *policy.Rules
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
	f.rules, err = loadRules(cfg, cfg.Policy, cfg.Roster, f.site)
	return f, err
}

// loadRules reads policy and roster, and checks that the gate can apply them.
func loadRules(cfg Config, policyFile, rosterFile string, site identity.SiteKey) (*policy.Rules, error) {
	p, err := policy.Load(policyFile)
	if err != nil {
		return nil, err
	}
	if err := cfg.Station.CheckRules(p); err != nil {
		return nil, fmt.Errorf("%s: %w", policyFile, err)
	}
	r, err := policy.LoadRules(p, rosterFile, site)
	if err != nil {
		return nil, err
	}
	if r.Reach() > cfg.keep() {
		return nil, fmt.Errorf("%s: its rules count what passed in the last %d days, and the journal keeps %d: "+
			"write keep_days: %[2]d in the agent's configuration", policyFile, r.Reach()/day, cfg.keep()/day)
	}
	return r, nil
}
