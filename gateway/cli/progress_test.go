package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/county/audit"
)

// seen returns the lines of a terminal as somebody sees them: what follows a carriage return
// has overwritten what stood there.
func seen(text string) (lines []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		lines = append(lines, strings.TrimRight(line[strings.LastIndex(line, "\r")+1:], " "))
	}
	return lines
}

// Long work shows on a terminal how far it has come, and nothing of it in pipes or among data.
func TestLongWorkShowsHowFarItHasCome(t *testing.T) {
	t.Setenv("TERM", "xterm")
	gate, dir := t.TempDir(), newCounty(t, audit.Head{})
	fillJournal(t, gate)
	policy := write(t, dir, "policy.yaml", inForce)
	for line, bar := range map[string]string{
		"export --kind passage --dir " + dir:                            "export",
		"export --format jsonl --dir " + dir:                            "export",
		"journal export --dir " + gate:                                  "export",
		"replay --from 2020-02-14 --dir " + dir + " --policy " + policy: "decide",
	} {
		args := strings.Fields(line)
		var plain, notes, data bytes.Buffer
		if code := cli.Run(t.Context(), args, nil, &plain, &notes); code != 0 || plain.Len() == 0 {
			t.Fatalf("%s: exit code %d: %s", line, code, &notes)
		}
		if strings.Contains(notes.String(), "\r") {
			t.Errorf("%s: a bar in a pipe: %q", line, &notes)
		}
		shown := besideTerminal(t, &data, args...)
		if !strings.Contains(shown, bar) || !strings.Contains(shown, "\r") || data.String() != plain.String() {
			t.Errorf("%s: no bar %q beside a pipe: %q, or other data: %q", line, bar, shown, &data)
		}
		got := strings.Join(seen(onTerminal(t, args...)), "\n")
		for _, want := range seen(plain.String()) {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not to be read on a terminal:\n%s", line, want, got)
			}
		}
		if args[0] == "replay" {
			if shown := besideTerminal(t, &data, append(args, "-o", "json")...); strings.Contains(shown, "\r") {
				t.Errorf("%s: a bar for a program: %q", line, shown)
			}
		}
	}
}
