package policy

import (
	"bytes"
	"strings"
	"testing"
)

func TestWhatMayBeShownOfAPerson(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "3栋2单元 王**": "", "12-3-2501 王**": "", "十二号楼三单元": "", "Block 3, W**": "",
		"12栋13单元 欧阳**": "", "Tower 12 C, Wang**": "",
		"Tower 12 C, Wang**.": "more than 18",
		"丽景苑12栋3单元1203 王":     "more than 18 characters, or 9 Chinese",
		"王 13800001120":       "looks like",
		"138 0000 1120":       "looks like",
		"１３８００００１１":           "looks like",
		"0531-8765432":        "looks like",
		"110101199003070":     "looks like",
		"11010119900307283X":  "looks like",
		"62E3086CED":          "looks like",
		"62e3086ced 王":        "looks like",
		"code:QR 17":          "looks like",
		"一三八零零零零一":            "looks like",
		"١٣٨٠٠٠٠١١":           "looks like",
		"王\n**":               "not printed",
		"王\x00":               "not printed",
		"\u202e王":             "not printed",
		"王\xff":               "not printed",
	} {
		err := checkShown(text)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) ||
			text != "" && strings.Contains(err.Error(), text)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// What the guard sees of a person is known by each of their names, decides nothing, and does
// not get into the copy of the rules that lies on the gate's disk.
func TestShownIsForTheScreenOnly(t *testing.T) {
	_, p := example(t)
	ring, now, _ := twoKeys()
	text := "card,class,status,household,from,until,shown\n62E3086CED,resident,active,3-1-502,,, 3栋1单元 王** \n" +
		"62E3086CEE,resident,active,3-1-502,,,\n"
	r, err := ParseRosterText(p, []byte(text), ring.Named(now))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range ring.Keys() {
		at := key.Pseudonym("card", "62E3086CED")
		if got := r.Shown(at); got != "3栋1单元 王**" {
			t.Errorf("%s is %q", at, got)
		}
	}
	if a, b := r.Shown(ring.At(now).Pseudonym("card", "62E3086CEE")), r.Shown("nobody"); a != "" || b != "" {
		t.Errorf("others are %q, %q", a, b)
	}
	var named bytes.Buffer
	if err := NameRoster(&named, []byte(text), ring.Named(now)); err != nil {
		t.Fatal(err)
	}
	without, err := WithoutShown([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, copied := range []string{named.String(), string(without)} {
		if strings.Contains(copied, "王") {
			t.Errorf("a copy says\n%s", copied)
		}
		if r, err := ParseRosterText(p, []byte(copied), ring.Named(now)); err != nil || r.People() != 2 {
			t.Errorf("%v\n%s", err, copied)
		}
	}
	_, err = ParseRosterText(p, []byte(text+"62E3086CEF,resident,active,7,,,王 13800001120\n"), ring.Named(now))
	if err == nil || !strings.Contains(err.Error(), "line 4: shown looks like") ||
		strings.Contains(err.Error(), "1380") {
		t.Errorf("%v", err)
	}
}
