package identity

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var t0 = time.Date(2020, 2, 14, 0, 0, 0, 0, time.UTC)

func ringOf(days ...int) Ring {
	var keys []Key
	for i, d := range days {
		keys = append(keys, NewKey(bytes.Repeat([]byte{byte(i + 1)}, 32), t0.AddDate(0, 0, d), time.Time{}))
	}
	return NewRing(keys...)
}

func TestWhichKeyIsInForce(t *testing.T) {
	r := ringOf(0, 14, 28)
	keys := r.Keys()
	for day, want := range map[int]int{-100: 0, 0: 0, 13: 0, 14: 1, 27: 1, 28: 2, 9999: 2} {
		if got := r.At(t0.AddDate(0, 0, day)); got.ID() != keys[want].ID() {
			t.Errorf("day %d: %s, want key %d", day, got.ID(), want)
		}
	}
	if at, ok := r.Next(t0); !ok || !at.Equal(keys[1].From) {
		t.Errorf("the next one: %s %v", at, ok)
	}
	if _, ok := r.Next(keys[2].From); ok {
		t.Error("another one follows the last")
	}
	n := r.Named(t0.AddDate(0, 0, 14))
	if n.KeyID() != keys[1].ID() || n.Pseudonym("card", "1") != keys[1].Pseudonym("card", "1") ||
		len(n.Others("card", "1")) != 2 {
		t.Error("it names cards otherwise")
	}
	var none Ring
	if none.At(t0).ID() != "" || none.Named(t0).KeyID() != "" || none.Named(t0).Others("card", "1") != nil {
		t.Error("an empty ring has a key")
	}
}

// A gate that was away for three days over a roll-over gets a ring without its former key,
// and keeps that one for as long as its rules look back.
func TestAFormerKeyStaysAsLongAsRulesLookBack(t *testing.T) {
	before, now := ringOf(0), ringOf(0, 14)
	came := NewRing(now.Keys()[1:]...)
	merged := came.After(before, t0.AddDate(0, 0, 17), 7*24*time.Hour)
	if len(merged.Keys()) != 2 || !merged.Has(before.Keys()[0].ID()) {
		t.Errorf("%d keys", len(merged.Keys()))
	}
	for days, want := range map[int]int{14: 2, 20: 2, 21: 1} {
		if got := len(merged.Without(t0.AddDate(0, 0, days), 7*24*time.Hour).Keys()); got != want {
			t.Errorf("on day %d: %d keys", days, got)
		}
	}
	if got := merged.Without(t0.AddDate(0, 0, 15).Add(-time.Second), 0); len(got.Keys()) != 2 {
		t.Error("it is gone within a day")
	}
}

func TestARingIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var keys []Key
		for range rapid.IntRange(1, 5).Draw(t, "keys") {
			k := NewKey(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret"), time.Time{}, time.Time{})
			if rapid.Bool().Draw(t, "from") {
				k.From = t0.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "at")) * time.Hour)
			}
			if rapid.Bool().Draw(t, "until") {
				k.Until = t0.Add(time.Duration(rapid.IntRange(1001, 2000).Draw(t, "end")) * time.Hour)
			}
			keys = append(keys, k)
		}
		r := NewRing(keys...)
		again, err := ParseRing(r.Format())
		if err != nil || !bytes.Equal(again.Format(), r.Format()) {
			t.Fatalf("%v\n%s\n%s", err, r.Format(), again.Format())
		}
	})
}

func TestTheFileOfAGatesKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.key")
	if _, err := LoadRing(path); err == nil || !strings.Contains(err.Error(), "enrol the gate again") {
		t.Errorf("a missing one: %v", err)
	}
	made, err := CreateSiteKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := LoadRing(path); err != nil || r.At(t0).ID() != made.ID() {
		t.Errorf("a site key: %v", err)
	}
	r := ringOf(0, 14)
	if err := SaveRing(path, r); err != nil {
		t.Fatal(err)
	}
	if read, err := LoadRing(path); err != nil || !bytes.Equal(read.Format(), r.Format()) {
		t.Errorf("a ring: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadRing(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("others may read it: %v", err)
	}
}

func TestBadRingsAreRefused(t *testing.T) {
	key := strings.TrimSpace(string(ringOf(0).Format()))
	secret, _, _ := strings.Cut(key, " ")
	for name, text := range map[string]string{
		"empty": "", "only a remark": "# none\n", "a short key": "AAAA", "no end": secret + " 2020-02-14T00:00:00Z",
		"no time":        secret + " tomorrow -",
		"turned":         secret + " 2020-02-15T00:00:00Z 2020-02-14T00:00:00Z",
		"too many":       strings.Repeat(key+"\n", mostKeys+1),
		"words after it": key + " x",
	} {
		if _, err := ParseRing([]byte(text)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseRing(f *testing.F) {
	f.Add(ringOf(0, 14).Format())
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseRing(text)
		if err == nil && r.At(t0).ID() == "" {
			t.Fatal("a ring without a key")
		}
	})
}

// Who takes a gate away has a key that makes no pseudonym of another gate, nor of another
// epoch.
func TestAGatesKeyOpensOneGateAndOneEpoch(t *testing.T) {
	one, two := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	made := map[string]string{}
	for name, k := range map[string]Key{
		"a": GateKey(one, "gate-001", t0, t0), "b": GateKey(one, "gate-002", t0, t0),
		"c": GateKey(two, "gate-001", t0, t0), "d": GateKey(two, "gate-002", t0, t0),
	} {
		for _, p := range []string{k.ID(), k.Pseudonym("card", "62E3086CED"), strings.SplitN(
			k.Pseudonym("card", "62E3086CED"), "-", 2)[1]} {
			if other, there := made[p]; there {
				t.Errorf("%s and %s make the same: %s", name, other, p)
			}
			made[p] = name
		}
	}
	if !IsPseudonym(GateKey(one, "gate-001", t0, t0).Pseudonym("card", "1")) || IsPseudonym("62E3086CED") ||
		IsPseudonym("code:abc-def") {
		t.Error("the form of a pseudonym is not known")
	}
}
