package devices_test

import (
	"os"
	"strings"
	"testing"

	"gatehouse/devices"
)

// unindented returns text without leading and trailing space on its lines.
func unindented(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

func TestTheREADMEsExampleDriverConforms(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "## Add a thermometer")
	_, text, _ = strings.Cut(text, "```go\n")
	text, _, closed := strings.Cut(text, "```")
	driver, row, ok := strings.Cut(text, "// devices/catalog.go\n")
	if !closed || !ok {
		t.Fatalf("README.md has no example of a driver and its catalogue row: %q", text)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{strings.TrimPrefix(driver, "// devices/ir200.go\n"), row} {
		if !strings.Contains(unindented(string(source)), unindented(part)) {
			t.Errorf("this part of README.md differs from devices/readme_test.go:\n%s", part)
		}
	}
	conforms(t, devices.IR200()[0])
}
