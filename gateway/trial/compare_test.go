package trial

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/policy"
)

// friday is the first day of the week that is tried.
var friday = time.Date(2020, 2, 14, 0, 0, 0, 0, time.FixedZone("CST", 8*60*60))

// version returns a pack's rules, in whose policy and roster texts are replaced.
func version(t *testing.T, pack string, replace ...string) *policy.Rules {
	t.Helper()
	dir := t.TempDir()
	for _, file := range []string{"policy.yaml", "roster.csv"} {
		b, err := os.ReadFile(packs + pack + "." + file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer(replace...).Replace(string(b))
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Rules(filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "roster.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// changes returns the situations in which somebody passes by one version only.
func changes(c Comparison) string {
	var out []string
	for _, x := range c.Changes {
		if x.Passes {
			out = append(out, fmt.Sprintf("%s %s %s [%s] %s: %s > %s %v", x.Who, x.Way, x.Lane, x.Before, x.When, x.Old,
				x.New, x.Lines))
		}
	}
	return strings.Join(out, "\n")
}

func TestCompare(t *testing.T) {
	compound, farm := "closed-compound", "farm-biosecurity"
	for name, c := range map[string]struct {
		pack    string
		replace []string
		want    string // changes
		rules   string // settings
	}{
		"nothing": {compound, nil, "", ""},
		"an hour later": {compound, []string{`until: "21:00"`, `until: "22:00"`},
			"stair-head out  [went out an hour ago] every day 21:00-22:00: refused (outside-hours) > " +
				"passes (anti-passback) [11]", "classes.stair-head.windows"},
		"a longer quota": {compound, []string{"entries: 6", "entries: 5"}, "", "classes.delivery.quota: 6 in"},
		"no vets": {farm, []string{"vet,active,,2020-02-14", "vet,lost,,2020-02-14"},
			"vet (active → lost) in", ""},
		"another class": {farm, []string{"staff,active", "feed-truck,active"}, "staff → feed-truck in", ""},
		"a wash": {farm, []string{"before: [{lane: wash, within: 30m, at: [vehicles], directions: [in]}]", ""},
			"feed-truck in vehicles [not even the lanes that come first] every day 06:00-18:00: " +
				"refused (other-lane-first) > passes [2 3]", "classes.feed-truck.before"},
		"fever": {compound, []string{"fever_c: 37.3", "fever_c: 37.5"}, "", "limits.fever_c: 37.30 → 37.50"},
	} {
		got := Compare(version(t, c.pack), version(t, c.pack, c.replace...), friday)
		if text := changes(got); (text == "") != (c.want == "") || !strings.Contains(text, c.want) {
			t.Errorf("%s:\n%s\nwant %s", name, text, c.want)
		}
		if text := strings.Join(got.Rules, "\n"); (text == "") != (c.rules == "") || !strings.Contains(text, c.rules) {
			t.Errorf("%s: %s, want %s", name, text, c.rules)
		}
		if len(got.Locked)+len(got.Added)+len(got.Removed) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestPeopleWhoComeAndGo(t *testing.T) {
	got := Compare(version(t, "farm-biosecurity"), version(t, "farm-biosecurity", "6300000002", "6300000099"), friday)
	if fmt.Sprint(got.Added, got.Removed) != "[3] [3]" {
		t.Errorf("%v %v", got.Added, got.Removed)
	}
}

func TestARuleThatLocksEverybodyOutIsFound(t *testing.T) {
	old := version(t, "farm-biosecurity")
	got := Compare(old, version(t, "farm-biosecurity", "directions: [in, out]", "directions: [out]",
		"    quota", "    #", "    windows", "    #", "    before", "    #", "      -", "      #"), friday)
	if len(got.Locked) != 1 || got.Locked[0] != "in: 5 could before" {
		t.Errorf("%q", got.Locked)
	}
	if n := able(version(t, "farm-biosecurity", ",active,", ",lost,"), "out", friday); n != 0 {
		t.Errorf("all cards are lost, and %d people may pass", n)
	}
}

func TestPoliciesWithoutARosterAreCompared(t *testing.T) {
	a, b := version(t, "closed-compound"), version(t, "farm-biosecurity")
	old, err := Samples(a.Policy, b.Policy)
	if err != nil {
		t.Fatal(err)
	}
	now, err := Samples(b.Policy, a.Policy)
	if err != nil {
		t.Fatal(err)
	}
	if got := Compare(old, now, friday); len(got.Added) == 0 || len(got.Removed) == 0 || len(got.Changes) == 0 {
		t.Errorf("%+v", got)
	}
}

func TestHeadcount(t *testing.T) {
	for want, lines := range map[string][]int{
		"1 person (line 7)":                 {7},
		"4 people (lines 2-4, 9)":           {2, 3, 4, 9},
		"7 people (lines 1, 3, 5, 7, 9, …)": {1, 3, 5, 7, 9, 11, 13},
	} {
		if got := Headcount(lines); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
