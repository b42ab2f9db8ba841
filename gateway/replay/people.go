package replay

import (
	"encoding/csv"
	"maps"
	"slices"
	"strings"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// People is what records say of cards, for a replay without a roster: class and
// household, and whether a card was lost or sealed when it was shown last. First and last
// days, purposes and uses are not known: passages that they decided count as recorded.
type People struct {
	cards   map[string]*card
	unknown map[string]bool // cards that were on no roster
}

type card struct {
	class, household string
	status           policy.Status
	purposeless      bool
}

// Take takes a recorded passage.
func (p *People) Take(b *wire.Passage) {
	if b.Credential != "" && slices.Contains(b.Reasons, fact.ReasonUnknownCard) {
		if p.unknown == nil {
			p.unknown = map[string]bool{}
		}
		p.unknown[b.Credential] = true
	}
	if b.Credential == "" || b.Class == "" || b.Basis == nil || b.Basis.Pass != "" {
		return
	}
	if p.cards == nil {
		p.cards = map[string]*card{}
	}
	c := p.cards[b.Credential]
	if c == nil {
		c = &card{}
		p.cards[b.Credential] = c
	}
	c.class, c.status = b.Class, policy.StatusActive
	if b.Basis.Household != "" {
		c.household = b.Basis.Household
	}
	switch {
	case slices.Contains(b.Reasons, fact.ReasonLostCard):
		c.status = policy.StatusLost
	case slices.Contains(b.Reasons, fact.ReasonSealed), b.Basis.Rule == "sealed.in" && b.Verdict != fact.VerdictFever,
		b.Basis.Rule == "sealed.openings":
		c.status = policy.StatusSealed
	}
	c.purposeless = slices.Contains(b.Reasons, fact.ReasonPurpose)
}

// Beside returns what p says of cards, and what others say of those of which it says nothing:
// who was here before some rules came into force still counts after that.
func (p *People) Beside(others *People) *People {
	out := &People{cards: maps.Clone(others.cards)}
	maps.DeleteFunc(out.cards, func(credential string, _ *card) bool { return p.unknown[credential] })
	if out.cards == nil {
		out.cards = map[string]*card{}
	}
	maps.Copy(out.cards, p.cards)
	return out
}

// Rules returns a policy with the cards as its roster. A card for whose household the
// policy asks, and of which none is known, has one of its own.
func (p *People) Rules(rules policy.Policy) (*policy.Rules, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	rows := [][]string{{"card", "class", "status", "household", "from", "until", "purpose"}}
	for _, credential := range slices.Sorted(maps.Keys(p.cards)) {
		c := p.cards[credential]
		k := rules.Classes[c.class]
		household, purpose := c.household, ""
		if household == "" && k.Quota != nil && k.Quota.Per == policy.PerHousehold {
			household = "of " + credential
		}
		if len(k.Purposes) > 0 && !c.purposeless {
			purpose = k.Purposes[0]
		}
		rows = append(rows, []string{"code:" + credential, c.class, string(c.status), household, "", "", purpose})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return policy.ParseRoster(rules, strings.NewReader(b.String()), asTheyAre{})
}

// asTheyAre takes pseudonyms as they are.
type asTheyAre struct{}

func (asTheyAre) Pseudonym(_, code string) string { return code }

// byRoster reports whether a column of the roster that no record holds was asked: days,
// purpose or uses of a card.
func byRoster(rules policy.Policy, p *wire.Passage) bool {
	b := p.Basis
	if b == nil || b.Pass != "" {
		return false
	}
	return strings.HasPrefix(b.Rule, "roster.") && b.Rule != "roster.status" ||
		b.Times > 0 && rules.Classes[p.Class].Quota == nil
}
