package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Who names a configuration that is not there is told how one is made, and never by the words
// of the system alone.
func TestAMissingConfigurationSaysHowItIsMade(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.yaml")
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"config check --config", 2, "gatehouse setup makes one, at a gate gatehouse enrol"},
		{"config show --config", 2, "gatehouse setup makes one, at a gate gatehouse enrol"},
		{"doctor --config", 2, "gatehouse setup makes one, at a gate gatehouse enrol"},
		{"collect --config", 1, "gatehouse setup makes one"},
		{"backup --config", 1, "gatehouse setup makes one"},
		{"ready --config", 1, "gatehouse setup makes one"},
		{"packages list --config", 1, "gatehouse setup makes one"},
		{"history --config", 1, "gatehouse setup makes one"},
		{"agent --config", 1, "gatehouse enrol makes one"},
		{"broker --config", 1, "BROKERS.md"},
	} {
		var out, errOut bytes.Buffer
		code := Run(t.Context(), append(strings.Fields(c.args), none), strings.NewReader(""), &out, &errOut)
		said := errOut.String()
		if code != c.code || !strings.Contains(said, c.want) || !strings.Contains(said, none) ||
			strings.Contains(said, "no such file or directory") {
			t.Errorf("%s: exit code %d, want %d: %s", c.args, code, c.code, said)
		}
	}
	if os.Geteuid() != 0 {
		return // upgrade says that it is for root
	}
	var out, errOut bytes.Buffer
	code := Run(t.Context(), []string{"upgrade", "--config", none}, strings.NewReader(""), &out, &errOut)
	if said := errOut.String(); code != 1 || !strings.Contains(said, "UPGRADE.md") || !strings.Contains(said, "url:") {
		t.Errorf("upgrade: exit code %d: %s", code, said)
	}
}
