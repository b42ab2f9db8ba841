package devices_test

import (
	"os"
	"strings"
	"testing"

	"gatehouse/devices"
)

// trimmed is text without the blanks around its lines: how deep it stands in
// its file is no part of an example.
func trimmed(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

func TestTheExampleOfTheREADMEIsADriver(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "## Add a thermometer")
	_, text, _ = strings.Cut(text, "```go\n")
	text, _, closed := strings.Cut(text, "```")
	driver, row, two := strings.Cut(text, "// devices/catalog.go\n")
	if !closed || !two {
		t.Fatalf("README.md has no driver and row to add a thermometer with: %q", text)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{strings.TrimPrefix(driver, "// devices/ir200.go\n"), row} {
		if !strings.Contains(trimmed(string(source)), trimmed(part)) {
			t.Errorf("this of README.md is not in devices/readme_test.go, where it is run:\n%s", part)
		}
	}
	conforms(t, devices.IR200()[0])
}
