package cli

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/progress"
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
	c.PersistentFlags().StringVar(&dir, "dir", gateFolder+"/journal", "dir of the agent's configuration")
	c.AddCommand(journalInspect(&dir), journalVerify(&dir), journalExport(&dir),
		serviceRuns(journalTrust(&dir), "dir"))
	return c
}

// journalState is what a journal holds, for tools.
type journalState struct {
	Journal      string        `json:"journal"`
	First        uint64        `json:"first"` // seq of the oldest record on disk
	Last         uint64        `json:"last"`
	Acknowledged uint64        `json:"acknowledged"` // as last saved
	Waiting      uint64        `json:"waiting"`
	Store        string        `json:"store,omitempty"` // whose acknowledgements it trusts; absent: none yet
	Term         uint64        `json:"term"`
	Problems     []string      `json:"problems"`
	Segments     []segmentView `json:"segments"`
}

type segmentView struct {
	File  string `json:"file"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	Bytes int64  `json:"bytes"`
	State string `json:"state"`
}

func journalInspect(dir *string) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "inspect",
		Short: "Print what the journal holds, by segment, and how far it is acknowledged",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			v, err := journal.Look(*dir)
			if err != nil {
				return err
			}
			defer v.Close()
			s := journalState{Journal: v.JID, First: v.First, Last: v.Last, Acknowledged: v.State.Through,
				Store: v.State.Store, Term: v.State.Term, Problems: append([]string{}, v.Problems...),
				Segments: []segmentView{}}
			if v.Last > v.State.Through {
				s.Waiting = v.Last - v.State.Through
			}
			for _, x := range v.Segments() {
				s.Segments = append(s.Segments, segmentView(x))
			}
			if out.is(asJSON) {
				return document(c.OutOrStdout(), s)
			}
			return s.print(c.OutOrStdout())
		},
	}
	out.add(c)
	return c
}

func (s journalState) print(out io.Writer) error {
	_, err := fmt.Fprintf(out, "journal       %s\n"+
		"on disk       %d to %d\n"+
		"acknowledged  %d (as last saved)\n"+
		"waiting       %d\n"+
		"store         %s, term %d\n",
		s.Journal, s.First, s.Last, s.Acknowledged, s.Waiting, cmp.Or(s.Store, "none yet"), s.Term)
	if err != nil {
		return err
	}
	for _, text := range s.Problems {
		fmt.Fprintln(out, "problem      ", text)
	}
	var rows [][]string
	for _, seg := range s.Segments {
		rows = append(rows, []string{seg.File, strconv.FormatUint(seg.First, 10),
			strconv.FormatUint(seg.Last, 10), strconv.FormatInt(seg.Bytes, 10), seg.State})
	}
	return term.New(out).Table([]string{"SEGMENT", "FROM", "TO", "BYTES", "STATE"}, rows)
}

func journalExport(dir *string) *cobra.Command {
	var from, to uint64
	var kind, file string
	c := &cobra.Command{
		Use:   "export",
		Short: "Print records and holes, one JSON object per line",
		Long: `export reads a journal without changing it: to look at records, or to save those
of a gate computer that will not be online again. Damaged records are printed as
holes.`,
		Example: "  gatehouse journal export --from 100 --kind passage | jq .\n" +
			"  gatehouse journal export --file gate-017.jsonl",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			v, err := journal.Look(*dir)
			if err != nil {
				return err
			}
			defer v.Close()
			out := c.OutOrStdout()
			if file != "-" {
				f, err2 := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
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
			next := max(from, v.First, 1)
			bar := barBeside(c, out, "export", int64(last)-int64(next)+1, progress.Records)
			defer bar.End()
			return exportJournal(out, v, next, last, kind, bar.Add)
		},
	}
	c.Flags().Uint64Var(&from, "from", 0, "first seq (default: the oldest on disk)")
	c.Flags().Uint64Var(&to, "to", 0, "last seq (default: the newest on disk)")
	c.Flags().StringVar(&kind, "kind", "",
		"only records of this kind: reading, passage, alarm, health, clock, audit, track, run")
	fileFlag(c, &file)
	c.Flags().Lookup("file").Usage = "new file to write; -: standard output"
	return c
}

// exportJournal prints the records and holes of seqs next to last. It calls progress with how
// many more seqs it has been through.
func exportJournal(out io.Writer, v *journal.View, next, last uint64, kind string, progress func(int64)) error {
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
		progress(int64(chunk.To - next + 1))
		next = chunk.To + 1
	}
	return w.Flush()
}

// damageView is a damaged place of a journal, for tools.
type damageView struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Bytes  int64  `json:"bytes"` // 0: they are missing
	From   uint64 `json:"from"`  // seqs that were lost
	To     uint64 `json:"to"`
}

func journalVerify(dir *string) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "verify",
		Short: "Read every segment and report what is damaged",
		Long: `verify reads every segment and reports what is damaged.

Exit codes: 0 nothing is damaged, 1 something is, or it can't be read, 2 wrong usage.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			v, err := journal.Look(*dir)
			if err != nil {
				return err
			}
			defer v.Close()
			total := int64(0)
			for _, seg := range v.Segments() {
				total += seg.Bytes
			}
			bar := out.bar(c, "verify", total, progress.Bytes)
			damaged, err := v.Verify(bar.Add)
			bar.End()
			if err != nil {
				return err
			}
			if out.is(asJSON) {
				all := []damageView{}
				for _, d := range damaged {
					all = append(all, damageView(d))
				}
				err = document(c.OutOrStdout(), struct {
					First   uint64       `json:"first"`
					Last    uint64       `json:"last"`
					Damaged []damageView `json:"damaged"`
				}{v.First, v.Last, all})
			} else {
				err = printDamage(c.OutOrStdout(), v, damaged)
			}
			if err == nil && len(damaged) > 0 {
				err = fmt.Errorf("%d damaged places; the agent skips them and reports holes", len(damaged))
			}
			return err
		},
	}
	out.add(c)
	return c
}

func printDamage(out io.Writer, v *journal.View, damaged []journal.Damage) error {
	for _, d := range damaged {
		if _, err := fmt.Fprintln(out, d); err != nil {
			return err
		}
	}
	if len(damaged) > 0 {
		return nil
	}
	_, err := fmt.Fprintf(out, "no damage: records %d to %d\n", v.First, v.Last)
	return err
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
