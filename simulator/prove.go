package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/simulator/prove"
)

func proveCommand() *cobra.Command {
	var cfg prove.Config
	var kill string
	var asJSON, keep, list bool
	var matrix prove.Matrix
	var faultNames, soakReport string
	var soak time.Duration
	c := &cobra.Command{
		Use:   "prove",
		Short: "Kill everything at random, then reconcile what was parsed with what is stored",
		Long: `prove starts the real programs as processes of their own, drives them in bytes,
kills them with SIGKILL at random, lets all come to rest, and holds every
reading that an agent completed against the store. It exits with 1 when one is
lost or stored twice. With --machines it also holds the stored disinfection runs
against what the machines truly did, and fails when one is missed, split, merged,
invented or graded wrongly, or when litres are off by more than 2 percent.

With --fault it lets the faults of a matrix strike instead, one small county a
fault, and prints a line for each. Some mount file systems or use control
groups, and need root.`,
		Example: "  simulator prove --gates 20 --for 60s --kill agent,collector,broker --json\n" +
			"  simulator prove --list\n  simulator prove --fault broker-frozen,bit-rot --rounds 3\n" +
			"  simulator prove --fault one-bad-agent --for 5m",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if list {
				return listFaults(c.OutOrStdout())
			}
			if _, err := os.Stat(cfg.Gatehouse); err != nil {
				return fmt.Errorf("the gatehouse program (run make build first): %w", err)
			}
			if faultNames != "" {
				matrix.Names, matrix.Gatehouse = strings.Split(faultNames, ","), cfg.Gatehouse
				matrix.Earlier = cmp.Or(matrix.Earlier, filepath.Join(filepath.Dir(cfg.Gatehouse), "gatehouse-earlier"))
				matrix.Keep = keep
				if c.Flags().Changed("seed") {
					matrix.Seed = cfg.Seed
				}
				if c.Flags().Changed("for") {
					matrix.For = cfg.For
				}
				return proveFaults(c, matrix, asJSON)
			}
			if soak > 0 {
				s := prove.Soak{Gatehouse: cfg.Gatehouse, For: soak}
				if c.Flags().Changed("seed") {
					s.Seed = cfg.Seed
				}
				return proveSoak(c, s, soakReport)
			}
			if kill != "" {
				cfg.Kill = strings.Split(kill, ",")
			}
			if err := cfg.Check(); err != nil {
				return err
			}
			cfg.Progress = io.Writer(os.Stderr)
			dir, err := os.MkdirTemp("", "gatehouse-prove-")
			if err != nil {
				return err
			}
			cfg.Dir = filepath.Join(dir, "proof")
			result, problems, err := prove.Run(c.Context(), cfg)
			for _, p := range problems {
				fmt.Fprintln(os.Stderr, p)
			}
			failed := err != nil || result.Failed()
			if keep || failed {
				fmt.Fprintln(os.Stderr, "everything is kept in", cfg.Dir)
			} else {
				os.RemoveAll(dir)
			}
			if err != nil {
				return err
			}
			if err := report(c.OutOrStdout(), result, asJSON); err != nil {
				return err
			}
			if failed {
				return errFound
			}
			return nil
		},
	}
	c.Flags().StringVar(&cfg.Gatehouse, "gatehouse", "bin/gatehouse", "the gatehouse program")
	c.Flags().IntVar(&cfg.Gates, "gates", 20, "how many gates")
	c.Flags().DurationVar(&cfg.For, "for", time.Minute,
		"how long people come and programs are killed; with --fault, how long one-bad-agent goes on (20s unless given)")
	c.Flags().Uint64Var(&cfg.Seed, "seed", 1, "of people and kills; with --fault at random unless given")
	c.Flags().StringVar(&cfg.Store, "store", "sqlite", "sqlite or influx")
	c.Flags().StringVar(&cfg.Broker, "broker", "embedded", "embedded or mosquitto")
	c.Flags().StringVar(&kill, "kill", "", "what to kill, of agent,collector,broker")
	c.Flags().BoolVar(&cfg.Machines, "machines", false,
		"let drones and fogging machines work, too, and hold their runs against the truth")
	c.Flags().BoolVar(&list, "list", false, "list the faults of --fault, with what is expected")
	c.Flags().StringVar(&faultNames, "fault", "",
		"let these faults strike instead, by name or number: NAME[,NAME...] or all")
	c.Flags().IntVar(&matrix.Rounds, "rounds", 1, "of --fault, each with another seed")
	c.Flags().IntVar(&matrix.Jobs, "jobs", 4, "faults at the same time, each on a county of its own")
	c.Flags().BoolVar(&matrix.Long, "long", false, "with --fault: wait four times as long everywhere")
	c.Flags().BoolVar(&matrix.Quick, "quick", false, "with --fault: leave out rows that take longer than half a minute")
	c.Flags().StringVar(&matrix.Earlier, "earlier", "",
		"with --fault: the program of an earlier version (default gatehouse-earlier beside --gatehouse)")
	c.Flags().DurationVar(&soak, "soak", 0, "mix faults at random for so long instead, round after round")
	c.Flags().StringVar(&soakReport, "report", "soak.jsonl", "of --soak: a JSON line a round is appended to this file")
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as one line of JSON")
	c.Flags().BoolVar(&keep, "keep", false, "keep journals, store and logs")
	return c
}

func report(out io.Writer, r prove.Result, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	if m := r.Runs; m != nil {
		fmt.Fprintf(out, `runs         %d true, %d stored; %d missed, %d split, %d merged, %d invented, %d misgraded
litres       %.2f true, %.2f stored: %.2f %% off (the worst run %.2f %%)
`, m.True, m.Stored, m.Missed, m.Split, m.Merged, m.Invented, m.Misgraded, m.TrueL, m.StoredL, m.Litres, m.Worst)
	}
	_, err := fmt.Fprintf(out, `gates        %d (seed %d), %d kills
parsed       %d readings
stored       %d, in quarantine %d, in holes %d
lost         %d
duplicated   %d
verdict      %.3f ms (half), %.3f ms (99 of 100) after the last byte
commit       %.0f ms (half), %.0f ms (99 of 100) after the append, outages included
`, r.Gates, r.Seed, r.Kills, r.Parsed, r.Stored, r.Quarantined, r.Holes, r.Lost, r.Duplicated, r.Verdict.P50,
		r.Verdict.P99, r.Commit.P50, r.Commit.P99)
	return err
}
