package agent

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/identity"
)

const (
	keptRoster = "card,class,status,household,from,until\n62E3086CED,resident,active,3-1-502,,\n"
	keptGuards = "guard,card,pin\neast-1,62E3086CEF,\n"
)

// What is written piece by piece is JSON, in which no number of a card or household stands,
// and is written again only when it differs.
func TestRulesAreKeptWithoutNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), keptRules)
	now := time.Now()
	names := identity.NewRing(identity.NewKey(make([]byte, 32), now, time.Time{}),
		identity.NewKey(bytes.Repeat([]byte{1}, 32), now.Add(time.Hour), time.Time{})).Named(now)
	for what, x := range map[string]texts{
		"without guards": {Policy: []byte("p"), Roster: []byte(keptRoster)},
		"with guards":    {Policy: []byte("policy"), Roster: []byte(keptRoster), Guards: []byte(keptGuards)},
	} {
		if x.isIn(path, names) {
			t.Errorf("%s: it is there before", what)
		}
		if err := x.save(path, names); err != nil || !x.isIn(path, names) {
			t.Fatalf("%s: %v", what, err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var got texts
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		both := string(got.Roster) + string(got.Guards)
		if !bytes.Equal(got.Policy, x.Policy) || len(got.Guards) > 0 != (len(x.Guards) > 0) ||
			strings.Contains(both, "62E308") || strings.Contains(both, "502") {
			t.Errorf("%s: %s\n%s", what, got.Policy, both)
		}
		for how, other := range map[string][]byte{"less": b[:len(b)-1], "more": append(bytes.Clone(b), ' '),
			"another end": append(bytes.Clone(b[:len(b)-1]), ' '), "nothing": nil} {
			if err := os.WriteFile(path, other, 0o600); err != nil {
				t.Fatal(err)
			}
			if x.isIn(path, names) {
				t.Errorf("%s: %s is taken for the same", what, how)
			}
		}
	}
	bad := texts{Roster: []byte("card,class,status,household,from,until\n62E3,resident,active,,,\n")}
	if err := bad.save(path, names); err == nil {
		t.Error("a card that is none was kept")
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("a half of it is left")
	}
}

// An earlier version of the program kept numbers. They are replaced at the first start, also
// when the files of the configuration are wrong then, and the same people and guards are known.
func TestNumbersThatAnEarlierVersionKeptAreReplaced(t *testing.T) {
	for _, wrong := range []bool{false, true} {
		r := newRig(t)
		r.addReader("reader")
		r.cfg.Guards = filepath.Join(t.TempDir(), "guards.csv")
		r.write(r.cfg.Guards, []byte(keptGuards))
		policy, err := os.ReadFile(r.cfg.Policy)
		if err != nil {
			t.Fatal(err)
		}
		before, err := json.Marshal(texts{Policy: policy, Roster: []byte(keptRoster), Guards: []byte(keptGuards)})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(r.cfg.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(r.cfg.Dir, keptRules)
		r.write(path, before)
		if wrong {
			r.write(r.cfg.Roster, []byte("card,class,status,household,from,until\n62E3,resident,active,,,\n"))
		}
		for range 2 {
			if people, detail := r.startRules(); people != 1 || (detail != "") != wrong {
				t.Errorf("%d people, %q", people, detail)
			}
			var kept texts
			b, err := os.ReadFile(path)
			if err == nil {
				err = json.Unmarshal(b, &kept)
			}
			both := append(bytes.Clone(kept.Roster), kept.Guards...)
			if err != nil || bytes.Contains(both, []byte("62E3")) {
				t.Errorf("%v, kept are\n%s%s", err, kept.Roster, kept.Guards)
			}
		}
		f, err := readFiles(r.cfg, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if id, is := f.rules.Guards.OfCard(f.names.Pseudonym("card", "62E3086CEF")); !is || id != "east-1" {
			t.Errorf("the guard's card is that of %q", id)
		}
	}
}

// Rules of before that know people by another key than the gate has are in force, and the
// trouble says that nobody is known.
func TestRulesOfBeforeByAnotherKey(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	if people, detail := r.startRules(); people != 1 || detail != "" {
		t.Fatalf("%d people, %q", people, detail)
	}
	if err := os.Remove(r.cfg.SiteKey); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.CreateSiteKey(r.cfg.SiteKey); err != nil {
		t.Fatal(err)
	}
	r.write(r.cfg.Roster, []byte("card\n"))
	if people, detail := r.startRules(); people != 1 || !strings.Contains(detail, "by another site_key") {
		t.Errorf("%d people, %q", people, detail)
	}
}

// A key that comes into force finds the same people in the kept rules.
func TestKeptRulesOutliveARollOver(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	now := time.Now()
	ring := identity.NewRing(identity.NewKey(make([]byte, 32), now.Add(-time.Hour), now.Add(time.Hour)),
		identity.NewKey(bytes.Repeat([]byte{1}, 32), now.Add(time.Hour), time.Time{}))
	if err := identity.SaveRing(r.cfg.SiteKey, ring); err != nil {
		t.Fatal(err)
	}
	r.startRules()
	f, err := readFiles(r.cfg, now)
	if err != nil {
		t.Fatal(err)
	}
	names, other := newKeys(r.cfg, f).due(now.Add(2 * time.Hour))
	rules, err := newKeys(r.cfg, f).rules(names)
	if err != nil || !other {
		t.Fatal(other, err)
	}
	card := names.Pseudonym("card", "62E3086CED")
	if _, known := rules.Person(card); !known || rules.Same(f.names.Pseudonym("card", "62E3086CED")) != card {
		t.Error("the card is not known by the next key, or not by the one before")
	}
}
