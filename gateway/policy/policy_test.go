package policy

import (
	"os"
	"strings"
	"testing"
	"time"
)

type plain struct{}

func (plain) Pseudonym(kind, code string) string { return kind + "/" + strings.ToUpper(code) }

func example(t *testing.T) (text string, p Policy) {
	t.Helper()
	b, err := os.ReadFile("../../deploy/policy.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err = Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), p
}

func exampleRules(t *testing.T) *Rules {
	t.Helper()
	_, p := example(t)
	r, err := LoadRules(p, "../../deploy/roster.example.csv", plain{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheExampleSaysWhatItSays(t *testing.T) {
	r := exampleRules(t)
	if r.Limits != (Limits{Fever: 3730, InvalidBelow: 3500, Pairing: 8 * time.Second}) || r.People() != 5 {
		t.Fatalf("got %+v, %d people", r.Limits, r.People())
	}
	if want := (Episode{10 * time.Minute, 2 * time.Hour, SecondOther}); *r.Episode != want ||
		r.Reach() != want.Expires {
		t.Fatalf("got %+v, reach %s", r.Episode, r.Reach())
	}
}

func TestWhatIsWrongInAPolicyIsSaid(t *testing.T) {
	text, _ := example(t)
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":        {"pairing:", "pairng:", "pairng"},
		"no version":         {"version: 2020-02-14.1", "version: ''", "version"},
		"a comma":            {"37.3 ", "37,3 ", "37,3"},
		"absurd fever":       {"37.3 ", "73.3 ", "36 to 42"},
		"fever of three":     {"37.3 ", "37.333 ", "two decimals"},
		"invalid over fever": {"35.0 ", "38.0 ", "below fever_c"},
		"no pairing":         {"8s", "0s", "1s to 60s"},
		"long pairing":       {"8s", "1h", "1s to 60s"},
		"wrong unit":         {"8s", "8", "pairing"},
		"bad instruction":    {"{fever: go-home", "{fever: hug", "hug"},
		"bad direction":      {"directions: [in]", "directions: [up]", "neither in nor out"},
		"no direction":       {"directions: [in]}", "directions: []}", "in, out or both"},
		"a short wait":       {"wait: 10m", "wait: 9999ms", "10s to 2h"},
		"a long wait":        {"wait: 10m", "wait: 121m", "10s to 2h"},
		"it ends too early":  {"expires: 2h", "expires: 10m", "longer than wait"},
		"it ends too late":   {"expires: 2h", "expires: 1441m", "24h at most"},
		"which second":       {"second: other-device", "second: sibling", "any or other-device or contact"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(text, c.old, c.new, 1)
			if changed == text {
				t.Fatal("nothing was replaced")
			}
			if _, err := Parse([]byte(changed)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error is %v, want it to hold %q", err, c.want)
			}
		})
	}
}

const full = `version: "1"
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}
default: deny
classes:
  resident:
    fever: go-home
    directions: [in, out]
    windows: [{days: [mon], from: "06:00", until: "22:00", directions: [out]}]
    quota: {exits: 1, days: 2, per: household}
    anti_passback: soft
    amnesty: 24h
    purposes: [shopping]
  truck:
    fever: turn-away
    directions: [in]
    before: [{lane: wash, within: 30m, at: [gate], directions: [in]}]
sealed: {in: allow, visits: [truck, shopping], openings: declared}
lost: {pass: identify}
unsynchronised: own-clock
`

// Each fault of the newer keys is named with the line that it stands on.
func TestWhatIsWrongInARuleIsSaidWithItsLine(t *testing.T) {
	if p, err := Parse([]byte(full)); err != nil || p.Classes["resident"].Quota.Exits != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"allow by default":  {"default: deny", "default: allow", `line 3: default "allow": write deny`},
		"a day":             {"days: [mon]", "days: [monday]", `line 8: classes.resident.windows[0].days: "monday"`},
		"an hour":           {`"06:00"`, `"6:00"`, `line 8: classes.resident.windows[0].from "6:00"`},
		"an hour of 25":     {`"22:00"`, `"25:00"`, `line 8: classes.resident.windows[0].until "25:00"`},
		"no time":           {`"22:00"`, `"06:00"`, "is the same as from"},
		"a window's way":    {`"22:00", directions: [out]`, `"22:00", directions: [up]`, "neither in nor out"},
		"no exits":          {"exits: 1", "exits: 0", "line 9: classes.resident.quota.exits: write either"},
		"exits and entries": {"exits: 1", "exits: 1, entries: 1", "write either exits or entries"},
		"too many":          {"exits: 1", "exits: 101", "must be 1 to 100"},
		"negative":          {"exits: 1", "exits: -1", "must be 1 to 100"},
		"no days":           {"days: 2", "days: 0", "line 9: classes.resident.quota.days 0: must be 1 to 31"},
		"per what":          {"per: household", "per: house", `line 9: classes.resident.quota.per "house"`},
		"passback":          {"anti_passback: soft", "anti_passback: firm", `line 10: classes.resident.anti_passback`},
		"amnesty":           {"amnesty: 24h", "amnesty: 30s", "line 11: classes.resident.amnesty 30s: must be 1m"},
		"amnesty of what":   {"anti_passback: soft", "anti_passback: 'off'", "write anti_passback"},
		"a purpose twice":   {"[shopping]", "[shopping, shopping]", "line 12: classes.resident.purposes"},
		"no lane":           {"lane: wash", "lane: ''", "line 16: classes.truck.before[0].lane: is missing"},
		"within":            {"within: 30m", "within: 0s", "line 16: classes.truck.before[0].within 0s"},
		"a circle of lanes": {"at: [gate], directions: [in]}", "at: [gate]}, {lane: gate, within: 1h, at: [wash]}",
			"line 16: classes.truck.before: lanes wait for each other: gate after wash after gate"},
		"a lane after itself": {"at: [gate]", "at: [wash]", "wash after wash"},
		"a way it never goes": {"at: [gate], directions: [in]", "directions: [out]", "may not go out at all"},
		"a quota of exits": {"    before", "    quota: {exits: 1, days: 1, per: card}\n    before",
			"may not go out at all"},
		"an unknown class":    {"visits: [truck", "visits: [doctor", `line 17: sealed.visits: "doctor" is neither`},
		"sealed":              {"in: allow", "in: maybe", `line 17: sealed.in "maybe"`},
		"openings":            {"openings: declared", "openings: all", `line 17: sealed.openings "all"`},
		"lost":                {"pass: identify", "pass: allow", `line 18: lost.pass "allow"`},
		"unsynchronised":      {"own-clock", "never", `line 19: unsynchronised "never"`},
		"a circle of anchors": {"  resident:", "  resident: &r\n    like: *r", "*r stands inside &r itself"},
	} {
		text := strings.Replace(full, c.old, c.new, 1)
		if _, err := Parse([]byte(text)); text == full || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(full)
	f.Add("version: 1\nclasses: {a: {before: [{lane: x, at: [y]}, {lane: y, at: [x]}]}}\n")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse([]byte(s))
		if err == nil && (p.Version == "" || len(p.Classes) == 0) {
			t.Fatalf("%q is a policy", s)
		}
		for _, k := range p.Classes {
			if err == nil {
				k.Hours("", time.Unix(0, 0).UTC())
			}
		}
	})
}
