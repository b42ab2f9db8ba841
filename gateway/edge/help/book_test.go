package help

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Whatever happens, what the book holds is what its records say, and an older message of the
// desk changes nothing.
func TestABookIsWhatItsRecordsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b, again book
		now := clock.Moment{Wall: t0, Boot: time.Hour}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second)
			role := rapid.SampledFrom(fact.Roles()).Draw(t, "role")
			seq := rapid.Uint64Range(0, 3).Draw(t, "passage")
			var al *wire.Alarm
			if rapid.Bool().Draw(t, "asks") {
				var over string
				if al, over = b.ask(role, seq); over != "" {
					c := b.clear(over, "too many")
					b.take(now.Wall, now, c)
					again.take(now.Wall, now, c)
				}
			} else {
				_, al = b.end("guard", fact.CallID(role, seq), "help-arrived")
			}
			if al != nil {
				b.take(now.Wall, now, al)
				again.take(now.Wall, now, al)
			}
			no := rapid.Uint64Range(1, 20).Draw(t, "no")
			last := b.desk.No
			if b.hear(wire.Desk{No: no}) != (no > last) || b.desk.No < last {
				t.Fatalf("no %d after %d", no, last)
			}
			same := slices.EqualFunc(b.open, again.open, func(x, y call) bool {
				return x.id == y.id && x.asked.Equal(y.asked)
			})
			if !same || len(b.open) > wire.MaxDeskCalls {
				t.Fatalf("%+v, its records say %+v", b.open, again.open)
			}
		}
	})
}

func TestContacts(t *testing.T) {
	good := []Contact{{fact.RoleDoctor, "0000 000 1120"}, {fact.RoleCounty, "+86 (0) 530-1100"}}
	if err := Check(good); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		list []Contact
		want string
	}{
		"a person":       {[]Contact{{"Dr Li", "0000 000 1120"}}, "never a person"},
		"no number":      {[]Contact{{fact.RoleDoctor, ""}}, "contacts[0] doctor: phone \"\""},
		"words":          {[]Contact{{fact.RoleDoctor, "ask at the desk"}}, "digits"},
		"twice":          {append(slices.Clone(good), good[0]), "contacts[2] doctor: the role is listed twice"},
		"a long number":  {[]Contact{{fact.RoleIT, strings.Repeat("1", 30)}}, "24 characters"},
		"blanks outside": {[]Contact{{fact.RoleIT, " 110 "}}, "phone"},
	} {
		if err := Check(c.list); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
