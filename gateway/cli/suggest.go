package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
)

// loadCollector reads the collector's configuration. Where there is none, the error says
// how one is made.
func loadCollector(path string) (centre.Config, error) {
	cfg, err := config.Load[centre.Config](path)
	return cfg, unreadable(err, path, "gatehouse setup makes one")
}

// unreadable returns an error of reading a configuration with what to do. made says how a
// file is made which is not there.
func unreadable(err error, path, made string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no configuration at %s (%w): %s; give another place with --config",
			path, fs.ErrNotExist, made)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: only root and the service's account may read it: type sudo before the command", err)
	}
	return err
}

// closest returns the word that is most like a mistyped one; empty: none is like it.
func closest(typed string, words []string) string {
	best, distance := "", len(typed)/3+2 // so many letters may differ, less one
	for _, w := range words {
		if d := edits(strings.ToLower(typed), strings.ToLower(w)); d < distance {
			best, distance = w, d
		}
	}
	return best
}

// edits returns how many letters have to be put in, taken out or replaced to make b of a
// (Levenshtein's distance, in bytes).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := left
			if a[i] != b[j] {
				next++
			}
			left = row[j+1]
			row[j+1] = min(next, left+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// didYouMean returns a question that follows an error about a mistyped word; empty: no word
// is like it.
func didYouMean(typed string, words []string) string {
	if w := closest(typed, words); w != "" {
		return fmt.Sprintf("; did you mean %s?", w)
	}
	return ""
}

// wrongName returns wrong usage when names are known, and what is typed is none of them; it
// says which one is most like it. what says of what they are, like gate.
func wrongName(what, typed string, names []string) error {
	if len(names) == 0 || slices.Contains(names, typed) {
		return nil
	}
	return usageError{fmt.Errorf("there is no %s %q%s", what, typed, didYouMean(typed, names))}
}

// agentsIn returns the names of the agents of journals.
func agentsIn(all []store.Position) (names []string) {
	for _, p := range all {
		names = append(names, p.Agent)
	}
	return names
}

// wrongFlag adds to cobra's error of an unknown flag the one that is most like it.
func wrongFlag(c *cobra.Command, err error) error {
	unknown := (*pflag.NotExistError)(nil)
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return err
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return fmt.Errorf("%w%s", err, didYouMean("--"+unknown.GetSpecifiedName(), names))
}

// groupArgs is Args of a command that only has others: it refuses an unknown one, and says
// which one is most like it.
func groupArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fmt.Errorf("unknown command %q for %q%s", args[0], c.CommandPath(), didYouMean(args[0], names))
}

// polish gives every command what is the same in all: suggestions for what is mistyped,
// completion of names, and its exit codes in the help.
func polish(root *cobra.Command) {
	root.SetFlagErrorFunc(wrongFlag)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		switch {
		case c.HasSubCommands():
			c.Args = groupArgs
			if c.RunE == nil { // a group without its own shows its help, and refuses what it doesn't know
				c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
			}
		case c.Runnable() && !strings.Contains(c.Long, "xit code"):
			if c.Long == "" {
				c.Long = c.Short + "."
			}
			c.Long += "\n\nExit codes: 0 done, 1 failed, 2 wrong usage."
		}
		completeFlags(c)
	}
	walk(root)
}
