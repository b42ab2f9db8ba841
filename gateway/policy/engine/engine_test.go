package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

type plain struct{}

func (plain) Pseudonym(kind, code string) string { return kind + "/" + strings.TrimLeft(code, "0") }

// zone is the county's: eight hours ahead of UTC.
var zone = time.FixedZone("CST", 8*60*60)

// rules returns a policy with these classes and more, and a roster with these rows.
func rules(t interface{ Fatal(...any) }, classes, more, roster string) *policy.Rules {
	p, err := policy.Parse([]byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n" +
		"classes:\n  " + strings.ReplaceAll(strings.TrimSpace(classes), "\n", "\n  ") + "\n" + more))
	if err != nil {
		t.Fatal(err)
	}
	r, err := policy.ParseRoster(p, strings.NewReader("card,class,status,household,from,until,purpose,uses,opening\n"+
		strings.TrimSpace(roster)+"\n"), plain{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// at reads "14 08:30" as a time in February 2020.
func at(t interface{ Fatal(...any) }, s string) time.Time {
	v, err := time.ParseInLocation("2006-01-02 15:04", "2020-02-"+s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// play lets cards through one after the other: "14 08:30 A1 out", with a lane if one
// follows. It returns what was decided, each as "pass", "pass+notes" or the reason.
func play(t interface{ Fatal(...any) }, r *policy.Rules, s *State, steps ...string) (out []string, last Decision) {
	for i, step := range steps {
		f := strings.Fields(step)
		a := Ask{Credential: "card/" + f[2], Direction: fact.Direction(f[3]), At: at(t, f[0]+" "+f[1]),
			Readings: []uint64{uint64(1000*len(s.recent) + i + 1)}}
		if a.Direction == "both" {
			a.Direction = fact.DirectionNone
		}
		if len(f) > 4 {
			a.Lane = f[4]
		}
		last = Decide(r, s, a)
		p := wire.Passage{Verdict: fact.VerdictRefuse, Direction: a.Direction, Credential: a.Credential, Lane: a.Lane,
			Readings: a.Readings, Basis: &last.Basis}
		word := string(last.Reason)
		if last.Allowed {
			p.Verdict, word = fact.VerdictPass, "pass"
		}
		if len(last.Notes) > 0 {
			word += "+" + fact.JoinReasons(last.Notes, "+")
		}
		s.Take(r, p, a.At)
		out = append(out, word)
	}
	return out, last
}

const roster = `
00000000A1,resident,active,7,,,,,
00000000A2,resident,active,7,,,,,
00000000B1,resident,active,8,,,,,
00000000C1,resident,lost,8,,,,,
00000000D1,resident,sealed,9,,,,,
00000000D2,resident,active,9,,,,,
00000000D3,resident,sealed,10,,,,,2020-02-14 09:00-10:00
00000000E1,delivery,active,,2020-02-13,2020-02-14,,,
00000000F1,visitor,active,7,2020-02-14,2020-02-20,family,1,
00000000F2,visitor,active,9,2020-02-14,2020-02-20,medical,,
00000000F3,visitor,active,9,,,,,
00000000F4,visitor,active,9,,,family,,`

const classes = `
resident:
  fever: go-home
  directions: [in, out]
  windows: [{from: "06:00", until: "22:00", directions: [out]}]
  quota: {exits: 1, days: 2, per: household}
  anti_passback: soft
delivery: {fever: turn-away, directions: [in], windows: [{days: [fri], from: "22:00", until: "02:00"}]}
visitor: {fever: turn-away, directions: [in, out], purposes: [family, medical]}`

const sealedRules = "sealed: {in: allow, visits: [medical], openings: declared}\nlost: {pass: identify}\n"

func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		steps []string
		want  string // the last decision
		rule  string
		next  string
	}{
		"a resident":    {[]string{"14 08:00 A1 out"}, "pass", "classes.resident", ""},
		"nobody":        {[]string{"14 08:00 FF out"}, "unknown-card", "default", ""},
		"a lost card":   {[]string{"14 08:00 C1 in"}, "lost-card", "lost.pass", ""},
		"out at night":  {[]string{"14 05:59 A1 out"}, "outside-hours", "classes.resident.windows[0]", "14 06:00"},
		"out at ten":    {[]string{"14 22:00 A1 out"}, "outside-hours", "classes.resident.windows[0]", "15 06:00"},
		"home at night": {[]string{"14 23:00 A1 in"}, "pass", "classes.resident", ""},
		"a second exit of the household": {[]string{"14 08:00 A1 out", "15 21:00 A2 out"}, "quota-used",
			"classes.resident.quota", "16 00:00"},
		"of another one":    {[]string{"14 08:00 A1 out", "15 21:00 B1 out"}, "pass", "classes.resident", ""},
		"two days later":    {[]string{"14 08:00 A1 out", "16 06:00 A2 out"}, "pass", "classes.resident", ""},
		"home is no exit":   {[]string{"14 08:00 A1 in", "14 09:00 A2 out"}, "pass", "classes.resident", ""},
		"a refusal is none": {[]string{"14 05:00 A1 out", "14 09:00 A2 out"}, "pass", "classes.resident", ""},
		"out and out again": {[]string{"13 08:00 A1 in", "13 20:00 A1 in"},
			"pass+anti-passback", "classes.resident.anti_passback", ""},
		"amnesty": {[]string{"13 08:00 A1 in", "14 08:00 A1 in"}, "pass", "classes.resident", ""},
		"out, home and home": {[]string{"13 08:00 A1 out", "13 09:00 A1 in", "13 10:00 A1 out"},
			"quota-used", "classes.resident.quota", "15 00:00"},
		"delivery, too early": {[]string{"14 21:59 E1 in"},
			"outside-hours", "classes.delivery.windows[0]", "14 22:00"},
		"after midnight":       {[]string{"15 01:00 E1 in"}, "expired", "roster.until", ""},
		"before its first day": {[]string{"12 23:00 E1 in"}, "not-yet-valid", "roster.from", "13 00:00"},
		"the wrong way":        {[]string{"14 22:30 E1 out"}, "direction", "classes.delivery.directions", ""},
		"both ways":            {[]string{"14 22:30 E1 both"}, "pass", "classes.delivery", ""},
		"a sealed one leaves":  {[]string{"14 08:00 D1 out"}, "sealed-household", "sealed", ""},
		"their household":      {[]string{"14 08:00 D2 out"}, "sealed-household", "sealed", ""},
		"coming home":          {[]string{"14 08:00 D1 in"}, "pass+sealed-entry", "sealed.in", ""},
		"in an opening":        {[]string{"14 09:59 D3 out"}, "pass+declared-opening", "sealed.openings", ""},
		"after it":             {[]string{"14 10:00 D3 out"}, "sealed-household", "sealed", ""},
		"the doctor":           {[]string{"14 08:00 F2 in"}, "pass+sealed-visit", "sealed.visits", ""},
		"the doctor leaves": {[]string{"14 08:00 F2 in", "14 08:30 F2 out"},
			"pass+sealed-visit", "sealed.visits", ""},
		"family of a sealed": {[]string{"14 08:00 F4 in"}, "sealed-visit", "sealed.visits", ""},
		"one use":            {[]string{"14 08:00 F1 in", "14 09:00 F1 out"}, "pass", "classes.visitor", ""},
		"two uses": {[]string{"14 08:00 F1 in", "14 09:00 F1 out", "15 08:00 F1 in"},
			"uses-up", "roster.uses", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, d := play(t, rules(t, classes, sealedRules, roster), &State{}, c.steps...)
			if word := got[len(got)-1]; word != c.want || d.Basis.Rule != c.rule {
				t.Errorf("%v by %s, want %s by %s", got, d.Basis.Rule, c.want, c.rule)
			}
			next := ""
			if d.Basis.Next != nil {
				next = d.Basis.Next.In(zone).Format("02 15:04")
			}
			if next != c.next {
				t.Errorf("may pass again %q, want %q", next, c.next)
			}
			over := d.Basis.Until
			if (over != nil) != (c.want == "expired") || over != nil && !over.Equal(at(t, "15 00:00")) {
				t.Errorf("valid until %v", over)
			}
		})
	}
}

// Policies of before have none of the new keys.
func TestPoliciesWithoutTheNewKeysMeanTheSame(t *testing.T) {
	const today = "resident: {fever: go-home, directions: [in, out]}\nvisitor: {fever: turn-away, directions: [in]}"
	r := rules(t, today, "",
		"00000000A1,resident,active,7,,,,,\n00000000C1,resident,lost,7,,,,,\n00000000D1,resident,sealed,7,,,,,\n"+
			"00000000E1,visitor,active,,,,,,")
	got, _ := play(t, r, &State{}, "14 03:00 A1 out", "14 03:01 A1 out", "14 03:02 C1 in", "14 03:03 D1 in",
		"14 03:04 D1 out", "14 03:05 E1 out", "14 03:06 E1 both")
	want := "pass pass lost-card sealed-household sealed-household direction pass"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	if r.Reach() != 0 {
		t.Errorf("the past matters for %s", r.Reach())
	}
}

func TestHardAntiPassback(t *testing.T) {
	r := rules(t, "worker: {fever: turn-away, directions: [in, out], anti_passback: hard, amnesty: 8h}", "",
		"00000000A1,worker,active,,,,,,")
	got, d := play(t, r, &State{}, "14 08:00 A1 in", "14 15:59 A1 in")
	if got[1] != "anti-passback" || d.Basis.Next.In(zone).Format("15:04") != "16:00" {
		t.Errorf("%v, next %v", got, d.Basis.Next)
	}
	if got, _ := play(t, r, &State{}, "14 08:00 A1 in", "14 16:00 A1 in"); got[1] != "pass" {
		t.Errorf("after the amnesty: %v", got)
	}
	s := &State{}
	play(t, r, s, "14 08:00 A1 in")
	s.Take(r, wire.Passage{Verdict: fact.VerdictFever, Direction: "in", Credential: "card/A1", Readings: []uint64{9}},
		at(t, "14 09:00"))
	if got, _ := play(t, r, s, "14 10:00 A1 in"); got[0] != "pass" {
		t.Errorf("where somebody with a fever went is not known: %v", got)
	}
}

// Trucks are disinfected before they come in.
func TestALaneThatComesFirst(t *testing.T) {
	r := rules(t, "truck: {fever: turn-away, directions: [in, out], quota: {entries: 1, days: 1, per: card},\n"+
		"  before: [{lane: wash, within: 30m, directions: [in]}]}", "", "00000000A1,truck,active,,,,,,")
	for _, c := range []struct{ steps, want string }{
		{"14 08:00 A1 in", "other-lane-first"},
		{"14 08:00 A1 in wash,14 08:30 A1 in", "pass pass"},
		{"14 08:00 A1 in wash,14 08:31 A1 in", "pass other-lane-first"},
		{"14 08:00 A1 both wash,14 08:10 A1 both wash,14 08:30 A1 in,14 09:00 A1 out", "pass pass pass pass"},
		{"14 08:00 A1 in wash,14 08:30 A1 in,14 08:31 A1 out,14 08:32 A1 in wash,14 08:33 A1 in",
			"pass pass pass pass quota-used"},
	} {
		got, _ := play(t, r, &State{}, strings.Split(c.steps, ",")...)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v", c.steps, got)
		}
	}
}

// A decision leaves out the passage that it replaces; a passage that is taken twice,
// as after a restart, counts once; one that is amended counts as the amendment says.
func TestAPassageCountsOnce(t *testing.T) {
	r := rules(t, classes, "", "00000000A1,resident,active,7,,,,,\n00000000A2,resident,active,7,,,,,")
	s := &State{}
	a := Ask{Credential: "card/A1", Direction: "out", At: at(t, "14 08:00"), Readings: []uint64{5, 6}}
	p := wire.Passage{Verdict: fact.VerdictPass, Direction: "out", Credential: "card/A1", Readings: a.Readings}
	s.Take(r, p, a.At)
	s.Take(r, p, a.At)
	if d := Decide(r, s, a); !d.Allowed || d.Basis.Used != 0 || len(d.Notes) > 0 {
		t.Errorf("the same visit again: %+v", d)
	}
	other := a
	other.Readings = []uint64{7}
	if d := Decide(r, s, other); d.Allowed || d.Basis.Used != 1 {
		t.Errorf("another visit: %+v", d)
	}
	p.Verdict, p.Amends, p.Readings = fact.VerdictRefuse, true, []uint64{6, 8}
	s.Take(r, p, a.At)
	if d := Decide(r, s, other); !d.Allowed || len(d.Notes) > 0 {
		t.Errorf("after the amendment: %+v", d)
	}
}

// The clock ran in 2037 and was set back: what passed then was not later than now.
func TestAClockThatWasWrongLocksNobodyOut(t *testing.T) {
	r := rules(t, classes, "", "00000000A1,resident,active,7,,,,,\n00000000B1,resident,active,8,,,,,")
	s := &State{}
	s.Take(r, wire.Passage{Verdict: fact.VerdictPass, Direction: "out", Credential: "card/A1", Readings: []uint64{1}},
		time.Date(2037, 1, 1, 8, 0, 0, 0, zone))
	got, d := play(t, r, s, "14 08:00 A1 out", "14 08:10 B1 out", "15 08:00 A1 out", "16 08:00 A1 out")
	if want := []string{"quota-used", "pass", "quota-used", "pass"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v (%+v)", got, want, d.Basis)
	}
}

func TestAnUnsynchronisedClockIsSaid(t *testing.T) {
	r := rules(t, classes, "", "00000000A1,resident,active,7,,,,,\n00000000F1,visitor,active,7,,,family,,")
	d := Decide(r, &State{}, Ask{Credential: "card/A1", Direction: "out", At: at(t, "14 08:00"), Unsure: true})
	if !d.Allowed || !slices.Equal(d.Notes, []fact.Reason{fact.ReasonClockUnknown}) {
		t.Errorf("%+v", d)
	}
	d = Decide(r, &State{}, Ask{Credential: "card/F1", Direction: "in", At: at(t, "14 08:00"), Unsure: true})
	if !d.Allowed || len(d.Notes) > 0 || d.Basis.At != nil {
		t.Errorf("nobody asked for the time: %+v", d)
	}
}
