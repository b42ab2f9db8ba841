package rules

import (
	"strings"
	"testing"
)

const (
	guards = "guard,card,pin\neast-1,%s,\n"
	cases  = "policy: x\nroster: x\npeople: {a: \"6200000101\"}\ncases:\n  - name: one\n" +
		"    when: {at: \"2020-02-14 09:00\", who: a, goes: in}\n    then: {verdict: VERDICT}\n"
)

func TestAVersionIsCheckedWithAllThatIsInForce(t *testing.T) {
	for name, c := range map[string]struct {
		kind  Kind
		scope string
		text  string
		fault string // empty: there is none
		warn  string
	}{
		"good":    {Policy, Default, goodPolicy, "", ""},
		"no YAML": {Policy, Default, "{", "policy of default, version 2", ""},
		"a class is gone": {Policy, Default, strings.ReplaceAll(goodPolicy, "resident", "x"),
			"line 2: class", ""},
		"all are locked out": {Policy, Default, strings.ReplaceAll(goodPolicy, "[in, out]", "[in]"),
			"", "out: none"},
		"a good roster": {Roster, "k1", goodRoster,
			"", "default lists cards of this one, too: 2 people (lines 2-3)"},
		"a card twice": {Roster, Default, goodRoster + "6200000101,resident,lost,,,\n",
			"line 4: the card is on line 2", ""},
		"a card twice, otherwise": {Roster, Default, goodRoster +
			" 62000001ab,resident,lost,,,\n62000001AB,resident,lost,,,\n",
			"line 5: the card is on line 4", ""},
		"columns changed": {Roster, Default, header + "\nresident,6200000109,active,h1,,\n", "line 2", ""},
		"no header":       {Roster, Default, "6200000109,resident,active,h1,,\n", "line 1", ""},
		"a place too much": {Roster, Default, header + ",compound\n6200000101,resident,active,h1,,,k9\n",
			"line 2: the site file has no compound", ""},
		"no place": {Roster, Default, header + ",gate\n6200000101,resident,active,h1,,,\n",
			"line 2: the site file", ""},
		"good places": {Roster, Default, header + ",gate\n6200000101,resident,active,h1,,,gate-001|gate-003\n",
			"", "lists nobody for gate-002"},
		"guards":    {Guards, "gate-001", strings.Replace(guards, "%s", "6200000901", 1), "", ""},
		"a guard's": {Guards, Default, strings.Replace(guards, "%s", "6200000101", 1), "east-1 is on line 2", ""},
		"guards' card": {Guards, Default, strings.Replace(guards, "%s", "62000009", 1),
			"line 2: the card has 8", ""},
		"contacts":      {Contacts, Default, "contacts: [{role: doctor, phone: \"13800001234\"}]", "", ""},
		"a person":      {Contacts, Default, "contacts: [{role: 13800001234, phone: \"1\"}]", "contacts[0]", ""},
		"contacts' key": {Contacts, Default, "contacts: [{rolle: doctor, phone: \"13800001234\"}]", "line 1", ""},
		"no telephone": {Contacts, Default, "contacts: [{role: doctor, phone: \"call 13800001234\"}]",
			"dialled", ""},
		"cases": {Cases, Default, strings.Replace(cases, "VERDICT", "pass", 1), "", ""},
		"wrong cases": {Cases, Default, strings.Replace(cases, "VERDICT", "refuse", 1),
			"line 5, one: want refuse", ""},
		"no cases": {Cases, Default, "people: {a: \"6200000101\"\n", "line", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, false)
			b.force(Policy, Default, goodPolicy)
			b.force(Roster, Default, goodRoster)
			got := b.report(b.add(c.kind, c.scope, c.text))
			if (c.fault == "") != (len(got.Faults) == 0) || c.fault != "" && !holds(got.Faults, c.fault) {
				t.Errorf("faults %q, want %q", got.Faults, c.fault)
			}
			if c.warn != "" && !holds(got.Warnings, c.warn) {
				t.Errorf("warnings %q, want %q", got.Warnings, c.warn)
			}
			all := strings.Join(append(append(got.Faults, got.Warnings...), got.Changes...), "\n")
			if strings.Contains(all, "62000") || strings.Contains(all, "13800") {
				t.Errorf("a number is repeated: %s", all)
			}
		})
	}
}

func TestAPolicyIsComparedWithTheOneInForce(t *testing.T) {
	b := newBench(t, false)
	b.force(Policy, Default, goodPolicy)
	if got := b.report(b.add(Roster, Default, goodRoster)); !holds(
		got.Changes,
		"nothing of the county was in force",
	) ||
		got.People != 2 ||
		got.Gates != 3 {
		t.Errorf("%+v", got)
	}
	b.force(Roster, Default, goodRoster)
	got := b.report(b.add(Policy, "k1", strings.ReplaceAll(goodPolicy, "[in, out]", "[in]")))
	if got.Gates != 2 || !holds(got.Changes, "passes → refused") || !holds(got.Locked, "out: 2 could before") {
		t.Errorf("%+v", got)
	}
	got = b.report(b.add(Roster, Default, goodRoster+"6200000103,resident,active,,,\n"))
	if !holds(got.Changes, "1 person (line 4) of the new roster are new") {
		t.Errorf("%q", got.Changes)
	}
}
