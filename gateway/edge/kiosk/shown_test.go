package kiosk

import (
	"encoding/json"
	"strings"
	"testing"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

const wang = "3栋2单元 王**"

// Shown names one person.
func (g *notebook) Shown(credential string) string {
	return map[string]string{"k-wang": wang}[credential]
}

// The guard sees building and masked name of who is asked for a temperature and of who got a
// verdict, and of nobody else.
func TestTheGuardSeesThePersonOfTheRoster(t *testing.T) {
	of := func(p wire.Passage, credential string) wire.Passage {
		p.Credential = credential
		return p
	}
	for name, c := range map[string]struct {
		prompt  *gate.Prompt
		passage *wire.Passage
		want    string
	}{
		"a tap": {&gate.Prompt{Wants: gate.WantsTemperature, Credential: "k-wang", Until: at(9).Boot}, nil,
			wang},
		"a measurement": {&gate.Prompt{Wants: gate.WantsCard, Until: at(9).Boot}, nil, ""},
		"a pass":        {nil, new(of(pass, "k-wang")), wang},
		"a fever":       {nil, new(of(fever, "k-wang")), wang},
		"a sealed card": {nil, new(of(sealed, "k-wang")), wang},
		"another card":  {nil, new(of(pass, "k-li")), ""},
		"no card":       {nil, new(fever), ""},
		"unknown":       {nil, new(of(unknown, "k-new")), ""},
	} {
		s := NewScreen()
		s.who = (&notebook{}).Shown
		snap := status.Snapshot{Delivery: well}
		if c.prompt != nil {
			snap.Prompts = []gate.Prompt{*c.prompt}
		}
		s.Status(at(0), snap)
		if c.passage != nil {
			s.Passage(at(1), at(1), 5, *c.passage)
		}
		if v := s.View(at(1)); v.Shown != c.want || v.Look == LookIdle {
			t.Errorf("%s: %s shows %q, want %q", name, v.Look, v.Shown, c.want)
		}
		recent, err := json.Marshal(s.Recent(at(1)))
		if err != nil || strings.Contains(string(recent), wang) {
			t.Errorf("%s: the last five say %s, %v", name, recent, err)
		}
	}
}

// When the rules change, what is on the screen changes with them.
func TestThePersonIsOfTheRulesInForce(t *testing.T) {
	s, now := NewScreen(), wang
	s.who = func(string) string { return now }
	p := passage(fact.VerdictFever, "fever", 2)
	p.Credential = "k-wang"
	s.Passage(at(1), at(1), 5, p)
	if v := s.View(at(2)); v.Shown != wang {
		t.Fatalf("%q", v.Shown)
	}
	now = ""
	if v := s.View(at(3)); v.Shown != "" {
		t.Errorf("%q", v.Shown)
	}
}
