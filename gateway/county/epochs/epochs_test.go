package epochs

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/sealed"
)

var (
	zone   = time.FixedZone("CST", 8*60*60)
	t0     = time.Date(2020, 2, 14, 9, 0, 0, 0, zone)
	agents = []string{"gate-001", "gate-002"}
)

// people returns a configuration with people, and their identities by name.
func people(t *testing.T, names ...string) (Config, map[string]string) {
	t.Helper()
	c, secrets := Config{People: map[string]string{}}, map[string]string{}
	for _, name := range names {
		secret, to, err := sealed.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		c.People[name], secrets[name] = to, secret
	}
	return c, secrets
}

func open(t *testing.T, dir string, c Config, now time.Time) *Epochs {
	t.Helper()
	e, err := Open(dir, c, zone, agents, now)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func ids(t *testing.T, e *Epochs, agent string, now time.Time) (out []string) {
	t.Helper()
	r, err := e.GateKeys(agent, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range r.Keys() {
		out = append(out, k.ID())
	}
	return out
}

func TestAnEpochLastsTwoWeeksAndItsSecretGoes(t *testing.T) {
	dir := t.TempDir()
	c, secrets := people(t, "wang", "li", "zhao")
	e := open(t, dir, c, t0)
	first := ids(t, e, "gate-001", t0)
	roll := time.Date(2020, 2, 28, 0, 0, 0, 0, zone)
	plain, err := os.ReadFile(filepath.Join(dir, "epoch-20200213T160000Z"+plainEnd))
	if err != nil || len(first) != 1 {
		t.Fatal(err, first)
	}
	for _, step := range []struct {
		at   time.Time
		keys int
	}{{roll.Add(-Around - 1), 1}, {roll.Add(-Around), 2}, {roll, 2}, {roll.Add(Around - 1), 2}, {roll.Add(Around), 1}} {
		if err := e.Turn(step.at); err != nil {
			t.Fatal(err)
		}
		e = open(t, dir, c, step.at) // as after a restart
		if got := ids(t, e, "gate-001", step.at); len(got) != step.keys {
			t.Errorf("at %s: %v", step.at, got)
		}
	}
	if !e.Knows("gate-001", first[0], roll.AddDate(0, 2, 0)) || e.Knows("gate-002", first[0], t0) {
		t.Error("what a gate sends with a former key is refused, or another one has its key")
	}
	secret, _, _ := strings.Cut(string(plain), " ")
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		b, _ := os.ReadFile(path)
		raw, _ := base64.StdEncoding.DecodeString(secret)
		if !d.IsDir() && (bytes.Contains(b, []byte(secret)) || bytes.Contains(b, raw)) {
			t.Errorf("the secret of an epoch that is over lies in %s", path)
		}
		return nil
	})
	list, err := ReadAll(dir)
	if err != nil || len(list) != 2 {
		t.Fatal(err, len(list))
	}
	for _, pair := range [][2]string{{"wang", "li"}, {"li", "wang"}, {"zhao", "li"}, {"wang", "zhao"}} {
		got, err := list[0].Open(secrets[pair[0]], secrets[pair[1]])
		if err != nil || base64.StdEncoding.EncodeToString(got) != secret {
			t.Errorf("%v: %v", pair, err)
		}
	}
	_, others := people(t, "sun")
	for _, pair := range [][2]string{{"wang", "wang"}, {"li", "sun"}} {
		second := secrets[pair[1]] + others[pair[1]]
		if _, err := list[0].Open(secrets[pair[0]], second); !errors.Is(err, ErrTwo) {
			t.Errorf("%v open it: %v", pair, err)
		}
	}
}

// The collector is killed at any point of a roll-over: what it finds at its next start it
// goes on with, and no secret is lost that nobody can open.
func TestAKilledRollOverGoesOn(t *testing.T) {
	roll := time.Date(2020, 2, 27, 0, 0, 0, 0, zone) // the next epoch's secret is made
	for name, kill := range map[string]func(t *testing.T, dir, last string){
		"before it is encrypted": func(t *testing.T, _, last string) {
			if err := os.Remove(last + sealedEnd); err != nil {
				t.Fatal(err)
			}
		},
		"while it is written": func(t *testing.T, _, last string) {
			for _, end := range []string{plainEnd, sealedEnd} {
				if err := os.Rename(last+end, last+end+".new"); err != nil {
					t.Fatal(err)
				}
			}
		},
		"not at all": func(*testing.T, string, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c, secrets := people(t, "wang", "li")
			e := open(t, dir, c, t0)
			before := ids(t, e, "gate-001", t0)
			if err := e.Turn(roll); err != nil {
				t.Fatal(err)
			}
			kill(t, dir, filepath.Join(dir, "epoch-20200227T160000Z"))
			e = open(t, dir, c, roll)
			if got := ids(t, e, "gate-001", roll); len(got) != 2 || got[0] != before[0] {
				t.Errorf("%v, before %v", got, before)
			}
			list, err := ReadAll(dir)
			if err != nil || len(list) != 2 {
				t.Fatal(err, len(list))
			}
			for _, s := range list {
				b, err := s.Open(secrets["wang"], secrets["li"])
				if err != nil || !slices.Equal(e.plain[s.Epoch()], b) {
					t.Errorf("%s is not the secret in force: %v", s.From, err)
				}
			}
		})
	}
}

func TestACountyThatWasOffForAYearGoesOn(t *testing.T) {
	dir := t.TempDir()
	c, _ := people(t, "wang", "li")
	before := ids(t, open(t, dir, c, t0), "gate-001", t0)
	later := t0.AddDate(1, 0, 0)
	e := open(t, dir, c, later)
	got := ids(t, e, "gate-001", later)
	if len(got) == 0 || got[len(got)-1] == before[0] || !e.Knows("gate-001", before[0], later) {
		t.Errorf("%v, before %v", got, before)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*"+plainEnd)); len(files) > 2 {
		t.Errorf("plain: %v", files)
	}
	if next := e.Next(later); !next.After(later) || next.After(later.AddDate(0, 0, 15)) {
		t.Errorf("the keys change next at %s", next)
	}
}

func TestWrongEpochsAreRefused(t *testing.T) {
	c, _ := people(t, "wang", "li")
	for name, change := range map[string]func(*Config){
		"one person":     func(c *Config) { delete(c.People, "li") },
		"twice the same": func(c *Config) { c.People["li"] = c.People["wang"] },
		"no recipient":   func(c *Config) { c.People["li"] = "AGE-SECRET-KEY-1" },
		"too long":       func(c *Config) { c.Days = mostDays + 1 },
	} {
		bad := Config{Days: c.Days, People: map[string]string{"wang": c.People["wang"], "li": c.People["li"]}}
		change(&bad)
		if err := bad.Check(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	open(t, dir, c, t0)
	path := filepath.Join(dir, "epoch-20200213T160000Z"+plainEnd)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, c, zone, agents, t0); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("others may read the secret: %v", err)
	}
}

// What the ring of a gate has is what the gate reads.
func TestAGateReadsItsRing(t *testing.T) {
	c, _ := people(t, "wang", "li")
	e := open(t, t.TempDir(), c, t0)
	r, err := e.GateKeys("gate-001", t0)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := identity.ParseRing(r.Format()); err != nil || read.At(t0).ID() != r.At(t0).ID() {
		t.Error(err)
	}
}
