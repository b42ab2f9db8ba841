package trial

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
)

// Rules by which nobody may pass are found, whatever makes them so.
func TestRulesThatLockEverybodyOutAreFound(t *testing.T) {
	const head = "card,class,status,household,from,until\n"
	const open = "  resident: {fever: go-home, directions: [in, out]}\n"
	one := head + "62E3086CED,resident,active,7,,\n"
	var many strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&many, "%010X,resident,active,%d,2019-01-01,%s\n", i, i,
			time.Date(2019, 2, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i%300).Format(time.DateOnly))
	}
	for name, c := range map[string]struct {
		classes, roster, more string
		want                  []string // one for each way, a part of its text
	}{
		"open":             {open, one, "", nil},
		"nobody is listed": {open, head, "", []string{"lists nobody"}},
		"all are lost":     {open, head + "62E3086CED,resident,lost,7,,\n", "", []string{"in: none", "lost-card"}},
		"sealed": {open, head + "62E3086CED,resident,sealed,7,,\n", "",
			[]string{"sealed-household", "out: none"}},
		"the days are over": {open, head + many.String(), "", []string{"expired", "expired"}},
		"a day of the week": {open, head + "62E3086CED,resident,active,7,2020-02-20,\n", "", nil},
		"after the week": {open, head + "62E3086CED,resident,active,7,2020-02-21,\n", "",
			[]string{"not-yet-valid", "out"}},
		"no way out": {"  resident: {fever: go-home, directions: [in]}\n", one, "",
			[]string{"out: none of the 1"}},
		"passes are accepted": {open, head, "passes: {days: 7}\n", nil},
		"one of two classes": {open + "  visitor: {fever: turn-away, directions: [in]}\n", head +
			"62E3086CED,resident,lost,7,,\n62E3086CEE,visitor,active,7,,\n", "", []string{"out: none of the 2"}},
		"hours on a day": {"  resident: {fever: go-home, directions: [in, out], " +
			"windows: [{days: [thu], from: \"10:00\", until: \"10:30\"}]}\n", one, "", nil},
	} {
		p, err := policy.Parse([]byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n" +
			c.more + "classes:\n" + c.classes))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r, err := policy.ParseRoster(p, strings.NewReader(c.roster), plain{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		day := time.Date(2020, 2, 14, 0, 0, 0, 0, time.FixedZone("county", 8*3600))
		got := strings.Join(Locked(r, []fact.Direction{fact.DirectionIn, fact.DirectionOut}, day), "\n")
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q, want %q in it", name, got, want)
			}
		}
		if len(c.want) == 0 && got != "" {
			t.Errorf("%s: %q, want nothing", name, got)
		}
	}
}
