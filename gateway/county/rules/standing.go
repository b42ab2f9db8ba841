package rules

import (
	"time"

	"gatehouse/gateway/wire"
)

// Said is what a gate says of its rules.
type Said struct {
	Online  bool
	InForce *wire.RulesInForce // nil: it says nothing of rules of the county
	Refused string             // why it does not take what is meant; empty: it does not say so
}

// Standing is how a gate stands to what is meant for it.
type Standing struct {
	Gate    string             `json:"gate"`
	State   string             `json:"state"` // one of the states below
	Meant   *wire.RulesInForce `json:"meant,omitempty"`
	At      *time.Time         `json:"at,omitempty"` // when that was made
	InForce *wire.RulesInForce `json:"in_force,omitempty"`
	Behind  *time.Time         `json:"behind,omitempty"` // since when it lives and has another one
	Why     string             `json:"why,omitempty"`    // for engineers
}

// The states of a Standing, the first that holds.
const (
	ByHand  = "by-hand" // not enrolled, or nothing is in force for it: its rules are files at the gate
	Unmade  = "unmade"  // its set can't be made, see Why
	Same    = "same"    // it decides by what is meant
	Refused = "refused" // it does not take what is meant, see Why
	Away    = "away"    // it is offline and gets it when it is back
	Coming  = "coming"  // it lives, and has another one
)

// longBehind is how long a gate may live with other rules than are meant before it is a trouble.
const longBehind = 5 * time.Minute

// Report takes what gates say at now.
func (p *Publisher) Report(now time.Time, said map[string]Said) {
	p.mu.Lock()
	defer p.mu.Unlock()
	woken := false
	for name, s := range said {
		g := p.gates[name]
		if g == nil {
			continue
		}
		g.said = s
		if r := s.InForce; r != nil && r.No <= wire.MaxSeq && r.No > g.floor {
			g.floor = r.No
			woken = woken || g.meant.no != 0 && r.No > g.meant.no
		}
		switch {
		case g.meant.no == 0 || !s.Online || s.InForce != nil && s.InForce.No == g.meant.no:
			g.behind = time.Time{}
		case g.behind.IsZero():
			g.behind = now
		}
	}
	if woken {
		p.wake()
	}
}

// Standings returns how the gates stand, in the order of the sites file.
func (p *Publisher) Standings() []Standing {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Standing
	for _, name := range p.opts.Rules.opts.Sites.Agents() {
		out = append(out, p.gates[name].standing(name))
	}
	return out
}

func (g *gate) standing(name string) Standing {
	s := Standing{Gate: name, InForce: g.said.InForce, State: Coming}
	if g.meant.no != 0 {
		s.Meant = &wire.RulesInForce{No: g.meant.no, Version: g.meant.version}
		s.At = new(g.meant.at)
	}
	if !g.behind.IsZero() {
		s.Behind = new(g.behind.UTC())
	}
	switch {
	case g.fault != "":
		s.State, s.Why = Unmade, g.fault
	case g.meant.no == 0 || !g.enrolled:
		s.State, s.Meant, s.At = ByHand, nil, nil
	case s.InForce != nil && s.InForce.No == g.meant.no:
		s.State = Same
	case !g.said.Online:
		s.State = Away
	case g.said.Refused != "":
		s.State, s.Why = Refused, g.said.Refused
	}
	return s
}

// Late returns the gates that live and have had other rules than are meant for long, and those
// whose set can't be made.
func (p *Publisher) Late(now time.Time) (behind, unmade []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range p.opts.Rules.opts.Sites.Agents() {
		g := p.gates[name]
		if g.enrolled && !g.behind.IsZero() && now.Sub(g.behind) >= longBehind {
			behind = append(behind, name)
		}
		if g.fault != "" {
			unmade = append(unmade, name)
		}
	}
	return behind, unmade
}
