package desk

import (
	"context"
	"fmt"

	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/county/versions"
	"gatehouse/gateway/fact"
)

// upgrade goes on with the upgrade of gates that is on, by what the last look has found.
func (d *Desk) upgrade(ctx context.Context, agents []presence.Agent) error {
	if d.Versions.Now() == nil {
		return nil
	}
	seen := map[string]versions.Seen{}
	for _, a := range agents {
		seen[a.Agent] = versions.Seen{Online: a.Online(), Heard: a.Heard, Program: a.Version, Upgrade: a.Upgrade}
	}
	return d.Versions.Turn(ctx, d.followers.presence.HeardSince(d.opts.Now()),
		func(agent string) versions.Seen { return seen[agent] })
}

// upgradeWhy says why an upgrade of gates stops by itself: after the name of the gate.
var upgradeWhy = map[string]string{
	versions.WhyBack:   "%s went back to its former version",
	versions.WhyStuck:  "%s could install neither version",
	versions.WhyLate:   "%s has not said what became of it",
	versions.WhySilent: "%s is not heard",
	versions.WhyNone:   "no gate of the wave has taken it%s",
}

// upgrades finds an upgrade of gates that has stopped by itself.
func (f *findings) upgrades(r *versions.Rollout) {
	if r == nil || r.State != versions.Stopped || upgradeWhy[r.Why] == "" {
		return
	}
	f.add(fact.TroubleUpgradeStopped, false, fmt.Sprintf("the upgrade of gates to %s has stopped: "+upgradeWhy[r.Why]+
		"; the page Versions says more", r.Version, r.Gate), "upgrade-stopped."+r.Why, "version", r.Version,
		"gate", r.Gate)
}
