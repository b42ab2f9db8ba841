package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"gatehouse/gateway/testkit/commandlines"
)

// manuals are the pages that tell people what to type.
var manuals = []string{"README.md", "deploy/*.md", "deploy/manual/*/*.md", ".github/*.md", "gateway/*.md"}

// refuses returns why a command does not take what a manual says; empty: it does.
func refuses(root *cobra.Command, l commandlines.Line) string {
	c, rest, err := root.Find(l.Words)
	if err != nil {
		return err.Error()
	}
	c.InitDefaultHelpFlag()
	switch err := c.ParseFlags(rest); {
	case err == nil:
	case !l.Whole && strings.Contains(err.Error(), "needs an argument"):
		return ""
	default:
		return err.Error()
	}
	args := c.Flags().Args()
	if c.HasSubCommands() && len(args) > 0 {
		return c.CommandPath() + " has no command " + args[0]
	}
	if help, err := c.Flags().GetBool("help"); l.Whole && (err != nil || !help) {
		if err := c.ValidateArgs(args); err != nil {
			return err.Error()
		}
		if err := c.ValidateRequiredFlags(); err != nil {
			return err.Error()
		}
	}
	return ""
}

func TestTheManualsTypeCommandsThatThereAre(t *testing.T) {
	lines, err := commandlines.Of("../..", "gatehouse", manuals...)
	if err != nil || len(lines) < 100 {
		t.Fatalf("%d command lines: %v", len(lines), err)
	}
	for _, l := range lines {
		if why := refuses(newRoot(), l); why != "" {
			t.Errorf("%s: gatehouse %s: %s", l.Where, strings.Join(l.Words, " "), why)
		}
	}
}

func TestCommandsThatThereAreNotAreFound(t *testing.T) {
	for words, whole := range map[string]bool{
		"nothing": false, "journal nothing": false, "journal inspect --nothing": false, "status --nothing": true,
		"journal trust": true, "rules import --approve --nothing x": false,
	} {
		if refuses(newRoot(), commandlines.Line{Words: strings.Fields(words), Whole: whole}) == "" {
			t.Errorf("gatehouse %s is taken", words)
		}
	}
	for _, words := range []string{"explain AGENT SEQ", "explain", "invite --reset", "journal"} {
		if why := refuses(newRoot(), commandlines.Line{Words: strings.Fields(words)}); why != "" {
			t.Errorf("gatehouse %s: %s", words, why)
		}
	}
}
