package agent

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestAnAgentReadsNoSecretThatOthersRead(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	path := r.cfg.SiteKey
	for _, mode := range []os.FileMode{0o644, 0o640} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := readFiles(r.cfg, time.Now()); err == nil ||
			!strings.Contains(err.Error(), "run chmod 600 "+path) {
			t.Errorf("%s, %o: %v", path, mode, err)
		}
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := readFiles(r.cfg, time.Now()); err != nil {
		t.Errorf("%s, read-only: %v", path, err)
	}
}

// A roster that others can read does not keep a gate shut: the agent takes the rights from
// them.
func TestAnAgentTakesItsListsFromOthers(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	r.cfg.Guards = r.cfg.Roster + ".guards"
	r.write(r.cfg.Guards, []byte("guard,card,pin\neast-1,62E3086CFF,\n"))
	for _, path := range []string{r.cfg.Roster, r.cfg.Guards} {
		for mode, want := range map[os.FileMode]os.FileMode{0o644: 0o600, 0o640: 0o600, 0o404: 0o400, 0o400: 0o400} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			f, err := readFiles(r.cfg, time.Now())
			if err != nil || (len(f.closed) == 1) != (mode != want) {
				t.Errorf("%s, %o: %v, closed %q", path, mode, err, f.closed)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s, %o: it is %v now, %v", path, mode, info.Mode(), err)
			}
		}
	}
}
