package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func docsCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:    "docs --dir DIR",
		Short:  "Write the command reference as Markdown",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // documents, for everybody
				return fmt.Errorf("create the documents' folder: %w", err)
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			for _, sub := range root.Commands() {
				sub.Hidden = sub.Hidden || sub.Name() == "completion" // cobra's own command, the same in every program
			}
			return doc.GenMarkdownTree(root, dir)
		},
	}
	c.Flags().StringVar(&dir, "dir", "commands", "folder to write to")
	return c
}
