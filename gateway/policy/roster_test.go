package policy

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestOptionalColumnsOfTheRoster(t *testing.T) {
	p, err := Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	const six = "card,class,status,household,from,until"
	for name, c := range map[string]struct{ header, row, want string }{
		"all": {",purpose,uses,opening",
			"resident,sealed,7,2020-02-14,2020-02-15,shopping,1,2020-02-14 09:00-10:00", ""},
		"in another order":   {",uses,purpose", "resident,active,7,2020-02-14,2020-02-15,2,shopping", ""},
		"empty":              {",purpose,uses,opening", "resident,active,7,,,,,", ""},
		"a name":             {",name", "resident,active,7,,,X", "line 1 is"},
		"twice":              {",uses,uses", "resident,active,7,,,,", "line 1 is"},
		"a purpose":          {",purpose", "resident,active,7,,,fun", `line 2: purpose "fun" is not among`},
		"uses":               {",uses", "resident,active,7,2020-02-14,2020-02-15,0", `line 2: uses "0": write 1`},
		"uses without days":  {",uses", "resident,active,7,,,1", "line 2: uses are counted on at most 31 days"},
		"no household":       {"", "resident,active,,,", "line 2: the household is missing"},
		"no opening":         {",opening", "resident,sealed,7,,,tomorrow", `line 2: opening "tomorrow"`},
		"an opening swapped": {",opening", "resident,sealed,7,,,2020-02-14 10:00-09:00", "line 2: opening"},
	} {
		r, err := ParseRoster(p, strings.NewReader(six+c.header+"\n62E3086CED,"+c.row+"\n"), plain{})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err == nil && r.People() != 1 {
			t.Errorf("%s: %d people", name, r.People())
		}
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
		for i := range r.people.rows {
			who := r.people.at(int32(i))
			if who.Household != "household/丽景苑3-2" || who.From != "2020-02-01" {
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
