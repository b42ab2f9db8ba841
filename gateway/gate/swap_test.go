package gate

import (
	"slices"
	"testing"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
)

// other returns rules that differ from those of newGate in limit and version.
func other(t *testing.T, fever fact.Temp) *policy.Rules {
	t.Helper()
	r := *rules(t)
	r.Version, r.Limits.Fever = "other", fever
	return &r
}

// Nobody is judged by half of the rules of before and half of the new ones.
func TestWhoIsInTheLaneIsJudgedByTheNewRulesAlone(t *testing.T) {
	for name, c := range map[string]struct {
		before, after step
		want          fact.Verdict
	}{
		"measured before": {temperature(1, 3650), tapped(2, resident), fact.VerdictFever},
		"tapped before":   {tapped(1, resident), temperature(2, 3650), fact.VerdictFever},
		"both after":      {wait(1), temperature(2, 3650), fact.VerdictFever},
	} {
		g := newGate(t)
		if events := run(g, []step{c.before}); len(events) != 0 {
			t.Fatalf("%s: %v", name, events)
		}
		if free := g.Free(); free != (c.before.card == "" && c.before.t == nil) {
			t.Errorf("%s: free %v", name, free)
		}
		g.SetRules(other(t, 3600), nil)
		events := run1(g, c.after, 2)
		if len(events) == 0 || events[len(events)-1].Passage.Verdict != c.want ||
			slices.ContainsFunc(events, func(e Event) bool { return e.Passage.Policy != "other" }) {
			t.Errorf("%s: %v", name, events)
		}
	}
}
