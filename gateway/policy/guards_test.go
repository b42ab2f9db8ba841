package policy

import (
	"strings"
	"testing"
)

// hashed is the hash of 4711, of the least cost.
const hashed = "$2a$04$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"

func TestWhatIsWrongInAListOfGuards(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"right":           {"guard,card,pin\neast-1,62E3086CED,\neast-2,," + hashed + "\n", ""},
		"nobody":          {"guard,card,pin\n", ""},
		"no header":       {"east-1,62E3086CED,\n", "line 1 must be guard,card,pin"},
		"empty":           {"", "line 1 must be guard,card,pin"},
		"a column more":   {"guard,card,pin,name\n", "line 1 must be"},
		"a name":          {"guard,card,pin\n王五,62E3086CED,\n", "line 2: guard \"王五\": write small letters"},
		"the word guard":  {"guard,card,pin\nguard,62E3086CED,\n", "line 2: guard \"guard\""},
		"a long id":       {"guard,card,pin\n" + strings.Repeat("a", 33) + ",62E3086CED,\n", "line 2: guard"},
		"nothing to show": {"guard,card,pin\neast-1,,\n", "line 2: east-1 has neither card nor PIN"},
		"a short card":    {"guard,card,pin\neast-1,62E3,\n", "line 2: the card has 4 characters"},
		"a plain PIN":     {"guard,card,pin\neast-1,,4711\n", "line 2: the PIN of east-1 is not as gatehouse"},
		"a dear hash": {"guard,card,pin\neast-1,," + strings.Replace(hashed, "$04$", "$13$", 1) + "\n",
			"line 2: the PIN"},
		"twice":           {"guard,card,pin\na,62E3086CED,\na,62E3086CEE,\n", "line 3: a is there twice"},
		"one card":        {"guard,card,pin\na,62E3086CED,\nb,62e3086ced,\n", "line 3: b has the card of a"},
		"a field too few": {"guard,card,pin\na,62E3086CED\n", "line 2"},
		"too many":        {"guard,card,pin\n" + strings.Repeat("a,62E3086CED,\n", 60), "line 3: a is there twice"},
	} {
		_, err := ParseGuards([]byte(c.text))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestTheMostGuards(t *testing.T) {
	row := func(i int) string {
		return "g" + strings.Repeat("x", i%25) + string(rune('a'+i/25)) + ",," + hashed + "\n"
	}
	text := "guard,card,pin\n"
	for i := range 50 {
		text += row(i)
	}
	if list, err := ParseGuards([]byte(text)); err != nil || len(list) != 50 {
		t.Errorf("%d, %v", len(list), err)
	}
	_, err := ParseGuards([]byte(text + row(50)))
	if err == nil || !strings.Contains(err.Error(), "50 guards at most") {
		t.Error(err)
	}
}

func TestAPINThatIsGuessedFirstIsRefused(t *testing.T) {
	for pin, ok := range map[string]bool{"4711": true, "471": false, "471147115": false, "47a1": false,
		"": false, "0000": false, "1234": false, "87654321": false, "80531926": true, "٤٧١١": false} {
		hash, err := NewGuardPIN(pin)
		if (err == nil) != ok {
			t.Errorf("%s: %v", pin, err)
		}
		if pin != "4711" {
			continue
		}
		if g := (Guards{hashes: map[string]string{"a": hash}}); !g.Fits("a", pin) || g.Fits("a", "4712") ||
			g.Fits("b", pin) {
			t.Errorf("%s does not fit", pin)
		}
	}
	if (Guards{hashes: map[string]string{"a": ""}}).Fits("a", "") {
		t.Error("no PIN is a PIN")
	}
}

func TestAGuardsCardOpensNothing(t *testing.T) {
	r := exampleRules(t)
	list, err := ParseGuards([]byte("guard,card,pin\nwest-1,0000000777,\neast-1,code:E1," + hashed + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := FormatGuards(list)
	if again, err2 := ParseGuards(b); err != nil || err2 != nil || len(again) != 2 || again[1] != list[1] {
		t.Fatalf("%s, %v, %v", b, err, err2)
	}
	g, err := NewGuards(list, r, plain{})
	if err != nil || strings.Join(g.IDs(), " ") != "east-1 west-1" {
		t.Fatalf("%v, %v", g.IDs(), err)
	}
	for code, want := range map[string]string{"card/0000000777": "west-1", "code/E1": "east-1", "card/62E3086CED": ""} {
		if id, ok := g.OfCard(code); id != want || ok != (want != "") {
			t.Errorf("%s is of %q, %v", code, id, ok)
		}
	}
	var listed string
	for card := range r.All {
		listed = strings.TrimPrefix(card, "card/")
		break
	}
	_, err = NewGuards([]Guard{{ID: "a", Card: listed}}, r, plain{})
	if err == nil || !strings.Contains(err.Error(), "the card of a is on line 2 of the roster") {
		t.Errorf("%s: %v", listed, err)
	}
	if _, err = FormatGuards([]Guard{{ID: "a"}}); err == nil {
		t.Error("a guard who can't sign in is written")
	}
}

func FuzzParseGuards(f *testing.F) {
	f.Add([]byte("guard,card,pin\neast-1,62E3086CED,\neast-2,," + hashed + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := ParseGuards(text)
		if err != nil {
			return
		}
		b, err := FormatGuards(list)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseGuards(b); err != nil || len(again) != len(list) {
			t.Errorf("%s: %v", b, err)
		}
	})
}
