package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gatehouse/devices"
)

func devicesCommand() *cobra.Command {
	var markdown bool
	c := &cobra.Command{
		Use:   "devices [MODEL]",
		Short: "List the devices that agents can drive, or describe one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			out := c.OutOrStdout()
			if markdown {
				_, err := fmt.Fprint(out, devices.Markdown(devices.Catalog()))
				return err
			}
			if len(args) == 1 {
				m, err := devices.Find(args[0])
				if err != nil {
					return usageError{err}
				}
				_, err = fmt.Fprint(out, devices.Markdown([]devices.Model{m}))
				return err
			}
			w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "MODEL\tKIND\tBUS\tTITLE")
			for _, m := range devices.Catalog() {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.Name, m.Kind, m.Bus, m.Title)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "render DEVICES.md")
	return c
}
