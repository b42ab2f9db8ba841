package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/term"
)

func quarantineCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "quarantine",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "List what the county could not store, and why; try again or drop it",
		Long: `quarantine works on the collector's folder; the collector may run. A record in
quarantine counts as committed: its agent does not send it again. What a row holds may be
about people: that its bytes were shown, and what was done with it, stands in the audit.`,
	}
	c.PersistentFlags().StringVar(&dir, "dir", "/var/lib/gatehouse/county", "the collector's folder")
	c.AddCommand(quarantineList(&dir), quarantineShow(&dir), quarantineRetry(&dir), quarantineDrop(&dir),
		quarantineHoles(&dir), quarantineExpired(&dir))
	return c
}

func openBooks(dir string) (*books.Books, error) {
	return books.OpenReadOnly(filepath.Join(dir, centre.StoreFile))
}

func quarantineList(dir *string) *cobra.Command {
	var limit int
	var out output
	c := &cobra.Command{
		Use:   "list",
		Short: "List what is in quarantine, newest first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := openBooks(*dir)
			if err != nil {
				return err
			}
			defer s.Close()
			held, err := s.Quarantined(c.Context(), limit)
			if err != nil {
				return err
			}
			if out.is(asJSON) {
				if err := audited(c.Context(), *dir, audit.Act{Action: audit.LookQuarantine,
					Detail: fmt.Sprintf("list of %d rows with their bytes", len(held))}); err != nil {
					return err
				}
			}
			rows := make([]poisonRow, 0, len(held))
			for _, p := range held {
				rows = append(rows, poison(p))
			}
			return list(c, &out, rows, table[poisonRow]{"nothing is in quarantine",
				[]string{"ID", "SINCE", "AGENT", "SEQ", "BYTES", "REASON"}, func(p poisonRow) []string {
					return []string{strconv.FormatInt(p.ID, 10), quarantineTime(p.At), shorten(p.Agent, 20),
						strconv.FormatUint(p.Seq, 10), strconv.Itoa(len(p.Raw)), shorten(p.Reason, 80)}
				}})
		},
	}
	c.Flags().IntVar(&limit, "limit", 100, "list at most so many; 0: all")
	out.add(c)
	return c
}

// poisonRow is a row of the quarantine for tools.
type poisonRow struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Agent  string    `json:"agent"`
	JID    string    `json:"jid"`
	Seq    uint64    `json:"seq"`
	Topic  string    `json:"topic"`
	Reason string    `json:"reason"`
	Raw    []byte    `json:"raw"` // base64
}

func poison(p store.Quarantined) poisonRow {
	return poisonRow{p.ID, p.At, p.Agent, p.JID, p.Seq, p.Topic, p.Reason, p.Raw}
}

func quarantineShow(dir *string) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show one row with its bytes",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ids, err := rowIDs(args)
			if err != nil {
				return err
			}
			s, err := openBooks(*dir)
			if err != nil {
				return err
			}
			defer s.Close()
			p, err := quarantined(c.Context(), s, ids[0])
			if err != nil {
				return err
			}
			if err := audited(c.Context(), *dir, ofRow(audit.LookQuarantine, p)); err != nil {
				return err
			}
			if out.is(asJSON) {
				return document(c.OutOrStdout(), poison(p))
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "since   %s\n"+
				"agent   %s\n"+
				"journal %s, seq %d\n"+
				"topic   %s\n"+
				"reason  %s\n"+
				"bytes   %q\n",
				quarantineTime(p.At), term.Clean(p.Agent), term.Clean(p.JID), p.Seq,
				term.Clean(p.Topic), term.Clean(p.Reason), p.Raw)
			return err
		},
	}
	out.add(c)
	return c
}

// holeRow is a hole for tools.
type holeRow struct {
	Agent  string    `json:"agent"`
	At     time.Time `json:"at"` // when it was learnt
	From   uint64    `json:"from"`
	To     uint64    `json:"to"`
	Count  uint64    `json:"count"`
	Reason string    `json:"reason"`
}

func quarantineHoles(dir *string) *cobra.Command {
	return booksTable(dir, table[holeRow]{"no holes are recorded",
		[]string{"AGENT", "LEARNT", "FROM", "TO", "COUNT", "REASON"}, func(h holeRow) []string {
			return []string{shorten(h.Agent, 20), quarantineTime(h.At), strconv.FormatUint(h.From, 10),
				strconv.FormatUint(h.To, 10), strconv.FormatUint(h.Count, 10), shorten(h.Reason, 40)}
		}}, func(ctx context.Context, b *books.Books) (rows []holeRow, err error) {
		holes, err := b.Holes(ctx)
		for _, h := range holes {
			rows = append(rows, holeRow{h.Agent, h.At, h.From, h.To, h.Count, h.Reason})
		}
		return rows, err
	}, cobra.Command{
		Use:   "holes",
		Short: "List the recorded holes: seqs without a record, and why",
	})
}

// booksTable completes a command that lists rows of the books of the county in dir.
func booksTable[T any](dir *string, t table[T], read func(context.Context, *books.Books) ([]T, error),
	c cobra.Command,
) *cobra.Command {
	var out output
	c.Args = cobra.NoArgs
	c.RunE = func(c *cobra.Command, _ []string) error {
		b, err := openBooks(*dir)
		if err != nil {
			return err
		}
		defer b.Close()
		rows, err := read(c.Context(), b)
		if err != nil {
			return err
		}
		return list(c, &out, rows, t)
	}
	out.add(&c)
	return &c
}
