package prove

import (
	"io"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A small proof: real programs, killed at random, with each store and each
// broker.
func TestKillingEverythingLosesNothing(t *testing.T) {
	program := filepath.Join(t.TempDir(), "gatehouse")
	if out, err := exec.Command("go", "build", "-o", program, "gatehouse/gateway").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range [][2]string{{"sqlite", "embedded"}, {"influx", "mosquitto"}} {
		t.Run(c[0]+" and "+c[1], func(t *testing.T) {
			t.Parallel()
			cfg := Config{
				Gatehouse: program,
				Gates:     4,
				For:       20 * time.Second,
				Seed:      3,
				Store:     c[0],
				Broker:    c[1],
				Kill:      []string{"agent", "collector", "broker"},
				Dir:       filepath.Join(t.TempDir(), "proof"),
				Progress:  io.Discard,
			}
			if err := cfg.Check(); err != nil {
				t.Fatal(err)
			}
			r, problems, err := Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v", r)
			if r.Lost != 0 || r.Duplicated != 0 || len(problems) != 0 {
				t.Errorf("lost %d, duplicated %d: %q", r.Lost, r.Duplicated, problems)
			}
			if r.Parsed < 20 || r.Stored != r.Parsed || r.Kills < 4 || r.Verdict.P50 == 0 || r.Commit.P50 == 0 {
				t.Errorf("too few readings, kills or figures: %+v", r)
			}
		})
	}
}
