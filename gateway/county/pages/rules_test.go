package pages

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/site"
)

type standings struct{}

func (standings) Standings() []rules.Standing {
	return []rules.Standing{{Gate: "gate-001", State: rules.ByHand}}
}

func oneGate(t *testing.T) *site.County {
	t.Helper()
	tree, err := site.Parse([]byte("county: qinghe\nname: 清和县\ncrs: WGS-84\ncommunities: [{id: c1, name: 东城, " +
		"grids: [{id: g1, name: 一, compounds: [{id: k1, name: 丽景苑, gates: [gate-001]}]}]}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// asks posts a JSON body and returns the code of the problem, if there is one.
func (b *bench) asks(path, format string, args ...any) (status int, code string) {
	b.t.Helper()
	status, text, _ := b.ask("POST", path, fmt.Sprintf(format, args...))
	var p problem
	_ = json.Unmarshal([]byte(text), &p)
	return status, p.Code
}

func TestAPolicyEditorPutsRulesIntoForce(t *testing.T) {
	b := start(t).as(people.Policy)
	const policy = "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n" +
		"classes:\n  resident: {fever: go-home, directions: [in, out]}\n"
	for _, c := range []struct {
		query, text string
		status      int
		code        string
	}{
		{"kind=policy&scope=default&note=x", policy, 200, ""},
		{"kind=policy&scope=default", "{", 200, ""},
		{"kind=policy&scope=gate-009", policy, 422, "rules-scope"},
		{"kind=other&scope=default", policy, 422, "body"},
		{"kind=policy&scope=default", "", 422, "rules-text"},
		{"kind=roster&scope=k1", "card,class,status,household,from,until\n6200000101,resident,active,,,\n", 200, ""},
	} {
		if status, code := b.asks("/api/rules/add?"+c.query, "%s", c.text); status != c.status || code != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.query, status, code, c.status, c.code)
		}
	}
	for _, c := range []struct {
		id           int
		do, password string
		status       int
		code         string
	}{
		{1, "approve", "wrong", 403, "password"},
		{2, "approve", password, 409, "rules-faulty"},
		{3, "approve", password, 409, "rules-faulty"}, // there is no policy yet
		{1, "approve", password, 204, ""},
		{1, "ask", "", 409, "rules-state"},
		{3, "approve", password, 204, ""},
		{9, "approve", password, 404, "gone"},
		{2, "withdraw", password, 204, ""},
		{2, "other", password, 400, "body"},
	} {
		status, code := b.asks("/api/rules/do", `{"id":%d,"do":%q,"password":%q}`, c.id, c.do, c.password)
		if status != c.status || code != c.code {
			t.Errorf("%s %d: %d %s, want %d %s", c.do, c.id, status, code, c.status, c.code)
		}
	}
	if _, text, _ := b.ask("GET", "/api/rules", ""); strings.Count(text, `"in_force":true`) != 2 ||
		!strings.Contains(text, `"state":"by-hand"`) || strings.Contains(text, "62000") {
		t.Error(text)
	}
	const faulty = `"faults":["policy of default`
	if _, text, _ := b.ask("GET", "/api/rules/check?id=2", ""); !strings.Contains(text, faulty) {
		t.Error(text)
	}
	if _, text, _ := b.ask("GET", "/api/rules/text?id=3", ""); !strings.Contains(text, "6200000101") {
		t.Error(text)
	}
	if _, text, _ := b.as(people.Admin).ask("GET", "/api/audit?action=look-rules", ""); !strings.Contains(text,
		`"object":"rules roster k1","detail":"version 1"`) {
		t.Error(text)
	}
}
