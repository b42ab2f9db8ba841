package enrol

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/sealed"
)

// A gate that was enrolled by a version without agent.age makes one, once.
func TestTheGateHasOneSecret(t *testing.T) {
	i := Identity{Key: filepath.Join(t.TempDir(), "agent.key")}
	path := filepath.Join(filepath.Dir(i.Key), "agent.age")
	if _, err := i.Secret(); !errors.Is(err, ErrNoSecret) {
		t.Fatalf("before: %v", err)
	}
	to, err := i.recipient()
	if err != nil {
		t.Fatal(err)
	}
	again, err := i.recipient()
	secret, err2 := i.Secret()
	if err := errors.Join(err, err2); err != nil || again != to {
		t.Fatalf("%s, then %s, %v", to, again, err)
	}
	b, err := sealed.Seal([]byte("rules"), to)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := sealed.Open(b, secret); err != nil || string(text) != "rules" {
		t.Errorf("%s, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := i.recipient(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("others may read it: %v", err)
	}
	if err := errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if fresh, err := i.recipient(); err != nil || fresh == to {
		t.Errorf("after a power cut while it was written: %s, %v", fresh, err)
	}
}
