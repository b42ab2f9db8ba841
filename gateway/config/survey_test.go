package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

type gate struct {
	Name  string            `yaml:"name"`
	Every time.Duration     `yaml:"every,omitempty"`
	Ports []port            `yaml:"ports,omitempty"`
	Words map[string]string `yaml:"words,omitempty"`
	Open  bool              `yaml:"open,omitempty"`
	Proxy string            `yaml:"proxy,omitempty"`
	Inner inner             `yaml:",inline"`
	Extra *port             `yaml:"extra,omitempty"`
}

type inner struct {
	Count uint8 `yaml:"count,omitempty"`
}

type port struct {
	Path string  `yaml:"path"`
	Tank float64 `yaml:"tank_l,omitempty"`
}

func TestASurveyFindsAllFaultsAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"right": {"name: a\nports: [{path: x, tank_l: 2}]\nwords: {a: b}\nevery: 3s\ncount: 3\n", nil},
		"all kinds": {"nmae: a\nevery: long\nopen: maybe\ncount: 300\nports:\n- pfad: x\n- {path: x, tank_l: much}\n" +
			"words: none\nextra: 5\n", []string{
			"1 nmae: unknown key: write name",
			"2 every: long is no duration: write a number with its unit, such as 30s, 15m or 1h",
			"3 open: maybe is neither true nor false: write one of them",
			"4 count: 300 is no whole number from 0, or too large: write one",
			"6 ports[0].pfad: unknown key: it can be path, tank_l",
			"7 ports[1].tank_l: much is no number: write one, with a point before its decimals",
			"8 words: write names and values below it",
			"9 extra: write its keys below it (path, tank_l)",
		}},
		"twice": {"name: a\nname: b\n", []string{
			"2 name: the key is there already, in line 1: keep one of them"}},
		"no list": {"ports: {path: x}\n", []string{
			"1 ports: write a list: one line for each, which begins with -"}},
		"no text":        {"name: [a]\n", []string{"1 name: write one text here, no list and no keys"}},
		"a wrong alias":  {"name: *a\n", []string{"1 name: *a stands for nothing: no &a is in the file"}},
		"a right alias":  {"name: &a x\nproxy: *a\n", nil},
		"an object once": {"ports:\n- &p {path: x}\n- *p\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, faults := Survey[gate]([]byte(c.text))
			var got []string
			for _, f := range faults {
				got = append(got, fmt.Sprintf("%d %s", f.Line, f.Text))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("faults\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestASurveyKeepsWhatIsRight(t *testing.T) {
	v, faults := Survey[gate]([]byte("name: a\nevery: long\nports:\n- {path: x, tank: 3}\n"))
	if len(faults) != 2 || v.Name != "a" || len(v.Ports) != 1 || v.Ports[0].Path != "x" {
		t.Errorf("%+v, faults %v", v, faults)
	}
}

func TestATextThatIsNoYAMLIsOneFault(t *testing.T) {
	for text, want := range map[string]string{
		"": "empty", "name: [a\n": "", "name\x00: a": "zero byte",
		"name: a\n---\nname: b\n": "second document", "name：甲": "", "- a": "write its keys below it",
	} {
		if _, faults := Survey[gate]([]byte(text)); len(faults) == 0 || !strings.Contains(faults[0].Text, want) {
			t.Errorf("%q: %v", text, faults)
		}
	}
}

func FuzzASurveyFindsAFaultWhereParseDoes(f *testing.F) {
	for _, s := range []string{"name: a\n", "nmae: b", "ports:\n- &p {path: x}\n- *p\n", "<<: {name: a}\n",
		"&a : *a", "ports: [{path: x, path: y}]", "\"name\": x", "? name\n: x", "words: {a: [b]}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, faults := Survey[gate](b)
		if _, err := Parse[gate](b); err != nil && len(faults) == 0 {
			t.Errorf("%q has no fault, and can't be read: %v", b, err)
		}
	})
}

func TestTheNearestWordIsFound(t *testing.T) {
	list := []string{"county", "dir", "sites", "time_zone", "broker", "retention"}
	for word, want := range map[string]string{
		"conty": "county", "Dir": "dir", "timezone": "time_zone", "brokre": "broker", "retain": "", "xyz": "",
		"site": "sites", "time": "time_zone", "": "",
	} {
		if got := Nearest(word, list); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestMessagesAreFoundInTheFile(t *testing.T) {
	text := []byte("name: a\nports:\n- path: x\n- path: y\n  tank_l: 1\nextra:\n  path: z\n")
	for message, want := range map[string]string{
		"name: is missing":                     "1 name",
		"ports[1] y: tank_l: is too small":     "5 ports[1].tank_l",
		"extra.path \"z\": is none":            "7 extra.path",
		"extra: gate path \"z\": is none":      "7 extra.path",
		"nothing of it: is there":              "0 ",
		"words: are missing":                   "0 ",
		"ports[7] q: path: there are only two": "0 ",
	} {
		if line, key := Place(text, message); fmt.Sprintf("%d %s", line, key) != want {
			t.Errorf("%q is at %d %s, want %s", message, line, key, want)
		}
	}
}

func TestJoinedErrorsAreFaultsOfTheirOwn(t *testing.T) {
	text := []byte("name: a\nextra:\n  path: z\n")
	inner := errors.Join(errors.New("path: is wrong"), errors.New("tank_l: is missing"))
	faults := Faults(text, errors.Join(fmt.Errorf("extra: %w", inner), errors.New("name: is wrong")))
	var got []string
	for _, f := range faults {
		got = append(got, fmt.Sprintf("%d %s", f.Line, f.Text))
	}
	want := []string{"1 name: is wrong", "3 extra: path: is wrong", "3 extra: tank_l: is missing"}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWhatIsInForceIsShownWithItsDefaults(t *testing.T) {
	v := gate{Name: "a", Every: time.Second, Proxy: "http://me:secret@proxy:3128", Ports: []port{{"x", 2}}}
	b, err := Show(v, []byte("name: a\nproxy: http://me:secret@proxy:3128\nports: [{path: x}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"name: a\n", "every: 1s   # default\n", "path: x\n", "tank_l: 2.0   # default\n",
		"http://me:***@proxy:3128\n"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%q is missing in\n%s", want, b)
		}
	}
	if j, err := JSON(b); err != nil || !strings.Contains(string(j), `"every": "1s"`) {
		t.Errorf("%s, %v", j, err)
	}
}
