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
	r.cfg.Guards = r.cfg.Roster + ".guards"
	r.write(r.cfg.Guards, []byte("guard,card,pin\neast-1,62E3086CFF,\n"))
	for _, path := range []string{r.cfg.SiteKey, r.cfg.Roster, r.cfg.Guards} {
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
}

// A gate that ran before its roster's rights were asked for goes on with the rules that it
// keeps, and says what to do.
func TestAGateWhoseRosterOthersReadKeepsItsRules(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	if people, detail := r.startRules(); people != 1 || detail != "" {
		t.Fatalf("at first: %d people, %q", people, detail)
	}
	if err := os.Chmod(r.cfg.Roster, 0o644); err != nil {
		t.Fatal(err)
	}
	if people, detail := r.startRules(); people != 1 || !strings.Contains(detail, "run chmod 600 "+r.cfg.Roster) {
		t.Errorf("%d people, %q", people, detail)
	}
}
