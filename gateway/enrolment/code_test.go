package enrolment

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func newCode(t *testing.T) Code {
	t.Helper()
	c, err := NewCode("qinghe", "gate-001", []string{"https://desk.county.example"}, [16]byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func same(a, b Code) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func TestACodeIsReadHoweverItIsTyped(t *testing.T) {
	c := newCode(t)
	text := c.Text()
	wide := strings.Map(func(r rune) rune {
		if r > ' ' {
			return r - '!' + '！'
		}
		return '\u3000'
	}, text)
	confused := strings.NewReplacer("0", "o", "1", "l").Replace(text)
	for name, typed := range map[string]string{
		"as printed": text, "lower case": strings.ToLower(text), "no blanks": strings.Join(strings.Fields(text), ""),
		"dashes": strings.ReplaceAll(text, " ", "-"), "long dashes": strings.ReplaceAll(text, " ", "—"),
		"blanks anywhere": strings.Join(strings.Split(text, ""), " "), "from a mail": "\ufeff " + text + "\r\n\r\n",
		"o for 0, l for 1": confused, "I for 1": strings.ReplaceAll(text, "1", "I"),
		"wide characters": wide, "scanned": c.QR() + "\r", "with the scanner's begin": "ENROL " + c.QR(),
		"scanned in lower case": strings.ToLower(c.QR()),
	} {
		if got, err := ParseCode(typed); err != nil || !same(got, c) {
			t.Errorf("%s: %q: %v", name, typed, err)
		}
	}
}

func TestAWrongCodeSaysWhichGroupToCompare(t *testing.T) {
	text := newCode(t).Text()
	groups := strings.Fields(text)
	with := func(n int, group string) string {
		out := append([]string{}, groups...)
		out[n] = group
		return strings.Join(out, " ")
	}
	other := map[byte]string{'7': "8"}[groups[6][2]]
	if other == "" {
		other = "7"
	}
	for typed, want := range map[string]string{
		"":     "empty",
		" \n ": "empty",
		with(6, groups[6][:2]+other+groups[6][3:]): "group 7 (line 2)",
		with(8, groups[8][1:]):                     "group 9",
		with(3, groups[3]+"A"):                     "group 5", // from the next one on everything is moved
		with(2, "AB#CD"):                           "'#'",
		with(2, "ABUCD"):                           "'U'",
		with(2, "张三李四王"):                           "'张'",
		strings.Join(groups[:9], " "):              "missing",
		strings.Join(groups[:9], " ") + "A":        "within group 10",
		text + " " + groups[0]:                     "group",
		strings.Repeat("A", 5000):                  "5000 bytes",
	} {
		_, err := ParseCode(typed)
		if !errors.Is(err, ErrCode) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", typed, err, want)
		}
	}
}

// A check character notices each single wrong character; the sum at the end what else is
// typed wrong, such as lines that are exchanged.
func TestTypingErrorsAreNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Code{County: "qinghe", Agent: rapid.StringMatching(`[a-z0-9]{1,32}`).Draw(t, "agent"),
			URLs: []string{"https://a.cn", "http://10.1.2.3:8080/gatehouse"}[:rapid.IntRange(1, 2).Draw(t, "urls")]}
		copy(c.Secret[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "secret"))
		copy(c.Authority[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "authority"))
		chars := []byte(c.chars())
		if got, err := ParseCode(string(chars)); err != nil || !same(got, c) {
			t.Fatalf("%s: %+v, %v", chars, got, err)
		}
		i := rapid.IntRange(0, len(chars)-1).Draw(t, "at")
		was := chars[i]
		chars[i] = alphabet[rapid.IntRange(0, 31).Draw(t, "char")]
		if _, err := ParseCode(string(chars)); (err == nil) != (chars[i] == was) {
			t.Fatalf("%c for %c: %v", chars[i], was, err)
		}
		chars[i] = was
		j := rapid.IntRange(0, len(chars)/groupChars-2).Draw(t, "group") * groupChars
		a, b := string(chars[j:j+groupChars]), string(chars[j+groupChars:j+2*groupChars])
		if _, err := ParseCode(string(chars[:j]) + b + a + string(chars[j+2*groupChars:])); err == nil && a != b {
			t.Fatalf("the groups %s and %s may be exchanged", a, b)
		}
	})
}

func TestCodesHoldOnlyWhatAGateCanUse(t *testing.T) {
	for _, urls := range [][]string{nil, {"desk.example"}, {"ftp://desk.example"}, {"https://u:p@desk.example"},
		{"https://desk.example?x=1"}, {"https://" + strings.Repeat("a", 100)}, {"https://"}, make([]string, 5)} {
		if _, err := NewCode("qinghe", "gate-001", urls, [16]byte{}); err == nil {
			t.Errorf("%q are taken", urls)
		}
	}
	if _, err := NewCode("qinghe", "Gate 1", []string{"https://a.example"}, [16]byte{}); err == nil {
		t.Error("a gate with a blank is taken")
	}
	a, b := newCode(t), newCode(t)
	if a.ID() == b.ID() || a.Key().Equal(b.Key()) || strings.Contains(a.Text(), a.ID()) {
		t.Error("two codes are alike")
	}
}

func FuzzParseCode(f *testing.F) {
	c, err := NewCode("qinghe", "gate-001", []string{"https://desk.county.example"}, [16]byte{1, 2, 3})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", c.Text(), c.QR(), strings.ToLower(c.Text()), "OOOO0 IIII1", "００"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCode(s)
		if err != nil {
			if !errors.Is(err, ErrCode) {
				t.Fatal(err)
			}
			return
		}
		if again, err := ParseCode(c.Text()); err != nil || !same(again, c) {
			t.Fatalf("%q is read as %+v, and that as %+v, %v", s, c, again, err)
		}
	})
}
