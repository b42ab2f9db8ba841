package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/term"
	"gatehouse/gateway/wire"
)

func journalCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "journal",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "Inspect, verify or export an agent's journal, or make it trust another store",
		Long: `journal works on the folder that is dir in the agent's configuration. inspect,
verify and export are safe while the agent runs; for trust it must be stopped.`,
	}
	c.PersistentFlags().StringVar(&dir, "dir", "/var/lib/gatehouse", "the agent's folder")
	c.AddCommand(journalInspect(&dir), journalVerify(&dir), journalExport(&dir), journalTrust(&dir))
	return c
}

func journalInspect(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect",
		Short: "Print what the journal holds, by segment, and how far it is acknowledged",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			v, err := journal.Look(*dir)
			if err != nil {
				return err
			}
			defer v.Close()
			store := v.State.Store
			if store == "" {
				store = "none yet"
			}
			waiting := uint64(0)
			if v.Last > v.State.Through {
				waiting = v.Last - v.State.Through
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "journal       %s\n"+
				"on disk       %d to %d\n"+
				"acknowledged  %d (as last saved)\n"+
				"waiting       %d\n"+
				"store         %s, term %d\n",
				v.JID, v.First, v.Last, v.State.Through, waiting, store, v.State.Term)
			if err != nil {
				return err
			}
			for _, text := range v.Problems {
				fmt.Fprintln(c.OutOrStdout(), "problem      ", text)
			}
			var rows [][]string
			for _, seg := range v.Segments() {
				rows = append(rows, []string{seg.File, strconv.FormatUint(seg.First, 10),
					strconv.FormatUint(seg.Last, 10), strconv.FormatInt(seg.Bytes, 10), seg.State})
			}
			return term.New(c.OutOrStdout()).Table([]string{"SEGMENT", "FROM", "TO", "BYTES", "STATE"}, rows)
		},
	}
}

func journalExport(dir *string) *cobra.Command {
	var from, to uint64
	var kind, output string
	c := &cobra.Command{
		Use:   "export",
		Short: "Print records and holes, one JSON object per line",
		Long: `export reads a journal without changing it: to look at records, or to save those
of a gate computer that will not be online again. Damaged records are printed as
holes.`,
		Example: "  gatehouse journal export --from 100 --kind passage | jq .\n" +
			"  gatehouse journal export --output gate-017.jsonl",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			v, err := journal.Look(*dir)
			if err != nil {
				return err
			}
			defer v.Close()
			out := c.OutOrStdout()
			if output != "" {
				f, err2 := os.OpenFile(output, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
				if err2 != nil {
					return fmt.Errorf("export the journal: %w", err2)
				}
				defer func() { err = errors.Join(err, f.Close()) }()
				out = f
			}
			last := v.Last
			if to != 0 {
				last = min(last, to)
			}
			return exportJournal(out, v, max(from, v.First, 1), last, kind)
		},
	}
	c.Flags().Uint64Var(&from, "from", 0, "first seq (default: the oldest on disk)")
	c.Flags().Uint64Var(&to, "to", 0, "last seq (default: the newest on disk)")
	c.Flags().StringVar(&kind, "kind", "",
		"only records of this kind: reading, passage, alarm, health, clock, audit, track, run")
	c.Flags().StringVar(&output, "output", "", "write to this new file instead of standard output")
	return c
}

// exportJournal prints the records and holes of seqs next to last.
func exportJournal(out io.Writer, v *journal.View, next, last uint64, kind string) error {
	w := bufio.NewWriter(out)
	for next <= last {
		chunk, err := v.Read(next, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil {
			return err
		}
		for _, h := range chunk.Holes {
			b, err := json.Marshal(struct {
				Hole wire.Hole `json:"hole"`
			}{h})
			if err != nil {
				return err
			}
			fmt.Fprintln(w, string(b))
		}
		for _, e := range chunk.Entries {
			if e.Record.Seq <= last && (kind == "" || kind == string(e.Record.Kind)) {
				fmt.Fprintln(w, string(e.Raw))
			}
		}
		if chunk.To < next {
			break
		}
		next = chunk.To + 1
	}
	return w.Flush()
}

func journalVerify(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Read every segment and report what is damaged",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			v, err := journal.Look(*dir)
			if err != nil {
				return err
			}
			defer v.Close()
			damaged, err := v.Verify()
			if err != nil {
				return err
			}
			for _, d := range damaged {
				fmt.Fprintln(c.OutOrStdout(), d)
			}
			if len(damaged) > 0 {
				return fmt.Errorf("%d damaged places; the agent skips them and reports holes", len(damaged))
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "no damage: records %d to %d\n", v.First, v.Last)
			return err
		},
	}
}

func journalTrust(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "trust STORE",
		Short: "Accept the acknowledgements of another store from now on",
		Long: `trust makes the journal trust the store with the given id, after the county's store
was replaced on purpose. The agent sends it all records that the journal still
holds. Stop the agent first.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := journal.Trust(*dir, args[0], 0); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "the journal in %s trusts store %s; start the agent\n",
				*dir, args[0])
			return err
		},
	}
}

// quarantineTime formats a time for lists.
func quarantineTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// shorten returns text from outside in at most n characters, safe for a terminal.
func shorten(s string, n int) string {
	r := []rune(term.Clean(s))
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}
