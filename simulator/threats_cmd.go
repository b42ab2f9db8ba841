package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/gateway/cli"
	"gatehouse/simulator/threats"
)

// threatFlags are the flags of threats.
type threatFlags struct {
	cfg    threats.Config
	output cli.Output
	list   bool
	keep   bool
	bite   bool
	source string
}

func threatsCommand() *cobra.Command {
	var f threatFlags
	c := &cobra.Command{
		Use:   "threats",
		Short: "Play those who want to do the county harm against the real programs",
		Long: `threats starts counties of the real programs on simulated hardware: one with its
own broker over TLS, and two whose broker is in somebody else's hands. It plays each
row of the table of threats (gateway/THREATS.md) against them, and prints a line for
each, with what was measured. It exits with 1 when a control does not hold.

With --bite it takes one control after the other out of the product, by a build of the
source with that edit (the files stay as they are), and exits with 1 unless the rows of
that control fail, and no other of those that are played.`,
		Example: "  simulator threats\n  simulator threats --row id-theft-agent,T12\n  simulator threats --list",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	c.Flags().StringVar(&f.cfg.Gatehouse, "gatehouse", gatehouseProgram(os.Args[0]), "the gatehouse program")
	c.Flags().StringSliceVar(&f.cfg.Names, "row", nil, "play these rows only, by name or number: NAME[,NAME...]")
	c.Flags().BoolVar(&f.list, "list", false, "list the threats, with what stands against each")
	f.output.Add(c, "table", cli.JSON, cli.JSONL)
	c.Flags().BoolVar(&f.bite, "bite", false, "take controls out of the product, one at a time: do their rows fail?")
	c.Flags().StringVar(&f.source, "source", ".", "with --bite: the folder of the source")
	c.Flags().BoolVar(&f.keep, "keep", false, "keep all files and logs")
	return c
}

func (f *threatFlags) run(c *cobra.Command) error {
	out := c.OutOrStdout()
	if f.list {
		return listThreats(out)
	}
	if f.bite {
		return f.bites(c)
	}
	if _, err := os.Stat(f.cfg.Gatehouse); err != nil {
		return fmt.Errorf("the gatehouse program (run make build first): %w", err)
	}
	dir, err := os.MkdirTemp("", "gatehouse-threats-")
	if err != nil {
		return err
	}
	f.cfg.Dir = filepath.Join(dir, "counties")
	held, failed := 0, 0
	outcomes := printer[threats.Outcome]{out: out, form: f.output.Form()}
	err = threats.Run(c.Context(), f.cfg, func(o threats.Outcome) {
		if o.Problem == "" {
			held++
		} else {
			failed++
		}
		outcomes.print(o, o.Line())
	})
	outcomes.end(fmt.Sprintf("%d threats held off, %d not", held, failed))
	if f.keep || failed > 0 || err != nil {
		fmt.Fprintln(c.ErrOrStderr(), "everything is kept in", f.cfg.Dir)
	} else {
		os.RemoveAll(dir)
	}
	if err == nil && failed > 0 {
		return errFound
	}
	return err
}

// bites takes controls out of the product.
func (f *threatFlags) bites(c *cobra.Command) error {
	dir, err := os.MkdirTemp("", "gatehouse-threats-bite-")
	if err != nil {
		return err
	}
	if !f.keep {
		defer os.RemoveAll(dir)
	}
	noticed, not := 0, 0
	losses := printer[threats.Bitten]{out: c.OutOrStdout(), form: f.output.Form()}
	err = threats.Bite(c.Context(), f.source, dir, f.cfg.Names, func(b threats.Bitten) {
		if b.Problem == "" {
			noticed++
		} else {
			not++
		}
		losses.print(b, b.Line())
	})
	losses.end(fmt.Sprintf("%d losses noticed by their rows only, %d not", noticed, not))
	if err == nil && not > 0 {
		return errFound
	}
	return err
}

// printer prints what comes one after the other: a line each as text or JSON, or at the end
// one document. Its errors are those of a reader that has gone.
type printer[T any] struct {
	out  io.Writer
	form string
	all  []T
}

func (p *printer[T]) print(v T, line string) {
	switch p.form {
	case cli.JSON:
		p.all = append(p.all, v)
	case cli.JSONL:
		_ = json.NewEncoder(p.out).Encode(v)
	default:
		fmt.Fprintln(p.out, line)
	}
}

// end prints the document, or for people the line sum.
func (p *printer[T]) end(sum string) {
	switch p.form {
	case cli.JSON:
		_ = json.NewEncoder(p.out).Encode(append([]T{}, p.all...)) // never null
	case cli.JSONL:
	default:
		fmt.Fprintln(p.out, sum)
	}
}

// listThreats prints the table of threats.
func listThreats(out io.Writer) error {
	for _, r := range threats.Rows() {
		if _, err := fmt.Fprintf(out, "%s  %-22s %s\n%s-> %s\n", r.ID, r.Name, r.Title, strings.Repeat(" ", 29),
			r.Control); err != nil {
			return err
		}
	}
	return nil
}
