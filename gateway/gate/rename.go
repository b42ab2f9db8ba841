package gate

import (
	"slices"

	"gatehouse/gateway/policy"
	"gatehouse/gateway/policy/engine"
	"gatehouse/gateway/wire"
)

// SetNames puts rules into force that say the same as those before, and by which people and
// households have other names: the gate's key for pseudonyms is another one now. Who is in
// a lane, what has passed and fever episodes go on.
func (g *Gate) SetNames(r *policy.Rules) {
	g.cfg.Rules = r
	g.past.state.Rename(r.Same)
	g.rename(r.Same)
}

// Known notes the other names of a card that no roster lists: what is open for it goes on.
func (g *Gate) Known(others []string, credential string) {
	if len(others) == 0 || g.cfg.Rules.Knows(credential) {
		return
	}
	g.rename(func(name string) string {
		if slices.Contains(others, name) {
			return credential
		}
		return name
	})
}

// rename renames cards in what is open.
func (g *Gate) rename(same func(string) string) {
	if g.fevers.book != nil {
		g.fevers.book.Rename(same)
	}
	for name, pass := range g.fevers.passes {
		delete(g.fevers.passes, name)
		g.fevers.passes[same(name)] = pass
	}
	for i := range g.fevers.unresolved {
		g.fevers.unresolved[i].Credential = same(g.fevers.unresolved[i].Credential)
	}
	for i := range g.meters.highs {
		g.meters.highs[i].credential = same(g.meters.highs[i].credential)
	}
	for _, l := range g.lanes {
		l.passed = same(l.passed)
		for _, v := range append(slices.Clone(l.held), l.visit, l.last) {
			v.rename(same)
		}
	}
}

func (v *visit) rename(same func(string) string) {
	if v == nil {
		return
	}
	v.of = same(v.of)
	for _, c := range v.cards {
		c.credential = same(c.credential)
	}
}

// named returns a record of before with the names that its card and household have now.
func named(r *policy.Rules, p *wire.Passage) *wire.Passage {
	if p == nil || !r.Renamed() {
		return p
	}
	n := engine.Named(r, *p)
	return &n
}
