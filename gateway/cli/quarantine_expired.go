package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"gatehouse/gateway/term"
)

func quarantineExpired(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "expired",
		Short: "List which old records were removed, as retention: of the configuration says",
		Long: `expired lists for each journal and kind up to which seq old records were removed, how
many that were, and since when that is done. They count as stored: an agent that sends
one again is told so, and it does not come back.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := openBooks(*dir)
			if err != nil {
				return err
			}
			defer s.Close()
			all, err := s.Expired(c.Context())
			if err != nil {
				return err
			}
			if len(all) == 0 {
				_, err := fmt.Fprintln(c.OutOrStdout(), "no records were removed")
				return err
			}
			rows := make([][]string, 0, len(all))
			for _, e := range all {
				rows = append(rows, []string{shorten(e.Agent, 20), e.JID, string(e.Kind),
					strconv.FormatUint(e.Through, 10), strconv.FormatUint(e.Records, 10),
					quarantineTime(e.Newest), quarantineTime(e.Since)})
			}
			return term.New(c.OutOrStdout()).
				Table([]string{"AGENT", "JOURNAL", "KIND", "THROUGH", "RECORDS", "NEWEST", "SINCE"}, rows)
		},
	}
}
