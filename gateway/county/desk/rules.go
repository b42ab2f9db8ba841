package desk

import (
	"fmt"
	"strconv"
	"time"

	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/fact"
)

// OpenRules returns the versions of rules in the desk's file. It sets opts.File, opts.Sites
// and opts.Now.
func (d *Desk) OpenRules(opts rules.Options) *rules.Rules {
	opts.File, opts.Sites, opts.Now = d.file, d.opts.Sites, d.opts.Now
	return rules.New(opts)
}

// RulesBy gives the desk what publishes rules. It may be called from any goroutine.
func (d *Desk) RulesBy(p *rules.Publisher) { d.rules.Store(p) }

// told tells what publishes rules what gates say of theirs.
func (d *Desk) told(now time.Time, agents []presence.Agent) {
	p := d.rules.Load()
	if p == nil {
		return
	}
	said := map[string]rules.Said{}
	for _, a := range agents {
		s := rules.Said{Online: a.Online(), InForce: a.Rules}
		for _, t := range a.Troubles {
			if t.Kind == fact.TroubleKind(fact.AlarmRulesRefused) {
				s.Refused = t.Text
			}
		}
		said[a.Agent] = s
	}
	p.Report(now, said)
}

// rules finds gates that do not decide by what is meant for them.
func (f *findings) rules(p *rules.Publisher) {
	if p == nil {
		return
	}
	behind, unmade := p.Late(f.now)
	switch {
	case len(unmade) > 0:
		f.add(fact.TroubleRulesBehind, false, fmt.Sprintf("the rules of %d gates can't be made, they keep what they "+
			"have, the page Rules says why: %s", len(unmade), few(unmade)), "rules-behind.unmade",
			"n", strconv.Itoa(len(unmade)), "gates", few(unmade))
	case len(behind) > 0:
		f.add(fact.TroubleRulesBehind, false, fmt.Sprintf("%d gates live and have had other rules than are meant for "+
			"them for long, the page Rules says why: %s", len(behind), few(behind)), "rules-behind",
			"n", strconv.Itoa(len(behind)), "gates", few(behind))
	}
}
