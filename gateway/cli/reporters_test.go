package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gatehouse/gateway/cli"
)

var (
	block    = regexp.MustCompile("(?s)```(yaml|sh)\n(.*?)```")
	argument = regexp.MustCompile(`'[^']*'|[^\s']+`)
)

// The configurations in the manual are loaded, and its commands run with them.
func TestTheManualOfReportersIsRight(t *testing.T) {
	page, err := os.ReadFile("../../deploy/REPORTERS.md")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "collect.yaml")
	config := "county: qinghe\nmachines:\n" // all that machines try needs
	var commands []string
	for _, m := range block.FindAllStringSubmatch(string(page), -1) {
		if m[1] == "yaml" && strings.HasPrefix(m[2], "  - machine:") {
			config += m[2]
		}
		for line := range strings.Lines(strings.ReplaceAll(m[2], "\\\n", " ")) {
			if strings.HasPrefix(line, "gatehouse machines try") {
				commands = append(commands, line)
			}
		}
	}
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	for _, command := range commands {
		args := argument.FindAllString(strings.TrimPrefix(command, "gatehouse "), -1)
		for i, arg := range args {
			args[i] = strings.Trim(arg, "'")
			if arg == "collect.yaml" {
				args[i] = file
			}
		}
		var out, errOut bytes.Buffer
		code := cli.Run(t.Context(), args, nil, &out, &errOut)
		if code != 0 || !strings.Contains(out.String(), "→ it would be stored") {
			t.Errorf("%s%s%s", command, out.String(), errOut.String())
		}
		if strings.Contains(out.String(), "not in this message") {
			t.Errorf("a mapped field is not there: %s%s", command, out.String())
		}
		topic, _, _ := strings.Cut(out.String(), ":")
		tried[topic] = true
	}
	if n := strings.Count(config, "topic: "); len(tried) < 10 || len(commands) != n {
		t.Errorf("%d commands for %d topics", len(commands), n)
	}
}
