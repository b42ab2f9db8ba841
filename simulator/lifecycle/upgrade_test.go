//go:build cleanroot

package lifecycle

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// A county and a gate of an earlier version, with records waiting, are upgraded; the gate is rolled back
// and upgraded again; both are purged. The county can't be rolled back, and says so.
func TestUpgradedWithABacklogRolledBackAndPurged(t *testing.T) {
	old, today := packEarlier(t), today(t)["gatehouse"]
	r := newRig(t)
	r.county.install(old)
	r.gate.install(old)
	r.writeByHand()
	collect := r.county.start("gatehouse-collect")
	r.copyKeys(collect)
	agent := r.gate.start("gatehouse-agent", "--ledger", counted)
	r.pass(2)
	r.delivered(collect, agent)

	// The county first: the earlier agent goes on, and its backlog reaches the new collector.
	collect.stop()
	r.pass(2)
	r.county.install(today)
	collect = r.county.start("gatehouse-collect")
	r.delivered(collect, agent)

	// Then the gate, to and fro, each time with records that the other version has written.
	for _, step := range []struct{ name, deb string }{
		{"the upgrade", today}, {"the roll-back", old}, {"the second upgrade", today},
	} {
		collect.stop()
		r.pass(2)
		agent.stop()
		before := r.recorded()
		r.gate.install(step.deb)
		agent = r.gate.start("gatehouse-agent", "--ledger", counted)
		r.pass(1)
		if r.recorded() <= before {
			t.Errorf("after %s nothing is recorded:\n%s", step.name, agent.printed())
		}
		collect = r.county.start("gatehouse-collect")
		r.delivered(collect, agent)
	}

	// An earlier collector refuses the store of a later one, and leaves it as it is.
	collect.stop()
	r.pass(1)
	r.county.install(old)
	refused := r.county.start("gatehouse-collect")
	if err := <-refused.done; err == nil || !strings.Contains(refused.printed(), "written by a later version") {
		t.Errorf("the earlier collector over a later store: %v:\n%s", err, refused.printed())
	}
	refused.done = nil
	r.county.install(today)
	collect = r.county.start("gatehouse-collect")
	r.delivered(collect, agent)

	agent.stop()
	collect.stop()
	for _, c := range []*computer{r.county, r.gate} {
		c.run("root", "dpkg", "--purge", "gatehouse")
		c.purged()
	}
}

// writeByHand gives county and gate configurations of the earlier version, which knew no enrolment.
func (r *rig) writeByHand() {
	r.t.Helper()
	r.plug()
	r.county.write("etc/gatehouse/sites.yaml", "root", sites)
	r.county.write("etc/gatehouse/collect.yaml", "root", fmt.Sprintf("county: qinghe\ndir: %s\nsites: sites.yaml\n"+
		"broker: {embedded: {listen: %q}}\ndesk: {listen: %q}\n", countyIn, r.broker, r.desk))
	r.gate.run("gatehouse", "mkdir", "-m", "700", gateIn)
	r.gate.write(gateIn+"/policy.yaml", "gatehouse", policy)
	r.gate.write(gateIn+"/roster.csv", "gatehouse", roster)
	r.gate.write(gateIn+"/agent.yaml", "gatehouse", fmt.Sprintf("county: qinghe\nagent: %s\ndir: %s/journal\n"+
		"broker: {url: \"tcp://%s\"}\ncollector_key: collector.pub\nsite_key: site.key\npolicy: policy.yaml\n"+
		"roster: roster.csv\nkeep_days: 7\n%s", gateID, gateIn, r.broker, r.devices()))
}

// copyKeys brings the county's keys to the gate, as people did then.
func (r *rig) copyKeys(collect *service) {
	r.t.Helper()
	for _, name := range []string{"collector.pub", "site.key"} {
		var text []byte
		await(r.t, "the county's "+name, []*service{collect}, func() (ok bool) {
			var err error
			text, err = os.ReadFile(r.county.Path(countyIn + "/" + name))
			return err == nil && len(text) > 0
		})
		r.gate.write(gateIn+"/"+name, "gatehouse", string(text))
	}
}
