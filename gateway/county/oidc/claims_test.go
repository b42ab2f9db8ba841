package oidc

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

func TestClaimsAreFoundByTheirPath(t *testing.T) {
	var c claims
	const text = `{"a.b":"dotted","realm_access":{"roles":["x","y"]},"g":"one","n":7,"t":1581660000.5}`
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.list("realm_access.roles"); !ok || !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("%q", got)
	}
	for path, want := range map[string][]string{"g": {"one"}, "a.b": {"dotted"}, "n": nil, "g.h": nil, "": nil} {
		if got, _ := c.list(path); !slices.Equal(got, want) {
			t.Errorf("%q: %q", path, got)
		}
	}
	if !c.when("t").Equal(time.Unix(1581660000, 0)) || !c.when("g").IsZero() {
		t.Error(c.when("t"), c.when("g"))
	}
	if c.name("x", "4711") != "4711" || c.name("g", "4711") != "one" {
		t.Error("names")
	}
}

func FuzzClaims(f *testing.F) {
	f.Add(`{"groups":["a"],"b":{"c":1e400}}`, "b.c")
	f.Fuzz(func(t *testing.T, text, path string) {
		var c claims
		if json.Unmarshal([]byte(text), &c) != nil {
			return
		}
		groups, ok := c.list(path)
		if !ok && groups != nil {
			t.Errorf("%q without a claim", groups)
		}
		_ = c.name(path, "s") + c.text(path) + c.when(path).String()
	})
}

func FuzzFlow(f *testing.F) {
	key, now := []byte("k"), time.Unix(1581660000, 0)
	f.Add(newFlow("0123456789ab", now).text(key), "")
	f.Fuzz(func(t *testing.T, text, session string) {
		if got, ok := parseFlow(text, key, now); ok && got.text(key) != text {
			t.Errorf("%q is read as %q", text, got.text(key))
		}
		made := newFlow(session, now)
		got, ok := parseFlow(made.text(key), key, now)
		if ok != (len(session) <= flowMost-flowLeast) || ok && got != made {
			t.Errorf("%+v is read as %+v, %t", made, got, ok)
		}
	})
}
