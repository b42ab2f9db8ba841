package mqtt

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAPasswordThatAnEditorOfWindowsSavedIsRead(t *testing.T) {
	for name, text := range map[string]string{
		"one line": "secret", "more": "secret\nnot this\n", "of Windows": "secret\r\n",
		"with a byte order mark": "\xef\xbb\xbfsecret\r\n",
		"of PowerShell":          "\xff\xfes\x00e\x00c\x00r\x00e\x00t\x00\r\x00\n\x00",
	} {
		path := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readSecret(path); err != nil || got != "secret" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
