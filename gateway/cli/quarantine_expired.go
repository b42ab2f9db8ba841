package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/store/books"
)

func quarantineExpired(dir *string) *cobra.Command {
	return booksTable(dir, "no records were removed",
		[]string{"AGENT", "JOURNAL", "KIND", "THROUGH", "RECORDS", "NEWEST", "SINCE"},
		func(ctx context.Context, b *books.Books) (rows [][]string, err error) {
			all, err := b.Expired(ctx)
			for _, e := range all {
				rows = append(rows, []string{shorten(e.Agent, 20), e.JID, string(e.Kind),
					strconv.FormatUint(e.Through, 10), strconv.FormatUint(e.Records, 10),
					quarantineTime(e.Newest), quarantineTime(e.Since)})
			}
			return rows, err
		}, cobra.Command{
			Use:   "expired",
			Short: "List which old records were removed, as retention: of the configuration says",
			Long: `expired lists for each journal and kind up to which seq old records were removed, how
many that were, and since when that is done. They count as stored: an agent that sends
one again is told so, and it does not come back.`,
		})
}
