package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"gatehouse/devices"
)

// deviceRow is a model for tools.
type deviceRow struct {
	Model  string `json:"model"`
	Kind   string `json:"kind"`
	Bus    string `json:"bus"`
	Baud   int    `json:"baud,omitempty"` // of a UART
	Title  string `json:"title"`
	Wiring string `json:"wiring"`
	Source string `json:"source"`
}

func newDevice(m devices.Model) deviceRow {
	return deviceRow{m.Name, string(m.Kind), m.Bus, m.Baud, m.Title, m.Wiring, m.Source}
}

func devicesCommand() *cobra.Command {
	var markdown bool
	var out output
	c := &cobra.Command{
		Use:   "devices [MODEL]",
		Short: "List the devices that agents can drive, or describe one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			models := devices.Catalog()
			if len(args) == 1 {
				m, err := devices.Find(args[0])
				if err != nil {
					return usageError{fmt.Errorf("%w%s", err, didYouMean(args[0], modelNames()))}
				}
				models = []devices.Model{m}
			}
			if markdown || len(args) == 1 && out.is(asTable) {
				_, err := fmt.Fprint(c.OutOrStdout(), devices.Markdown(models))
				return err
			}
			rows := make([]deviceRow, 0, len(models))
			for _, m := range models {
				rows = append(rows, newDevice(m))
			}
			return list(c, &out, rows, table[deviceRow]{"", []string{"MODEL", "KIND", "BUS", "TITLE"},
				func(d deviceRow) []string { return []string{d.Model, d.Kind, d.Bus, d.Title} }})
		},
		ValidArgsFunction: completeModels,
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "render DEVICES.md")
	out.add(c)
	return c
}
