package centre

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/health"
	"gatehouse/gateway/fact"
)

func TestADiskThatIsGoneIsAProblemUntilItIsBack(t *testing.T) {
	c := &county{cfg: Config{Dir: filepath.Join(t.TempDir(), "county")}, health: health.NewBoard(),
		log: slog.New(slog.DiscardHandler)}
	look := func() (text string, problem bool) {
		err := c.lookAtDisk(c.cfg.Dir, time.Unix(0, 0))
		for _, x := range c.health.Troubles(time.Unix(0, 0)) {
			if x.Kind == fact.TroubleDisk {
				if x.Problem != (err != nil) {
					t.Errorf("%+v, %v", x, err)
				}
				return x.Text, x.Problem
			}
		}
		return "", false
	}
	if text, problem := look(); !problem || !strings.Contains(text, "is gone") {
		t.Errorf("a folder that is not there: %q", text)
	}
	if err := os.Mkdir(c.cfg.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if text, _ := look(); text != "" {
		t.Errorf("a folder that is there: %q", text)
	}
	c.cfg.Unsafe = "it is in memory"
	if text, problem := look(); problem || text != "it is in memory" {
		t.Errorf("a folder in memory: %q, %v", text, problem)
	}
}
