package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// leaves calls each with every command that does something.
func leaves(c *cobra.Command, each func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		leaves(sub, each)
	}
	if c.Runnable() && !c.HasSubCommands() && c.Name() != "docs" {
		each(c)
	}
}

// acts lists the commands without -o: they do something, and say in a sentence that it is
// done; or they write files, in formats of their own (--format).
var acts = []string{
	"agent", "audit export", "broker config", "calls answer", "calls end", "collect",
	"consent agree", "consent refuse", "end begin", "end certificate", "end finish", "enrol", "export", "guard add",
	"guard pin", "guard remove", "identity issue", "identity revoke", "influx setup", "invite", "journal export",
	"journal trust", "pass issue", "packages add", "packages key", "packages remove",
	"quarantine drop", "quarantine retry", "ready", "rules approve", "rules import", "rules show",
	"rules withdraw", "token add", "token revoke",
}

func TestEveryCommandThatPrintsDataHasAForm(t *testing.T) {
	root := newRoot()
	n := 0
	leaves(root, func(c *cobra.Command) {
		n++
		name := strings.TrimPrefix(c.CommandPath(), "gatehouse ")
		flag := c.Flags().ShorthandLookup("o")
		is := false
		if flag != nil {
			_, is = flag.Value.(*output)
		}
		if slices.Contains(acts, name) == is {
			t.Errorf("%s: -o is there: %v; an act: %v", name, is, !is)
		}
	})
	if n < 50 {
		t.Errorf("only %d commands were looked at", n)
	}
}

func TestEveryCommandSaysItsExitCodesAndRefusesWhatItDoesNotKnow(t *testing.T) {
	var names [][]string
	root := newRoot()
	leaves(root, func(c *cobra.Command) {
		names = append(names, strings.Fields(c.CommandPath())[1:])
		if !strings.Contains(c.Long, "xit code") {
			t.Errorf("%s does not say its exit codes", c.CommandPath())
		}
	})
	for _, name := range names {
		for last, want := range map[string]int{"--nonsense": exitUsage, "--help": exitOK} {
			var out, errOut bytes.Buffer
			code := Run(t.Context(), append(slices.Clone(name), last), strings.NewReader(""), &out, &errOut)
			if code != want || (want == exitUsage) != (out.Len() == 0) {
				t.Errorf("%q %s: exit code %d: %s%s", name, last, code, &out, &errOut)
			}
		}
	}
}

func TestAFormIsTakenOrRefused(t *testing.T) {
	for name, c := range map[string]struct {
		forms []string
		typed string
		want  string
	}{
		"table":                {nil, "table", asTable},
		"json":                 {nil, "json", asJSON},
		"the former name":      {nil, "text", asTable},
		"a stream as json":     {[]string{asTable, asJSONL}, "json", asJSONL},
		"lines where both":     {[]string{asTable, asJSON, asJSONL}, "json", asJSON},
		"unknown":              {nil, "xml", ""},
		"csv of another":       {nil, "csv", ""},
		"csv":                  {[]string{asTable, asCSV}, "csv", asCSV},
		"empty":                {nil, "", ""},
		"not in large letters": {nil, "JSON", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var o output
			o.add(&cobra.Command{}, c.forms...)
			err := o.Set(c.typed)
			if (err != nil) != (c.want == "") || err == nil && !o.is(c.want) {
				t.Errorf("%q, %v", o.form, err)
			}
		})
	}
}

func TestTheWordThatWasMeant(t *testing.T) {
	gates := []string{"gate-001", "gate-017", "gate-170", "fogger-20"}
	for typed, want := range map[string]string{
		"gate-17": "gate-017", "GATE-001": "gate-001", "fogger20": "fogger-20",
		"nobody": "", "": "", "x": "",
	} {
		if got := closest(typed, gates); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	if got := didYouMean("x", nil); got != "" {
		t.Errorf("%q", got)
	}
}
