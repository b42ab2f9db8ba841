package pass

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	start = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	key   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	other = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
)

func public(k ed25519.PrivateKey) ed25519.PublicKey {
	p, _ := k.Public().(ed25519.PublicKey)
	return p
}

func example() Pass {
	return Pass{ID: ID{1, 2, 3}, Gate: "gate-018", Class: "visitor", Purpose: "repair", From: start,
		Until: start.Add(12 * time.Hour), Uses: 2}
}

func sign(t *testing.T, p Pass) string {
	t.Helper()
	text, err := Sign(p, "xian-1", key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAPassIsReadAsItWasSigned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Pass{Gate: rapid.StringN(1, 10, maxText).Draw(t, "gate"),
			Class:   rapid.StringN(1, 10, maxText).Draw(t, "class"),
			Purpose: rapid.StringN(0, 10, maxText).Draw(t, "purpose"), Uses: rapid.IntRange(1, maxUses).Draw(t, "uses")}
		copy(p.ID[:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "id"))
		p.From = start.Add(time.Duration(rapid.IntRange(0, 1e6).Draw(t, "from")) * time.Minute)
		p.Until = p.From.Add(time.Duration(rapid.IntRange(1, 31*1440).Draw(t, "minutes")) * time.Minute)
		text, err := Sign(p, "xian-1", key)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ToUpper(text) != text || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:") != "" {
			t.Fatalf("%s is not of the alphanumeric mode", text)
		}
		got, err := Read(" "+strings.ToLower(text)+"\n", "xian-1", public(key))
		if err != nil || got != p {
			t.Fatalf("signed %+v, read %+v, %v", p, got, err)
		}
	})
}

func TestNoOtherPassIsBelieved(t *testing.T) {
	text := sign(t, example())
	if _, err := Read(text, "xian-1", public(other)); !errors.Is(err, ErrForged) {
		t.Errorf("another county's key: %v", err)
	}
	if _, err := Read(text, "xian-2", public(key)); !errors.Is(err, ErrForged) {
		t.Errorf("another county: %v", err)
	}
	if _, err := Read(text, "xian-1", nil); !errors.Is(err, ErrForged) {
		t.Errorf("no key: %v", err)
	}
	// Each character changed, each beginning, and something behind it.
	for i := range text {
		changed := text[:i] + string(rune('A'+(text[i]+1)%26)) + text[i+1:]
		if strings.EqualFold(changed, text) {
			continue
		}
		if p, err := Read(changed, "xian-1", public(key)); err == nil {
			t.Errorf("character %d changed is read as %+v", i, p)
		}
		if _, err := Read(text[:i], "xian-1", public(key)); err == nil {
			t.Errorf("the first %d characters are believed", i)
		}
	}
	if _, err := Read(text+"AA", "xian-1", public(key)); err == nil {
		t.Error("two characters more are believed")
	}
}

func TestAPassThatIsSignedAndWrongIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Pass){
		"no gate":           func(p *Pass) { p.Gate = "" },
		"no class":          func(p *Pass) { p.Class = "" },
		"a long purpose":    func(p *Pass) { p.Purpose = strings.Repeat("x", maxText+1) },
		"no use":            func(p *Pass) { p.Uses = 0 },
		"too many uses":     func(p *Pass) { p.Uses = maxUses + 1 },
		"ends at its start": func(p *Pass) { p.Until = p.From },
		"for longer":        func(p *Pass) { p.Until = p.From.Add(31*24*time.Hour + time.Minute) },
		"of a late year":    func(p *Pass) { p.From, p.Until = lastMinute, lastMinute.Add(time.Minute) },
		"before 1970":       func(p *Pass) { p.From = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		p := example()
		change(&p)
		if text, err := Sign(p, "xian-1", key); err == nil {
			t.Errorf("%s: signed as %s", name, text)
		}
	}
}

// lastMinute is the last one that a pass can hold.
var lastMinute = time.Unix(60*(1<<32-1), 0).UTC()

func TestAPassAtItsLimitsIsSigned(t *testing.T) {
	for name, change := range map[string]func(*Pass){
		"31 days":         func(p *Pass) { p.Until = p.From.Add(31 * 24 * time.Hour) },
		"a minute":        func(p *Pass) { p.Until = p.From.Add(time.Minute) },
		"long names":      func(p *Pass) { p.Gate, p.Class = strings.Repeat("g", 40), strings.Repeat("c", 40) },
		"no purpose":      func(p *Pass) { p.Purpose = "" },
		"one use":         func(p *Pass) { p.Uses = 1 },
		"many uses":       func(p *Pass) { p.Uses = maxUses },
		"the last minute": func(p *Pass) { p.From, p.Until = lastMinute.Add(-time.Hour), lastMinute },
	} {
		p := example()
		change(&p)
		if got, err := Read(sign(t, p), "xian-1", public(key)); err != nil || got != p {
			t.Errorf("%s: signed %+v, read %+v, %v", name, p, got, err)
		}
	}
}

func TestWhatClaimsToBeAPass(t *testing.T) {
	encoded := func(n int) string {
		return prefix + encoding.EncodeToString(append([]byte{version}, make([]byte, n)...))
	}
	for text, want := range map[string]error{prefix: ErrUnreadable, prefix + "0": ErrUnreadable,
		"gatehouse1:": ErrUnreadable, encoded(ed25519.SignatureSize - 1): ErrUnreadable,
		encoded(ed25519.SignatureSize): ErrForged} {
		if _, err := Read(text, "xian-1", public(key)); !Is(text) || !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	if short := prefix[:len(prefix)-1]; Is(short) {
		t.Errorf("%s is one", short)
	}
}

func FuzzRead(f *testing.F) {
	text, err := Sign(example(), "xian-1", key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(prefix)
	f.Add(prefix + "AEAQ")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Read(text, "xian-1", public(key))
		switch {
		case err == nil && p != example():
			t.Fatalf("%q is believed: %+v", text, p)
		case err != nil && !errors.Is(err, ErrForged) && !errors.Is(err, ErrUnreadable):
			t.Fatalf("%q: %v", text, err)
		}
	})
}

// Fields that do not fit are refused also when the county has signed them.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(append(bytes.Repeat([]byte{1}, 17), 1, 'g', 1, 'c', 0))
	f.Add(append(bytes.Repeat([]byte{1}, 17), 200, 'g'))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := decode(b); ok {
			again := len(p.ID) + 9 + 3 + len(p.Gate) + len(p.Class) + len(p.Purpose)
			if again != len(b) {
				t.Fatalf("%x is %d bytes and %+v is %d", b, len(b), p, again)
			}
		}
	})
}
