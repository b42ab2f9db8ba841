package policy

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// The first value of a key that is taken and the last that is not.
func TestTheEdgesOfRules(t *testing.T) {
	list := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+", ", n), ", ") }
	purposes := func(n int) (s string) {
		for i := range n {
			s += fmt.Sprintf(", p%d", i)
		}
		return s
	}
	const window, lane = `{from: "01:00", until: "02:00"}`, "{lane: wash, within: 1h}"
	for name, c := range map[string]struct{ old, new, want string }{
		"passes of a day":     {"lost:", "passes: {days: 1}\nlost:", ""},
		"passes of a month":   {"lost:", "passes: {days: 31}\nlost:", ""},
		"of no day":           {"lost:", "passes: {days: 0}\nlost:", "passes.days 0"},
		"of a longer time":    {"lost:", "passes: {days: 32}\nlost:", "passes.days 32"},
		"a hundred exits":     {"exits: 1", "exits: 100", ""},
		"a month":             {"days: 2", "days: 31", ""},
		"a day":               {"days: 2", "days: 1", ""},
		"more than a month":   {"days: 2", "days: 32", "days 32"},
		"a minute's amnesty":  {"amnesty: 24h", "amnesty: 1m", ""},
		"a week's amnesty":    {"amnesty: 24h", "amnesty: 168h", ""},
		"a longer amnesty":    {"amnesty: 24h", "amnesty: 168h0m1s", "amnesty 168h0m1s"},
		"within a minute":     {"within: 30m", "within: 1m", ""},
		"within a week":       {"within: 30m", "within: 168h", ""},
		"within longer":       {"within: 30m", "within: 168h0m1s", "within 168h0m1s"},
		"on Sunday":           {"days: [mon]", "days: [sun]", ""},
		"from midnight":       {`"06:00"`, `"00:00"`, ""},
		"until midnight":      {`"22:00"`, `"24:00"`, ""},
		"until the day's end": {`"22:00"`, `"00:00"`, ""},
		"from the day's end":  {`"06:00"`, `"24:00"`, "windows[0].from"},
		"fifty windows":       {"windows: [", "windows: [" + list(49, window) + ", ", ""},
		"more windows":        {"windows: [", "windows: [" + list(50, window) + ", ", "longer than 50"},
		"fifty purposes":      {"[shopping]", "[shopping" + purposes(49) + "]", ""},
		"more purposes":       {"[shopping]", "[shopping" + purposes(50) + "]", "longer than 50"},
		"fifty lanes":         {"before: [", "before: [" + list(49, lane) + ", ", ""},
		"more lanes":          {"before: [", "before: [" + list(50, lane) + ", ", "longer than 50"},
	} {
		text := strings.Replace(full, c.old, c.new, 1)
		_, err := Parse([]byte(text))
		if text == full || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestTheFaultsOfAPolicyAreCounted(t *testing.T) {
	classes := func(n int, fever string) string {
		text := "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\nclasses:\n"
		for i := range n {
			text += fmt.Sprintf("  c%d: {fever: %s, directions: [in]}\n", i, fever)
		}
		return text
	}
	for name, c := range map[string]struct {
		text  string
		lines int // of the error; 0: there is none
	}{
		"nine faults": {classes(9, "hug"), 9}, "ten": {classes(10, "hug"), 10}, "eleven": {classes(11, "hug"), 10},
		"a hundred classes": {classes(100, "go-home"), 0}, "one more": {classes(101, "go-home"), 1},
	} {
		_, err := Parse([]byte(c.text))
		n := 0
		if err != nil {
			n = strings.Count(err.Error(), "\n") + 1
		}
		if n != c.lines {
			t.Errorf("%s: %v, want %d lines", name, err, c.lines)
		}
	}
	_, err := Parse([]byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n"))
	if err == nil || strings.Contains(err.Error(), "line 0") {
		t.Errorf("without classes: %v", err)
	}
}

func TestMinutesOfTheDay(t *testing.T) {
	for text, want := range map[string]int{"00:00": 0, "06:05": 365, "19:59": 1199, "23:40": 1420, "24:00": 1440,
		"24:01": -1, "23:60": -1, "6:000": -1, "0a:00": -1, "0/:00": -1, "00:0:": -1, "a0:00": -1, "00:a0": -1,
		"": -1} {
		if got := minutes(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// moment reads a time in February 2020; the 14th is a Friday.
func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", "2020-02-"+s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		w     Window
		at    string
		open  bool
		opens string // next
	}{
		{Window{From: "06:30", Until: "22:15"}, "14 06:29", false, "14 06:30"},
		{Window{From: "06:30", Until: "22:15"}, "14 06:30", true, "15 06:30"},
		{Window{From: "06:30", Until: "22:15"}, "14 22:14", true, "15 06:30"},
		{Window{From: "06:30", Until: "22:15"}, "14 22:15", false, "15 06:30"},
		{Window{From: "00:00", Until: "24:00"}, "14 23:59", true, "15 00:00"},
		{Window{From: "22:00", Until: "06:00"}, "14 21:59", false, "14 22:00"},
		{Window{From: "22:00", Until: "06:00"}, "14 22:00", true, "15 22:00"},
		{Window{From: "22:00", Until: "06:00"}, "15 05:59", true, "15 22:00"},
		{Window{From: "22:00", Until: "06:00"}, "15 06:00", false, "15 22:00"},
		{Window{Days: []string{"fri"}, From: "08:00", Until: "12:00"}, "14 09:00", true, "21 08:00"},
		{Window{Days: []string{"sat"}, From: "08:00", Until: "12:00"}, "14 09:00", false, "15 08:00"},
		{Window{Days: []string{"fri"}, From: "22:00", Until: "06:00"}, "15 05:00", true, "21 22:00"},
		{Window{Days: []string{"fri"}, From: "22:00", Until: "06:00"}, "14 05:00", false, "14 22:00"},
		{Window{Days: []string{"sat"}, From: "22:00", Until: "06:00"}, "15 05:00", false, "15 22:00"},
	} {
		at := moment(t, c.at)
		if open, opens := c.w.Open(at), c.w.Opens(at); open != c.open || !opens.Equal(moment(t, c.opens)) {
			t.Errorf("%+v at %s: open %v, next %s", c.w, c.at, open, opens)
		}
	}
}

func TestHoursOfAClass(t *testing.T) {
	k := Class{Directions: []fact.Direction{"in", "out"}, Windows: []Window{
		{From: "12:00", Until: "13:00", Directions: []fact.Direction{"out"}},
		{From: "08:00", Until: "10:00", Directions: []fact.Direction{"out"}},
		{From: "09:00", Until: "18:00", Directions: []fact.Direction{"in"}}}}
	for _, c := range []struct {
		way   fact.Direction
		at    string
		open  bool
		next  string
		index int
	}{
		{"out", "14 09:00", true, "", 0}, {"out", "14 07:00", false, "14 08:00", 1},
		{"out", "14 11:00", false, "14 12:00", 0}, {"in", "14 08:30", false, "14 09:00", 2},
		{"", "14 08:30", true, "", 0}, {"", "14 07:00", false, "14 08:00", 1},
	} {
		open, next, index := k.Hours(c.way, moment(t, c.at))
		want := time.Time{}
		if c.next != "" {
			want = moment(t, c.next)
		}
		if open != c.open || index != c.index || !next.Equal(want) {
			t.Errorf("%q at %s: %v, %s, window %d", c.way, c.at, open, next, index)
		}
	}
	// Of both ways, and of a class without hours for one of them.
	k.Windows = k.Windows[:1]
	if open, _, _ := k.Hours("in", moment(t, "14 03:00")); !open {
		t.Error("no window names the way in: it is open at all hours")
	}
}

func TestOpenings(t *testing.T) {
	o, ok := parseOpening("2020-02-14 09:00-10:30")
	if !ok {
		t.Fatal("not read")
	}
	for at, want := range map[string]bool{"14 08:59": false, "14 09:00": true, "14 10:29": true, "14 10:30": false,
		"15 09:30": false, "13 09:30": false} {
		if o.Open(moment(t, at)) != want {
			t.Errorf("%s: %v", at, !want)
		}
	}
	for _, s := range []string{"2020-02-14 09:00-09:00", "2020-02-14 09:00 10:30", "2020-02-14 09:00-10:3",
		"2020-02-14 09:00-x0:30", "2020-02-30 09:00-10:30", "2020-02-14 09:00-10:300"} {
		if _, ok := parseOpening(s); ok {
			t.Errorf("%q is an opening", s)
		}
	}
}

// read returns the rules of the full policy and a roster with these rows.
func read(t *testing.T, policy string, rows ...string) (*Rules, error) {
	t.Helper()
	p, err := Parse([]byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	return ParseRoster(p, strings.NewReader("card,class,status,household,from,until,uses\n"+
		strings.Join(rows, "\n")+"\n"), plain{})
}

func TestTheEdgesOfARoster(t *testing.T) {
	for row, want := range map[string]string{
		"62E3086CED,truck,active,,2020-02-14,2020-02-14,1":   "",
		"62E3086CED,truck,active,,2020-02-14,2020-03-15,100": "",
		"62E3086CED,truck,active,,2020-02-14,2020-03-15,101": `uses "101"`,
		"62E3086CED,truck,active,,2020-02-14,2020-03-16,1":   "at most 31 days",
		"62E3086CED,truck,active,,2020-02-15,2020-02-14,1":   "is after until",
		"62E3086CED,truck,active,,2020-02-14,14.2.2020,":     `until "14.2.2020"`,
		"123456789,truck,active,,,,":                         "a spreadsheet has changed it",
		"12345678901,truck,active,,,,":                       "11 characters",
		"-123456789,truck,active,,,,":                        "10 hex digits",
		"1.23456789,truck,active,,,,":                        "a spreadsheet has changed it",
	} {
		r, err := read(t, full, row)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", row, err, want)
		}
		if err == nil && r.People() != 1 {
			t.Errorf("%s: %d people", row, r.People())
		}
	}
	for _, row := range []string{"12345678901,truck,active,,,,", "-123456789,truck,active,,,,"} {
		if _, err := read(t, full, row); strings.Contains(err.Error(), "spreadsheet") {
			t.Errorf("%s: %v", row, err)
		}
	}
}

func TestAFileThatIsTooLargeIsNoRoster(t *testing.T) {
	_, p := example(t)
	_, err := ParseRoster(p, io.LimitReader(blanks{}, MaxRoster+1), plain{})
	if err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("%.100v", err)
	}
}

// blanks is an endless file.
type blanks struct{}

func (blanks) Read(b []byte) (int, error) {
	return len(b), nil
}

func TestWhoIsSealed(t *testing.T) {
	rows := []string{"6200000001,resident,sealed,1,,,", "6200000002,resident,active,1,,,",
		"6200000003,resident,active,2,,,", "6200000004,truck,sealed,,,,", "6200000005,truck,active,,,,"}
	without := strings.Replace(full, "sealed: {in: allow, visits: [truck, shopping], openings: declared}\n", "", 1)
	for _, c := range []struct {
		policy string
		want   [5]bool
	}{{full, [5]bool{true, true, false, true, false}}, {without, [5]bool{true, false, false, true, false}}} {
		r, err := read(t, c.policy, rows...)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			p, _ := r.Person(fmt.Sprintf("card/620000000%d", i+1))
			if r.IsSealed(p) != want {
				t.Errorf("card %d: sealed %v", i+1, !want)
			}
		}
	}
}

func TestHowFarBackRulesReach(t *testing.T) {
	const day = 24 * time.Hour
	class := func(k Class) Policy { return Policy{Classes: map[string]Class{"x": k}} }
	for name, c := range map[string]struct {
		r    Rules
		want time.Duration
	}{
		"nothing":         {Rules{Policy: class(Class{})}, 0},
		"uses":            {Rules{usable: 3}, 3 * day},
		"a quota":         {Rules{Policy: class(Class{Quota: &Quota{Exits: 2, Days: 2}}), usable: 1}, 2 * day},
		"a passback":      {Rules{Policy: class(Class{AntiPassback: PassbackSoft})}, day},
		"with an amnesty": {Rules{Policy: class(Class{AntiPassback: PassbackHard, Amnesty: time.Hour})}, time.Hour},
		"no passback":     {Rules{Policy: class(Class{AntiPassback: PassbackOff})}, 0},
		"a lane":          {Rules{Policy: class(Class{Before: []Before{{Within: 2 * time.Hour}}})}, 2 * time.Hour},
		"passes":          {Rules{Policy: Policy{Passes: &Passes{Days: 5}}}, 5 * day},
		"the longest wins": {Rules{Policy: class(Class{Before: []Before{{Within: 30 * time.Hour}}}), usable: 1},
			30 * time.Hour},
	} {
		if got := c.r.Reach(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if q := (Quota{Exits: 3}); q.Times() != 3 || q.Direction() != fact.DirectionOut {
		t.Errorf("%+v: %d %s", q, q.Times(), q.Direction())
	}
	if q := (Quota{Entries: 2}); q.Times() != 2 || q.Direction() != fact.DirectionIn {
		t.Errorf("%+v: %d %s", q, q.Times(), q.Direction())
	}
	if r, err := read(t, full, "6200000001,truck,active,,2020-02-14,2020-02-23,1"); err != nil || r.Reach() != 10*day {
		t.Errorf("%v: uses of ten days reach back %s", err, r.Reach())
	}
}
