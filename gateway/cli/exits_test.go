package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/county/centre"
)

// What a command works on is not there: that is no wrong usage.
func TestACommandThatFailsEndsWithOne(t *testing.T) {
	empty := t.TempDir()
	no := filepath.Join(empty, "no")
	full := t.TempDir()
	fillCounty(t, full)
	lines := []string{
		"agent --config " + no, "collect --config " + no, "broker config mosquitto --cert a --key b --config " + no,
		"access-report --as a --dir " + no, "audit export --dir " + no, "audit verify --dir " + no,
		"calls list --dir " + no, "calls answer 1 call-us --dir " + no, "calls end 1 --dir " + full,
		"checks --dir " + no, "consent list --dir " + no, "consent agree 1 --as a --dir " + no,
		"consent refuse 1 --as a --dir " + no, "end begin -c " + no, "end status -c " + no, "end finish -c " + no,
		"end certificate -c " + no, "end certificate --check " + no + " --key " + no, "explain gate-001 1 --dir " + no,
		"export --kind run --dir " + no, "guard remove east-1 --file " + no,
		"history --dir " + no, "identity issue a --kind reader -c " + no, "identity list -c " + no,
		"identity revoke a -c " + no, "import run " + no + " --dry-run", "journal inspect --dir " + no,
		"journal verify --dir " + no, "journal export --dir " + no, "journal trust s --dir " + no,
		"pass issue --county c --gate g --dir " + no, "pass show x --county c --key " + no,
		"machines try -c " + no + " --topic t --payload 1", "policy diff " + no + " " + no, "policy test " + no,
		"quarantine list --dir " + no, "quarantine show 1 --dir " + no, "quarantine show 99 --dir " + full,
		"quarantine drop 99 --dir " + full, "quarantine retry 1 -c " + no + " --dir " + no,
		"quarantine holes --dir " + no, "quarantine expired --dir " + no,
		"replay --from 2020-02-14 --check --dir " + no, "rules list -c " + no, "rules import -c " + no + " " + no,
		"rules check 1 -c " + no, "rules show 1 -c " + no, "rules approve 1 -c " + no, "rules withdraw 1 -c " + no,
		"runs --dir " + no, "status --wait 0s --broker tcp://127.0.0.1:1", "watch --broker tcp://127.0.0.1:1",
		"trace --as a --dir " + no, "backup -c " + no + " --file x --recipient r",
		"restore " + no + " --identity " + no, "gate open g --yes --as a --reason r -c " + no,
		"gate reload g --as a --reason r --url http://127.0.0.1:1", "gate notice g --as a --zh x --reason r -c " + no,
		"gate restart g --token-file " + no + " --reason r --url http://127.0.0.1:1", "guard list --file " + empty,
		"guard pin a --file " + no, "guard add a --card 1 --file " + no + "/no/no",
		"influx setup --admin-token " + no + " --admin-password " + no, "invite --dir " + no,
		"packages list -c " + no, "packages add x.deb -c " + no, "packages key -c " + no,
		"packages remove 1 -c " + no, "pass show x --county c --key " + no, "ready -c " + no,
		"ready --url http://127.0.0.1:1", "token add a --dir " + no, "token list --dir " + no,
		"token revoke a --dir " + no, "upgrade --check --config " + no,
	}
	// What is typed for it is wrong, as their help says.
	wrong := []string{"config show " + no, "config check " + no, "doctor --kind agent --config " + no,
		"setup --answers " + no, "enrol no-code --dir " + no, "devices no-such-model"}
	everyCommandIn(t, slices.Concat(lines, wrong))
	for _, line := range slices.Concat(lines, wrong) {
		want := 1
		if slices.Contains(wrong, line) {
			want = 2
		}
		var out, errOut bytes.Buffer
		code := cli.Run(t.Context(), strings.Fields(line), strings.NewReader("x\n"), &out, &errOut)
		if code != want || errOut.Len() == 0 {
			t.Errorf("%s: exit code %d:\n%s%s", line, code, &out, &errOut)
		}
		if _, err := os.Stat(filepath.Join(no, centre.DeskFile)); err == nil {
			t.Fatalf("%s has made a county", line)
		}
	}
}

// everyCommandIn fails when no line is of a command that can fail for what is not there.
func everyCommandIn(t *testing.T, lines []string) {
	t.Helper()
	cli.Leaves(cli.NewRoot(), func(c *cobra.Command) {
		name := strings.TrimPrefix(c.CommandPath(), "gatehouse ")
		of := func(line string) bool { return strings.HasPrefix(line, name+" ") }
		if !slices.ContainsFunc(lines, of) && name != "version" {
			t.Errorf("%s: what does it end with when nothing is there?", name)
		}
	})
}

// unreadable are values that no flag of a type takes.
var unreadable = map[string]string{"int": "many", "int64": "many", "uint64": "-1", "duration": "soon",
	"bool": "perhaps", "form": "xml", "float64": "warm"}

// Wrong usage ends with 2, prints nothing as data, says what is wrong, and where help is.
func TestWrongUsageEndsWithTwo(t *testing.T) {
	var all [][]string
	needs := map[string]bool{} // the command is not complete without arguments or flags
	cli.Leaves(cli.NewRoot(), func(c *cobra.Command) {
		name := strings.Fields(c.CommandPath())[1:]
		add := func(more ...string) { all = append(all, append(slices.Clone(name), more...)) }
		add("--nonsense")
		if c.ValidateArgs(make([]string, 9)) != nil {
			add(strings.Fields("a b c d e f g h i")...)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if value, is := unreadable[f.Value.Type()]; is {
				add("--" + f.Name + "=" + value)
			}
		})
		if c.ValidateArgs(nil) != nil || c.ValidateRequiredFlags() != nil || c.ValidateFlagGroups() != nil {
			add()
			needs[strings.Join(name, " ")] = true
		}
	})
	if len(all) < 200 || len(needs) < 30 {
		t.Fatalf("only %d command lines, %d commands that need something", len(all), len(needs))
	}
	for _, line := range all {
		var out, errOut bytes.Buffer
		code := cli.Run(t.Context(), line, strings.NewReader(""), &out, &errOut)
		if code != 2 || out.Len() > 0 || !strings.Contains(errOut.String(), "see: gatehouse ") {
			t.Errorf("%q: exit code %d: %s%s", line, code, &out, &errOut)
		}
	}
}
