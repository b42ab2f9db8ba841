package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/store/books"
)

// expiredRow says for tools which records of one kind were removed of a journal.
type expiredRow struct {
	Agent   string    `json:"agent"`
	JID     string    `json:"jid"`
	Kind    string    `json:"kind"`
	Through uint64    `json:"through"`
	Records uint64    `json:"records"`
	Newest  time.Time `json:"newest"`
	Since   time.Time `json:"since"`
}

func quarantineExpired(dir *string) *cobra.Command {
	return booksTable(dir, table[expiredRow]{"no records were removed",
		[]string{"AGENT", "JOURNAL", "KIND", "THROUGH", "RECORDS", "NEWEST", "SINCE"}, func(e expiredRow) []string {
			return []string{shorten(e.Agent, 20), e.JID, e.Kind, strconv.FormatUint(e.Through, 10),
				strconv.FormatUint(e.Records, 10), quarantineTime(e.Newest), quarantineTime(e.Since)}
		}}, func(ctx context.Context, b *books.Books) (rows []expiredRow, err error) {
		all, err := b.Expired(ctx)
		for _, e := range all {
			rows = append(rows, expiredRow{e.Agent, e.JID, string(e.Kind), e.Through, e.Records, e.Newest, e.Since})
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
