package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"gatehouse/gateway/version"
)

// DocsCommand returns the hidden command that writes the reference of a program's commands,
// for this program and the simulator.
func DocsCommand() *cobra.Command {
	var dir, format string
	c := &cobra.Command{
		Use:    "docs --dir DIR",
		Short:  "Write the command reference as Markdown or as man pages",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if format != "markdown" && format != "man" {
				return usageError{fmt.Errorf("--format %q: use markdown or man", format)}
			}
			if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // documents, for everybody
				return fmt.Errorf("create the documents' folder: %w", err)
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			for _, sub := range root.Commands() {
				sub.Hidden = sub.Hidden || sub.Name() == "completion" // cobra's own command, the same in every program
			}
			if format == "man" {
				// The date is that of SOURCE_DATE_EPOCH where it is set.
				header := &doc.GenManHeader{Section: "1", Source: root.Name() + " " + version.String}
				return doc.GenManTree(root, header, dir)
			}
			return doc.GenMarkdownTree(root, dir)
		},
	}
	c.Flags().StringVar(&dir, "dir", "commands", "folder to write to")
	c.Flags().StringVar(&format, "format", "markdown", "markdown or man")
	return c
}
