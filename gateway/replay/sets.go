package replay

import (
	"sort"

	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// Set is rules that came into force at a gate that ran.
type Set struct {
	From  uint64        // seq of the record that says so
	Rules *policy.Rules // nil: they are not at hand, and what they decided counts as recorded
}

// SetOf returns the index of the set in force at a record; -1: none of them was yet.
func SetOf(sets []Set, seq uint64) int {
	return sort.Search(len(sets), func(i int) bool { return sets[i].From > seq }) - 1
}

// memories returns an empty memory for each of the rules by which is decided.
func memories(cfg Config) map[*policy.Rules]*gate.Memory {
	out := map[*policy.Rules]*gate.Memory{}
	if cfg.Rules != nil {
		out[cfg.Rules] = &gate.Memory{}
	}
	for _, s := range cfg.Sets {
		if s.Rules != nil {
			out[s.Rules] = &gate.Memory{}
		}
	}
	return out
}

// any returns some of the rules: a gate has some while those of then are not at hand.
func (p *past) any() *policy.Rules {
	if p.rules != nil {
		return p.rules
	}
	for r := range p.old {
		return r
	}
	return nil
}

// apply puts the rules into force that a record names. Where they are not at hand, the gate
// keeps those that it has, and nothing is decided by them.
func (r *Replay) apply(x item) {
	i := SetOf(r.cfg.Sets, x.rec.Seq)
	if i < 0 || r.cfg.Sets[i].From != x.rec.Seq {
		return
	}
	if r.gate != nil {
		r.tick(x.boot)
	}
	s, before := r.cfg.Sets[i], r.unruled
	if r.unruled = s.Rules == nil; r.unruled || s.Rules == r.cfg.Rules && !before {
		return
	}
	r.cfg.Rules, r.past.rules = s.Rules, s.Rules
	if r.gate == nil {
		return
	}
	var m *gate.Memory
	if s.Rules.Reach() > 0 {
		m = r.past.memory(r.bootID)
	}
	r.gate.SetRules(s.Rules, m)
}

// memory returns what has passed, as far as the rules ask for it.
func (p *past) memory(bootID string) *gate.Memory {
	p.inBoot(bootID)
	m := p.old[p.rules].Clone()
	for _, e := range p.kept {
		if e.body != nil || !asked(p.rules, e) {
			continue
		}
		if e.bootID != bootID {
			e.Boot = 0
		}
		m.Take(p.rules, p.zone, e.Earlier)
	}
	return m
}

// Applied returns the set that a record says has come into force; nil: it says no such thing.
func Applied(body wire.Body) *wire.RulesApplied {
	if b, is := body.(*wire.Audit); is && b.Action == wire.ActionRulesApplied {
		return b.Rules
	}
	return nil
}
