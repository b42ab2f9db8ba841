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

	"gatehouse/gateway/cli"
	"gatehouse/simulator/prove"
)

// proveFlags are the flags of prove.
type proveFlags struct {
	cfg        prove.Config
	matrix     prove.Matrix
	kill       string
	faultNames string
	soak       time.Duration
	soakReport string
	list       bool
	output     cli.Output
	asJSON     bool // the former --json
	keep       bool
}

func proveCommand() *cobra.Command {
	var f proveFlags
	c := &cobra.Command{
		Use:   "prove",
		Short: "Kill everything at random, then reconcile what was parsed with what is stored",
		Long: `prove starts the real programs as processes of their own, on simulated hardware,
kills them with SIGKILL at random, waits until everything is delivered, and
compares every reading that an agent completed with the store. It exits with 1
when one is lost or stored twice. With --machines it also compares each stored
disinfection run with what the machine really did, and fails when one is missed,
split, merged, invented or graded wrongly, when its litres are off by more than
2 percent, its distance by more than 5 percent, or its begin or end by more than
2 s. Some of the machines misbehave: counters step back and flicker, reports come
late and twice, clocks are wrong, a machine dies and leaves a retained report, a
relay speaks only at its changes.

With --fault it injects the faults of a matrix instead, each into a small county
of its own, and prints a line for each. Some mount file systems or use control
groups, and need root.`,
		Example: "  simulator prove --gates 20 --for 60s --kill agent,collector,broker -o json\n" +
			"  simulator prove --list\n  simulator prove --fault broker-frozen,bit-rot --rounds 3\n" +
			"  simulator prove --fault one-bad-agent --for 5m",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.add(c)
	return c
}

func (f *proveFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.cfg.Gatehouse, "gatehouse", gatehouseProgram(os.Args[0]), "the gatehouse program")
	flags.IntVar(&f.cfg.Gates, "gates", 20, "how many gates")
	flags.DurationVar(&f.cfg.For, "for", time.Minute, "how long people come and programs are killed; "+
		"with --fault, how long one-bad-agent goes on (20s unless given)")
	flags.Uint64Var(&f.cfg.Seed, "seed", 1, "of people and kills; with --fault at random unless given")
	flags.StringVar(&f.cfg.Store, "store", "sqlite", "sqlite, influx (1.8) or influx2")
	flags.StringVar(&f.cfg.Broker, "broker", "embedded", "embedded or mosquitto")
	flags.StringVar(&f.kill, "kill", "", "what to kill, of agent,collector,broker")
	flags.BoolVar(&f.cfg.Machines, "machines", false,
		"simulate drones and fogging machines, too, and compare their runs with what they really did")
	flags.BoolVar(&f.list, "list", false, "list the faults of --fault, with what is expected")
	flags.StringVar(&f.faultNames, "fault", "",
		"inject these faults instead, by name or number: NAME[,NAME...] or all")
	flags.IntVar(&f.matrix.Rounds, "rounds", 1, "of --fault, each with another seed")
	flags.IntVar(&f.matrix.Jobs, "jobs", 4, "faults at the same time, each in a county of its own")
	flags.BoolVar(&f.matrix.Long, "long", false, "with --fault: wait four times as long everywhere")
	flags.BoolVar(&f.matrix.Quick, "quick", false, "with --fault: leave out rows that take longer than half a minute")
	flags.StringVar(&f.matrix.Earlier, "earlier", "",
		"with --fault: the program of an earlier version (default gatehouse-earlier beside --gatehouse)")
	flags.DurationVar(&f.soak, "soak", 0, "mix faults at random for so long instead, round after round")
	flags.StringVar(&f.soakReport, "report", "soak.jsonl", "of --soak: append a line of JSON per round to this file")
	f.output.Add(c)
	flags.BoolVar(&f.asJSON, "json", false, "the same as -o json")
	_ = flags.MarkHidden("json") // the flag exists
	flags.BoolVar(&f.keep, "keep", false, "keep journals, store and logs")
}

func (f *proveFlags) run(c *cobra.Command) error {
	if f.list {
		return listFaults(c.OutOrStdout())
	}
	if _, err := os.Stat(f.cfg.Gatehouse); err != nil {
		return fmt.Errorf("the gatehouse program (run make build first): %w", err)
	}
	switch changed := c.Flags().Changed; {
	case f.faultNames != "":
		m := f.matrix
		m.Names, m.Gatehouse, m.Keep = strings.Split(f.faultNames, ","), f.cfg.Gatehouse, f.keep
		m.Earlier = cmp.Or(m.Earlier, filepath.Join(filepath.Dir(f.cfg.Gatehouse), "gatehouse-earlier"))
		if changed("seed") {
			m.Seed = f.cfg.Seed
		}
		if changed("for") {
			m.For = f.cfg.For
		}
		return proveFaults(c, m, f.json())
	case f.soak > 0:
		s := prove.Soak{Gatehouse: f.cfg.Gatehouse, For: f.soak}
		if changed("seed") {
			s.Seed = f.cfg.Seed
		}
		return proveSoak(c, s, f.soakReport)
	}
	return f.proveKills(c)
}

// json reports whether the result is printed as JSON.
func (f *proveFlags) json() bool { return f.asJSON || f.output.Form() == cli.JSON }

// proveKills runs the proof that kills programs at random.
func (f *proveFlags) proveKills(c *cobra.Command) error {
	if f.kill != "" {
		f.cfg.Kill = strings.Split(f.kill, ",")
	}
	if err := f.cfg.Check(); err != nil {
		return err
	}
	f.cfg.Progress = io.Writer(os.Stderr)
	dir, err := os.MkdirTemp("", "gatehouse-prove-")
	if err != nil {
		return err
	}
	f.cfg.Dir = filepath.Join(dir, "proof")
	result, problems, err := prove.Run(c.Context(), f.cfg)
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	failed := err != nil || result.Failed()
	if f.keep || failed {
		fmt.Fprintln(os.Stderr, "everything is kept in", f.cfg.Dir)
	} else {
		os.RemoveAll(dir)
	}
	if err != nil {
		return err
	}
	if err := report(c.OutOrStdout(), result, f.json()); err != nil {
		return err
	}
	if failed {
		return errFound
	}
	return nil
}

// report prints the result of a proof.
func report(out io.Writer, r prove.Result, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	if m := r.Runs; m != nil {
		fmt.Fprintf(out, `runs         %d true, %d stored; %d missed, %d split, %d merged, %d invented, %d misgraded
off          %d by litres (the worst %.2f %%), %d by distance (%.2f %%), %d by time (%.2f s)
litres       %.2f true, %.2f stored
`, m.True, m.Stored, m.Missed, m.Split, m.Merged, m.Invented, m.Misgraded,
			m.Litres, m.WorstL, m.Distance, m.WorstM, m.Times, m.WorstS, m.TrueL, m.StoredL)
	}
	_, err := fmt.Fprintf(out, `gates        %d (seed %d), %d kills
parsed       %d readings
stored       %d, in quarantine %d, in holes %d
lost         %d
duplicated   %d
verdict      %.3f ms (half), %.3f ms (99 of 100) after the last byte
commit       %.0f ms (half), %.0f ms (99 of 100) after the append, outages included
`,
		r.Gates, r.Seed, r.Kills,
		r.Parsed,
		r.Stored, r.Quarantined, r.Holes,
		r.Lost,
		r.Duplicated,
		r.Verdict.P50, r.Verdict.P99,
		r.Commit.P50, r.Commit.P99)
	return err
}
