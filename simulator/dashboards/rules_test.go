package dashboards

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// testRules waits until Prometheus has evaluated each alert once (it starts a group up to
// evaluation_interval, 15 s, after its own start) and looks that none gave an error.
func (p prometheus) testRules(t *testing.T) {
	t.Helper()
	var health map[string]string
	waits := func(name string) bool { return health[name] == "" || health[name] == "unknown" }
	for end := time.Now().Add(time.Minute); ; time.Sleep(250 * time.Millisecond) {
		health = p.ruleHealth(t)
		if !slices.ContainsFunc(alerts(t), waits) || time.Now().After(end) {
			break
		}
	}
	for _, name := range alerts(t) {
		if health[name] != "ok" {
			t.Errorf("%s: %q", name, health[name])
		}
	}
}

// ruleHealth returns each alert's health ("ok", "unknown") or its error.
func (p prometheus) ruleHealth(t *testing.T) map[string]string {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	if !p.get("rules", nil, &answer) {
		t.Fatal("Prometheus does not list its rules")
	}
	health := map[string]string{}
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			health[r.Name] = r.Health + r.LastError
		}
	}
	return health
}

// testVariables asks for the values of the gate's variable, as label_values does.
func (p prometheus) testVariables(t *testing.T) {
	t.Helper()
	v := gate().render(Prometheus).Templating.List[0]
	if v.Query != "label_values(gatehouse_gate_up, agent)" {
		t.Fatalf("the variable asks %s", v.Query)
	}
	var answer struct{ Data []string }
	if !p.get("label/agent/values", url.Values{"match[]": {"gatehouse_gate_up"}}, &answer) ||
		strings.Join(answer.Data, " ") != "gate-001 gate-002 gate-003 gate-004" {
		t.Errorf("gates: %q", answer.Data)
	}
}
