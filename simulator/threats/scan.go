package threats

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
)

// occurrences returns how many files below a folder hold a text.
func occurrences(dir, text string) (n int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // files go while programs run
		}
		b, err := os.ReadFile(path) //nolint:gosec // nobody else writes there
		if err == nil && bytes.Contains(b, []byte(text)) {
			n++
		}
		return nil
	})
	return n, err
}

// find returns in which form data holds a secret; empty: in none.
func find(data []byte, secret string) string {
	for name, form := range forms(secret) {
		if bytes.Contains(data, form) {
			return name
		}
	}
	return ""
}

func marshal(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func unmarshal(text string, v any) error { return json.Unmarshal([]byte(text), v) }
