package cli

import (
	"encoding/json"
	"fmt"
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
		Short: "Look into an agent's journal, verify it, trust another store",
		Long: `journal works on the folder that the agent's configuration calls dir. Looking
and verifying are safe while the agent runs; trust needs it stopped.`,
	}
	c.PersistentFlags().StringVar(&dir, "dir", "/var/lib/gatehouse", "the agent's folder")
	c.AddCommand(journalStatus(&dir), journalShow(&dir), journalVerify(&dir), journalTrust(&dir))
	return c
}

func journalStatus(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say what the journal holds and how far it is acknowledged",
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
			_, err = fmt.Fprintf(c.OutOrStdout(), "journal       %s\non disk       %d to %d\nacknowledged  %d (as last noted)\nwaiting       %d\nstore         %s, term %d\n",
				v.JID, v.First, v.Last, v.State.Through, waiting, store, v.State.Term)
			return err
		},
	}
}

func journalShow(dir *string) *cobra.Command {
	var from, to uint64
	var kind string
	c := &cobra.Command{
		Use:     "show",
		Short:   "Print records, one JSON object a line, and holes",
		Example: "  gatehouse journal show --from 100 --kind passage | jq .",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			v, err := journal.Look(*dir)
			if err != nil {
				return err
			}
			defer v.Close()
			last := v.Last
			if to != 0 {
				last = min(last, to)
			}
			for next := max(from, v.First, 1); next <= last; {
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
					fmt.Fprintln(c.OutOrStdout(), string(b))
				}
				for _, e := range chunk.Entries {
					if e.Record.Seq <= last && (kind == "" || kind == string(e.Record.Kind)) {
						fmt.Fprintln(c.OutOrStdout(), string(e.Raw))
					}
				}
				if chunk.To < next {
					break
				}
				next = chunk.To + 1
			}
			return nil
		},
	}
	c.Flags().Uint64Var(&from, "from", 0, "first seq (default: the oldest on disk)")
	c.Flags().Uint64Var(&to, "to", 0, "last seq (default: the newest on disk)")
	c.Flags().StringVar(&kind, "kind", "", "only this kind: reading, passage, alarm, health, clock")
	return c
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
				return fmt.Errorf("%d damaged places; the agent steps over them and reports holes", len(damaged))
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "sound: records %d to %d\n", v.First, v.Last)
			return err
		},
	}
}

func journalTrust(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "trust STORE",
		Short: "Believe the acknowledgements of another store from now on",
		Long: `trust pins the store with the given id, after the county's store was replaced on
purpose. What the journal still holds is sent to it. Stop the agent first.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := journal.Trust(*dir, args[0], 0); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "the journal in %s trusts store %s; start the agent\n", *dir, args[0])
			return err
		},
	}
}

// quarantineTime is how lists show an instant.
func quarantineTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// shorten keeps the first n characters of text from outside, fit for a terminal.
func shorten(s string, n int) string {
	r := []rune(term.Clean(s))
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}
