package repository

import (
	"os/exec"
	"testing"

	"pgregory.net/rapid"
)

// Compare orders as the real dpkg does, whatever the versions.
func TestVersionsAreOrderedAsDpkgDoes(t *testing.T) {
	dpkg := func(t rapid.TB, a, op, b string) bool {
		err := exec.Command("dpkg", "--compare-versions", a, op, b).Run()
		if _, other := err.(*exec.ExitError); err != nil && !other { //nolint:errorlint // of Run itself
			t.Fatal(err)
		}
		return err == nil
	}
	agree := func(t rapid.TB, a, b string) {
		got := Compare(a, b)
		if lt, eq := dpkg(t, a, "lt", b), dpkg(t, a, "eq", b); lt != (got < 0) || eq != (got == 0) {
			t.Errorf("%q to %q is %d; dpkg says earlier %t, equal %t", a, b, got, lt, eq)
		}
		if back := Compare(b, a); (back < 0) != (got > 0) || (back == 0) != (got == 0) {
			t.Errorf("%q to %q is %d, and back %d", a, b, got, back)
		}
	}
	for _, c := range [][2]string{{"1.0", "1.0~rc1"}, {"1.10", "1.9"}, {"1.0-1", "1.0"},
		{"1:0.1", "9"}, {"1.0", "1.0-0"},
		{"1.0+b1", "1.0"}, {"1.0.", "1.0"}, {"007", "7"}, {"0:1", "1"}, {"1.0a", "1.0+"}, {"1.0-1-2", "1.0-1.2"}} {
		agree(t, c[0], c[1])
	}
	version := rapid.StringMatching(`([0-2]:)?[0-9]([0-9a-c.+~]{0,5})(-[0-9a-b.+~]{1,3})?`)
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		if seen++; seen > 60 { // each asks dpkg twice
			return
		}
		agree(t, version.Draw(t, "a"), version.Draw(t, "b"))
	})
}
