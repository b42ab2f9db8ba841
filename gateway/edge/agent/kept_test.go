package agent

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// What is written piece by piece is the JSON of the texts, and is read again as such.
func TestRulesAreKeptAsJSON(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		bytesOf := rapid.SliceOf(rapid.Byte())
		x := texts{Policy: append([]byte{1}, bytesOf.Draw(t, "policy")...),
			Roster: append([]byte{2}, bytesOf.Draw(t, "roster")...), Guards: bytesOf.Draw(t, "guards")}
		path := filepath.Join(dir, "rules.json")
		if err := x.save(path); err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s, want %s, %v", got, want, err)
		}
	})
}
