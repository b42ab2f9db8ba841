package threats

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"

	"gatehouse/simulator/leak"
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
	for _, f := range leak.New(leak.Secret{Text: secret}).In(data) {
		return f.Form + f.Where
	}
	return ""
}

// unbase64 returns the bytes of a text in base64, nil where it is none.
func unbase64(text string) []byte {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}

func marshal(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func unmarshal(text string, v any) error { return json.Unmarshal([]byte(text), v) }
