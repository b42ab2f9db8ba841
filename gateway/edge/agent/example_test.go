package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
)

// The examples are a gate that somebody could pass, with a list of guards or without.
func TestTheExampleOfAGateIsRight(t *testing.T) {
	dir := t.TempDir()
	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join("../../../deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	write := func(name string, b []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, name := range []string{"policy.example.yaml", "roster.example.csv"} {
		write(name, read(name))
	}
	if _, _, err := identity.LoadOrCreateCollectorKey(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.CreateSiteKey(filepath.Join(dir, "site.key")); err != nil {
		t.Fatal(err)
	}
	guards, err := policy.FormatGuards([]policy.Guard{{ID: "east-1", Card: "62E3086CFF"}})
	if err != nil {
		t.Fatal(err)
	}
	write("guards.csv", guards)
	alone := string(read("agent.example.yaml"))
	manned := strings.Replace(alone, "# guards: guards.csv", "guards: guards.csv", 1)
	if manned == alone {
		t.Fatal("the example names no list of guards")
	}
	for _, text := range []string{alone, manned} {
		c, err := config.Load[Config](write("agent.yaml", []byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.Paths() {
			if *p != "" && !filepath.IsAbs(*p) {
				*p = filepath.Join(dir, *p)
			}
		}
		if locked, err := Check(c, time.Date(2020, 2, 14, 0, 0, 0, 0, time.UTC)); err != nil || locked != "" {
			t.Errorf("nobody could pass: %q, %v", locked, err)
		}
		if (c.Guards != "") != (text == manned) || len(c.Contacts) < 5 {
			t.Errorf("guards %q, contacts %v", c.Guards, c.Contacts)
		}
	}
}
