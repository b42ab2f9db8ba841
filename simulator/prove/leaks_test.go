package prove

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/simulator/world"
)

// A card in a log, and the site key in another file than its own, are found; rosters, the
// key's file and the image of the disk that has it may hold them.
func TestLeaksAreFound(t *testing.T) {
	p := &proof{Config: Config{Dir: t.TempDir()}, gates: world.New(1).Gates[:1]}
	const key = "c2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0aGlzIHRlc3Q="
	put := func(path, text string) {
		t.Helper()
		path = filepath.Join(p.Dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.searchLeaks(); err == nil {
		t.Error("a county without files has no leaks")
	}
	own, err := filepath.Rel(p.Dir, filepath.Join(p.countyDir(), siteKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	put(own, key+"\n")
	put("gate-001/roster.csv", string(p.gates[0].Roster()))
	put("disk-1.img", "a file system, and in it site.key: "+key)
	if leaks, err := p.searchLeaks(); err != nil || len(leaks) > 0 {
		t.Errorf("%q, %v", leaks, err)
	}
	put("gate-001/log", "tapped "+strings.ToLower(p.gates[0].Cards[3].Code))
	put("gate-001/dump", "key "+key)
	put("disk-2.img", "a log, and in it "+p.gates[0].Cards[2].Code)
	leaks, err := p.searchLeaks()
	if all := strings.Join(leaks, "\n"); err != nil || !strings.Contains(all, "gate-001/log: the card of") ||
		!strings.Contains(all, "gate-001/dump: site.key") || !strings.Contains(all, "disk-2.img: the card of") {
		t.Errorf("%s, %v", all, err)
	}
}
