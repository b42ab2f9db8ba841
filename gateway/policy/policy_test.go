package policy

import (
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"

	"golang.org/x/text/encoding/simplifiedchinese"
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
}

func TestStanding(t *testing.T) {
	r := exampleRules(t)
	day := time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
	delivery := Person{Class: "delivery", Status: StatusActive}
	r.people["card/D"] = delivery
	for name, c := range map[string]struct {
		credential string
		d          fact.Direction
		day        time.Time
		want       Standing
	}{
		"a resident":           {"card/62E3086CED", "in", day, Standing{"resident", true, ""}},
		"a resident going out": {"card/62E3086CED", "out", day, Standing{"resident", true, ""}},
		"a lost card": {"card/62E3086CEE", "in", day,
			Standing{"resident", false, fact.ReasonLostCard}},
		"a sealed household": {"card/62E3086CEF", "out", day, Standing{"resident", false, fact.ReasonSealed}},
		"a visitor's code":   {"code/VISIT-7", "in", day, Standing{"visitor", true, ""}},
		"a code is no card":  {"card/VISIT-7", "in", day, Standing{"", false, fact.ReasonUnknownCard}},
		"nobody":             {"card/FFFFFFFFFF", "in", day, Standing{"", false, fact.ReasonUnknownCard}},
		"no credential":      {"", "in", day, Standing{"", false, fact.ReasonUnknownCard}},
		"before the first day": {"card/62E3086CF0", "in", day.AddDate(0, -1, 0),
			Standing{"worker", false, fact.ReasonNotYet}},
		"on the last day": {"card/62E3086CF0", "in", time.Date(2030, 12, 31, 23, 0, 0, 0, time.UTC),
			Standing{"worker", true, ""}},
		"after the last day": {"card/62E3086CF0", "in", time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC),
			Standing{"worker", false, fact.ReasonExpired}},
		"the way its class may not go": {"card/D", "out", day, Standing{"delivery", false, fact.ReasonDirection}},
		"a reader without a direction": {"card/D", "", day, Standing{"delivery", true, ""}},
		"the way its class may go":     {"card/D", "in", day, Standing{"delivery", true, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := r.Standing(c.credential, c.d, c.day); got != c.want {
				t.Fatalf("got %+v, want %+v", got, c.want)
			}
		})
	}
	if r.OnFever("resident") != fact.InstructGoHome || r.OnFever("visitor") != fact.InstructTurnAway ||
		r.OnFever("") != fact.InstructTurnAway {
		t.Error("a fever is told something else")
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

func TestWhatIsWrongInARosterIsSaidWithItsLine(t *testing.T) {
	const head = "card,class,status,household,from,until\n62E3086CED,resident,active,,,\n"
	_, p := example(t)
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "first line must be"},
		"a column of names": {"card,name,class,status,household,from,until\n", "line 1"},
		"duplicate card":    {head + "62e3086ced,visitor,active,,,\n", "line 3: the card is on line 2"},
		"short card":        {head + "62E3086C,resident,active,,,\n", "line 3: the card has 8 characters"},
		"no hex":            {head + "62E3086CEG,resident,active,,,\n", "line 3"},
		"empty code":        {head + "code: ,visitor,active,,,\n", "line 3: the code is empty"},
		"unknown class":     {head + "62E3086CEE,guest,active,,,\n", `line 3: class "guest"`},
		"unknown status":    {head + "62E3086CEE,resident,ok,,,\n", `status "ok"`},
		"bad day":           {head + "62E3086CEE,resident,active,,14.2.2020,\n", `from "14.2.2020"`},
		"days swapped":      {head + "62E3086CEE,resident,active,,2020-03-01,2020-02-01\n", "is after until"},
		"missing field":     {head + "62E3086CEE,resident,active\n", "line 3"},
		"open quote":        {head + "\"62E3086CEE,resident,active,,,\n", "quote"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseRoster(p, strings.NewReader(c.text), plain{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error is %v, want it to hold %q", err, c.want)
			}
			if strings.Contains(err.Error(), "62E3086CEE") {
				t.Errorf("the message repeats a card number: %v", err)
			}
		})
	}
}

func TestARosterFromASpreadsheetIsRead(t *testing.T) {
	_, p := example(t)
	const plainText = "card,class,status,household,from,until\n" +
		"62E3086CED,resident,active,丽景苑3-2,2020-02-01,2030-12-31\n"
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(plainText)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"with a byte order mark": "\xef\xbb\xbf" + strings.ReplaceAll(plainText, "\n", "\r\n"),
		"in GBK":                 gbk,
		"with semicolons":        strings.ReplaceAll(plainText, ",", ";"),
		"with tabs":              strings.ReplaceAll(plainText, ",", "\t"),
		"with empty rows":        plainText + ",,,,,\n,,,,,\n",
		"with days as in China":  strings.NewReplacer("2020-02-01", "2020/2/1").Replace(plainText),
	} {
		r, err := ParseRoster(p, strings.NewReader(text), plain{})
		if err != nil || r.People() != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, who := range r.people {
			if who.Household != "" && who.Household != "丽景苑3-2" || who.From != "2020-02-01" {
				t.Errorf("%s: %+v", name, who)
			}
		}
	}
	_, err = ParseRoster(p, strings.NewReader(strings.Replace(plainText, "62E3086CED", "6.23E+88", 1)), plain{})
	if err == nil || !strings.Contains(err.Error(), "format the column as text") {
		t.Errorf("a number that a spreadsheet has changed: %v", err)
	}
}

func FuzzParseRoster(f *testing.F) {
	f.Add("card,class,status,household,from,until\n62E3086CED,resident,active,,,\n")
	f.Add("\xef\xbb\xbfcard")
	p := Policy{Version: "1", Classes: map[string]Class{"resident": {}}}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRoster(p, strings.NewReader(s), plain{})
		if err == nil && r == nil {
			t.Fatal("neither rules nor an error")
		}
	})
}
