package policy

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/identity"
)

// twoKeys is a ring whose second key comes into force a day later.
func twoKeys() (ring identity.Ring, now, later time.Time) {
	now = time.Date(2020, 2, 14, 0, 0, 0, 0, time.UTC)
	later = now.Add(24 * time.Hour)
	return identity.NewRing(
		identity.NewKey(bytes.Repeat([]byte("a"), 32), now, later),
		identity.NewKey(bytes.Repeat([]byte("b"), 32), later, later.Add(24*time.Hour)),
	), now, later
}

// A roster of pseudonyms has no number any more, and says of each person, by either key, what
// the roster of numbers says, on the same line.
func TestARosterOfPseudonymsSaysTheSame(t *testing.T) {
	_, p := example(t)
	ring, now, later := twoKeys()
	text := "\ufeffcard;class;status;household;from;until;purpose\r\n" +
		"62E3086CED;resident;active;3-1-502;2020/2/14;;\r\n;;;;;;\r\n\r\n" +
		"62E3086CEE;resident;lost;3-1-502;;;\r\ncode:QR 17;resident;active;;;2020-03-01;\r\n"
	var b bytes.Buffer
	if err := NameRoster(&b, []byte(text), ring.Named(now)); err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{"62E308", "502", "QR"} {
		if strings.Contains(b.String(), number) {
			t.Errorf("%q is in\n%s", number, &b)
		}
	}
	for _, at := range []time.Time{now, later} {
		names := ring.Named(at)
		want, err := ParseRosterText(p, []byte(text), names)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseRosterText(p, b.Bytes(), names)
		if err != nil {
			t.Fatal(err)
		}
		if got.People() != 3 || want.People() != 3 || !got.NamedBy(ring.Has) {
			t.Errorf("%d people, want %d", got.People(), want.People())
		}
		want.All(func(card string, x Person) bool {
			if y, known := got.Person(card); !known || x != y {
				t.Errorf("%s is %+v, %v, want %+v", card, y, known, x)
			}
			return true
		})
	}
	var again bytes.Buffer
	if err := NameRoster(&again, b.Bytes(), ring.Named(later)); err != nil || again.String() != b.String() {
		t.Errorf("%v: pseudonyms became\n%s", err, &again)
	}
	rules, err := ParseRosterText(p, b.Bytes(), ring.Named(now))
	if err != nil || rules.NamedBy(func(string) bool { return false }) {
		t.Errorf("%v: its cards are by a key that nobody has", err)
	}
}

func TestARosterThatCantHavePseudonyms(t *testing.T) {
	ring, now, _ := twoKeys()
	header := strings.Join(columns, ",") + "\n"
	for name, c := range map[string]struct{ text, want string }{
		"a short card":  {header + "\n62E3086C,resident,active,,,\n", "line 3: the card has 8"},
		"few columns":   {"card,class\n62E3086CED,resident\n", "line 2: columns are missing"},
		"a field more":  {header + "62E3086CED,resident,active,,,,\n", "line 2: wrong number of fields"},
		"a lone quote":  {header + "\"62E3086CED,resident\n", "line 2"},
		"not even UTF8": {header + "\x00\xff\x00", ""},
	} {
		err := NameRoster(&bytes.Buffer{}, []byte(c.text), ring.Named(now))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "62E30") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Guards sign in by pseudonyms of their cards as by the numbers, by either key.
func TestGuardsByPseudonyms(t *testing.T) {
	ring, now, later := twoKeys()
	const card = "62E3086CED"
	text, err := NameGuards([]byte("guard,card,pin\neast-1,"+card+",\neast-2,,"+hashed+"\n"), ring.Named(now))
	if err != nil || bytes.Contains(text, []byte(card)) {
		t.Fatalf("%s, %v", text, err)
	}
	if again, err := NameGuards(text, ring.Named(later)); err != nil || !bytes.Equal(again, text) {
		t.Errorf("pseudonyms became %s, %v", again, err)
	}
	_, p := example(t)
	for _, at := range []time.Time{now, later} {
		names := ring.Named(at)
		list, err := ParseGuards(text)
		if err != nil {
			t.Fatal(err)
		}
		nobody, err := ParseRosterText(p, []byte(strings.Join(columns, ",")+"\n"), names)
		if err != nil {
			t.Fatal(err)
		}
		g, err := NewGuards(list, nobody, names)
		if err != nil {
			t.Fatal(err)
		}
		if id, is := g.OfCard(names.Pseudonym("card", card)); !is || id != "east-1" {
			t.Errorf("the card is that of %q", id)
		}
		listed, err := ParseRosterText(p, []byte(strings.Join(columns, ",")+"\n"+card+",resident,active,,,\n"), names)
		if err != nil {
			t.Fatal(err)
		}
		_, err = NewGuards(list, listed, names)
		if err == nil || !strings.Contains(err.Error(), "line 2 of the roster") {
			t.Errorf("a guard's card that the roster lists: %v", err)
		}
	}
	if _, err := NameGuards([]byte("guard,card,pin\neast-1,62E3,\n"), ring.Named(now)); err == nil {
		t.Error("a short card")
	}
}
