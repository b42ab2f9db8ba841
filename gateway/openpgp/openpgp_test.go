package openpgp

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var made = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func newKey(t *testing.T) (Key, Ring) {
	t.Helper()
	k, err := NewKey("gatehouse qinghe", made)
	if err != nil {
		t.Fatal(err)
	}
	private, err := k.Private()
	if err != nil {
		t.Fatal(err)
	}
	if k, err = ParseKey(private); err != nil {
		t.Fatal(err)
	}
	public, err := k.Public()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseKey(public); err == nil {
		t.Error("a public key is taken for a private one")
	}
	ring, err := ParseRing(public)
	if err != nil {
		t.Fatal(err)
	}
	if got := ring.Fingerprints(); len(got) != 1 || got[0] != k.Fingerprint() || len(got[0]) != 49 {
		t.Errorf("fingerprints %q, %q", got, k.Fingerprint())
	}
	return k, ring
}

func sign(t *testing.T, k Key, text string) []byte {
	t.Helper()
	b, err := k.Sign([]byte(text), made)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const text = "Origin: gatehouse\nSHA256:\n abc 1 Packages\n"

func TestOnlyAKeyOfTheRingCounts(t *testing.T) {
	k, ring := newKey(t)
	other, _ := newKey(t)
	good := sign(t, k, text)
	if got, err := ring.Verify(good); err != nil || string(got) != text {
		t.Fatalf("%q, %v", got, err)
	}
	for what, c := range map[string]struct {
		signed []byte
		want   error
	}{
		"another key":     {sign(t, other, text), ErrForeign},
		"changed":         {bytes.Replace(good, []byte("abc 1"), []byte("abd 1"), 1), ErrForeign},
		"no signature":    {[]byte(text), ErrNoText},
		"nothing":         {nil, ErrNoText},
		"text before":     {append([]byte("Origin: else\n"), good...), ErrNoText},
		"text behind":     {append(bytes.Clone(good), "Origin: else\n"...), ErrNoText},
		"two of them":     {append(bytes.Clone(good), sign(t, other, text)...), ErrNoText},
		"cut off":         {good[:len(good)/2], ErrNoText},
		"cut in the sign": {good[:len(good)-60], ErrNoText},
	} {
		if got, err := ring.Verify(c.signed); err == nil ||
			!errors.Is(err, c.want) && !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	for _, b := range []string{"", "no end", "- dash\n", "blank \n"} {
		if _, err := k.Sign([]byte(b), made); err == nil {
			t.Errorf("%q is signed", b)
		}
	}
	for _, b := range [][]byte{nil, []byte("key"), bytes.Repeat([]byte("x"), most+1)} {
		if _, err := ParseRing(b); err == nil {
			t.Errorf("%.10q is taken for a key", b)
		}
	}
}

// GnuPG, with which apt verifies, takes what is signed here, and refuses it from another key.
func TestGnuPGAgrees(t *testing.T) {
	k, _ := newKey(t)
	other, _ := newKey(t)
	for _, c := range []struct {
		key  Key
		good bool
	}{{k, true}, {other, false}} {
		dir := t.TempDir()
		public, err := c.key.Public()
		if err != nil {
			t.Fatal(err)
		}
		signed := filepath.Join(dir, "InRelease")
		if err := os.WriteFile(signed, sign(t, k, text), 0o600); err != nil {
			t.Fatal(err)
		}
		dearmor := exec.CommandContext(t.Context(), "gpg", "--homedir", dir, "--dearmor")
		dearmor.Stdin = bytes.NewReader(public)
		ring, err := dearmor.Output()
		if err != nil {
			t.Fatal("gpg --dearmor: ", err)
		}
		keys := filepath.Join(dir, "ring.gpg")
		if err := os.WriteFile(keys, ring, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "gpgv", "--homedir", dir, "--keyring", keys, signed)
		out, err := cmd.CombinedOutput()
		if (err == nil) != c.good || c.good && !strings.Contains(string(out), "Good signature") {
			t.Errorf("gpgv of the right key (%t): %v\n%s", c.good, err, out)
		}
	}
}
