package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"

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
	c.PersistentFlags().StringVar(&dir, "dir", "/var/lib/gatehouse-county", "the collector's folder")
	c.AddCommand(quarantineList(&dir), quarantineShow(&dir), quarantineRetry(&dir), quarantineDrop(&dir),
		quarantineHoles(&dir), quarantineExpired(&dir))
	return c
}

func openBooks(dir string) (*books.Books, error) {
	return books.OpenReadOnly(filepath.Join(dir, centre.StoreFile))
}

func quarantineList(dir *string) *cobra.Command {
	var limit int
	var output string
	c := &cobra.Command{
		Use:   "list",
		Short: "List what is in quarantine, newest first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return usageError{fmt.Errorf("-o %q: use table or json", output)}
			}
			s, err := openBooks(*dir)
			if err != nil {
				return err
			}
			defer s.Close()
			held, err := s.Quarantined(c.Context(), limit)
			if err != nil {
				return err
			}
			if output == "json" {
				if err := audited(c.Context(), *dir, audit.Act{Action: audit.LookQuarantine,
					Detail: fmt.Sprintf("list of %d rows with their bytes", len(held))}); err != nil {
					return err
				}
				return poisonJSON(c, held)
			}
			if len(held) == 0 {
				_, err := fmt.Fprintln(c.OutOrStdout(), "nothing is in quarantine")
				return err
			}
			rows := make([][]string, 0, len(held))
			for _, p := range held {
				rows = append(rows, []string{strconv.FormatInt(p.ID, 10), quarantineTime(p.At), shorten(p.Agent, 20),
					strconv.FormatUint(p.Seq, 10), strconv.Itoa(len(p.Raw)), shorten(p.Reason, 80)})
			}
			return term.New(c.OutOrStdout()).Table([]string{"ID", "SINCE", "AGENT", "SEQ", "BYTES", "REASON"}, rows)
		},
	}
	c.Flags().IntVar(&limit, "limit", 100, "list at most so many; 0: all")
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

// poisonRow is a row of the quarantine for tools.
type poisonRow struct {
	ID     int64  `json:"id"`
	At     string `json:"at"`
	Agent  string `json:"agent"`
	JID    string `json:"jid"`
	Seq    uint64 `json:"seq"`
	Topic  string `json:"topic"`
	Reason string `json:"reason"`
	Raw    []byte `json:"raw"` // base64
}

func poisonJSON(c *cobra.Command, held []store.Quarantined) error {
	enc := json.NewEncoder(c.OutOrStdout())
	for _, p := range held {
		at := p.At.Format("2006-01-02T15:04:05.999999999Z07:00")
		if err := enc.Encode(poisonRow{p.ID, at, p.Agent, p.JID, p.Seq, p.Topic, p.Reason, p.Raw}); err != nil {
			return err
		}
	}
	return nil
}

func quarantineShow(dir *string) *cobra.Command {
	return &cobra.Command{
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
}

func quarantineHoles(dir *string) *cobra.Command {
	return booksTable(dir, "no holes are recorded", []string{"AGENT", "LEARNT", "FROM", "TO", "COUNT", "REASON"},
		func(ctx context.Context, b *books.Books) (rows [][]string, err error) {
			holes, err := b.Holes(ctx)
			for _, h := range holes {
				rows = append(rows, []string{shorten(h.Agent, 20), quarantineTime(h.At), strconv.FormatUint(h.From, 10),
					strconv.FormatUint(h.To, 10), strconv.FormatUint(h.Count, 10), shorten(h.Reason, 40)})
			}
			return rows, err
		}, cobra.Command{
			Use:   "holes",
			Short: "List the recorded holes: seqs without a record, and why",
		})
}

// booksTable completes a command that prints rows of the books of the county in dir
// as a table, or says that there are none.
func booksTable(dir *string, none string, head []string,
	read func(context.Context, *books.Books) ([][]string, error), c cobra.Command,
) *cobra.Command {
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
		if len(rows) == 0 {
			_, err := fmt.Fprintln(c.OutOrStdout(), none)
			return err
		}
		return term.New(c.OutOrStdout()).Table(head, rows)
	}
	return &c
}
