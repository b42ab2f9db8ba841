package cli_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// askBash completes a line as bash does when somebody presses the tab key twice: it loads
// the script of gatehouse completion bash, and calls the function that the script registers.
const askBash = `
. /usr/share/bash-completion/bash_completion
. <(gatehouse completion bash)
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=63
read -r -a COMP_WORDS <<< "$1"
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
set -- $(complete -p gatehouse)
while [[ $1 != -F ]]; do shift; done
compopt() { :; } # no line is being edited
$2
printf '%s\n' "${COMPREPLY[@]}"
`

const askFish = `gatehouse completion fish | source; complete -C $argv[1]`

// asked returns what a shell offers for a line.
func asked(t *testing.T, shell, line string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "bash", "-c", askBash, "bash", line)
	if shell == "fish" {
		c = exec.CommandContext(ctx, "fish", "--no-config", "-c", askFish, line)
	}
	c.Env = append(os.Environ(), "HOME="+t.TempDir())
	var errOut strings.Builder
	c.Stderr = &errOut
	out, err := c.Output()
	if err != nil || errOut.Len() > 0 {
		t.Fatalf("%s: %q: %v: %s", shell, line, err, errOut.String())
	}
	var words []string
	for word := range strings.Lines(string(out)) {
		word, _, _ = strings.Cut(strings.TrimSpace(word), "\t") // fish prints what a word means
		word, _, _ = strings.Cut(word, "  ")                    // bash likewise
		if word != "" {
			words = append(words, word)
		}
	}
	return words
}

// heardOf makes a county whose desk has heard of gates and machines.
func heardOf(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	fillCounty(t, dir)
	write(t, dir, "sites.yaml", sitesFile)
	file = write(t, dir, "collect.yaml", countyFile)
	change(t, dir, "INSERT INTO machines (machine, agent, heard) VALUES "+
		"('drone-7', 'edge-1', 0), ('fogger-20', 'edge-1', 0)")
	change(t, dir, "INSERT INTO lineages (agent, jid, last, through) VALUES ('gate-002', 'j', 0, 0)")
	return dir, file
}

func TestShellsCompleteNames(t *testing.T) {
	dir, file := heardOf(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir() // TestMain looks at the name by which it is called
	if err := os.Symlink(self, filepath.Join(bin, "gatehouse")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	for line, want := range map[string]string{
		"gatehouse journ": "journal",
		"gatehouse replay -c " + file + " --gate gate-":     "gate-001 gate-017 gate-018",
		"gatehouse replay -c " + file + " --gate gate-01":   "gate-017 gate-018",
		"gatehouse replay --dir " + dir + " --gate ":        "gate-002",
		"gatehouse explain -c " + file + " gate-00":         "gate-001",
		"gatehouse runs --dir " + dir + " --machine ":       "drone-7 fogger-20",
		"gatehouse runs --dir " + dir + "/none --machine ":  "",
		"gatehouse rules import -c " + file + " --for ":     "default gate-001 gate-017 gate-018 k",
		"gatehouse gate open -c " + file + " gate-00":       "gate-001",
		"gatehouse export --kind r":                         "reading run",
		"gatehouse export --format p":                       "parquet",
		"gatehouse runs -o ":                                "json table",
		"gatehouse identity issue x --kind ":                "machine reader",
		"gatehouse devices rdm":                             "rdm6300",
		"gatehouse devices rdm6300 ":                        "",
		"gatehouse calls answer --dir " + dir + " 1 not":    "not-available",
		"gatehouse calls end --dir " + dir + " ":            "",
		"gatehouse token revoke --dir " + dir + " ":         "",
		"gatehouse runs --limit ":                           "",
		"gatehouse watch --lang z":                          "zh",
		"gatehouse identity list -c " + dir + "/coll":       dir + "/collect.yaml",
		"gatehouse runs --dir " + filepath.Dir(dir) + "/00": "",
	} {
		for _, shell := range []string{"bash", "fish"} {
			got := asked(t, shell, line)
			if strings.HasSuffix(line, "/00") { // folders, each shell in its own way
				if len(got) == 0 {
					t.Errorf("%s: %q: no folder", shell, line)
				}
				continue
			}
			if strings.HasSuffix(line, "/coll") && shell == "bash" {
				continue // bash completes files by itself, when a line is being edited
			}
			slices.Sort(got)
			if text := strings.Join(got, " "); text != want {
				t.Errorf("%s: %q: %q, want %q", shell, line, text, want)
			}
		}
	}
	script := filepath.Join(t.TempDir(), "_gatehouse")
	zsh := exec.CommandContext(t.Context(), "sh", "-c", `gatehouse completion zsh > "$0" && zsh -n "$0"`, script)
	if out, err := zsh.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("zsh: %v: %s", err, out)
	}
}
