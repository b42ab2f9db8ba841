package wire_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/identity"
)

func TestThePseudonymOfWIREIsWhatAgentsMake(t *testing.T) {
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(i)
	}
	path := filepath.Join(t.TempDir(), "site.key")
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(secret)), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := identity.LoadSiteKey(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("WIRE.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := key.Pseudonym("card", "62E3086CED"); !strings.Contains(string(text), "```text pseudonym\n"+want+"\n") {
		t.Errorf("WIRE.md does not show %s", want)
	}
}
