package agent

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/identity"
)

// The check of a configuration says that the gate's key can't be read: the county would
// take nothing of it. An agent that runs decides without it.
func TestTheCheckReadsTheGatesKey(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	key := filepath.Join(t.TempDir(), "agent.key")
	r.cfg.Identity = enrol.Identity{Key: key, Cert: key, CA: key, Desk: []string{"http://127.0.0.1:1"}}
	if _, err := Check(r.cfg, time.Now()); err == nil || !strings.Contains(err.Error(), "identity.key") {
		t.Errorf("without a key: %v", err)
	}
	if _, _, err := identity.LoadOrCreateKey(key); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(r.cfg, time.Now()); err != nil {
		t.Errorf("with its key: %v", err)
	}
}
