// Package cases plays what machines, files and devices really send, each with the
// right result. A case is a folder testdata/FAMILY/NAME with its input, an optional
// config.yaml, and expected.yaml; a new one is found by listing.
package cases

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
)

// each runs a test for every case of a family, and fails when there is none.
func each(t *testing.T, family string, play func(t *testing.T, dir string)) {
	t.Helper()
	list, err := os.ReadDir(filepath.Join("testdata", family))
	if err != nil || len(list) == 0 {
		t.Fatalf("no cases of %s: %v", family, err)
	}
	for _, entry := range list {
		t.Run(entry.Name(), func(t *testing.T) {
			play(t, filepath.Join("testdata", family, entry.Name()))
		})
	}
}

// expected reads expected.yaml of a case; a key that T does not have is an error.
func expected[T any](t *testing.T, dir string) (out T) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "expected.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(raw, &out, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	return out
}
