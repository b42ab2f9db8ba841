package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/simulator/threats"
)

// threatFlags are the flags of threats.
type threatFlags struct {
	cfg          threats.Config
	list, asJSON bool
	keep         bool
	bite         bool
	source       string
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
	c.Flags().BoolVar(&f.asJSON, "json", false, "print each outcome as a line of JSON")
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
	err = threats.Run(c.Context(), f.cfg, func(o threats.Outcome) {
		if o.Problem == "" {
			held++
		} else {
			failed++
		}
		if f.asJSON {
			_ = json.NewEncoder(out).Encode(o) // who reads it may have gone
			return
		}
		fmt.Fprintln(out, o.Line())
	})
	if !f.asJSON {
		fmt.Fprintf(out, "%d threats held off, %d not\n", held, failed)
	}
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
	err = threats.Bite(c.Context(), f.source, dir, f.cfg.Names, func(b threats.Bitten) {
		if b.Problem == "" {
			noticed++
		} else {
			not++
		}
		if f.asJSON {
			_ = json.NewEncoder(c.OutOrStdout()).Encode(b) // who reads it may have gone
			return
		}
		fmt.Fprintln(c.OutOrStdout(), b.Line())
	})
	if !f.asJSON {
		fmt.Fprintf(c.OutOrStdout(), "%d losses noticed by their rows only, %d not\n", noticed, not)
	}
	if err == nil && not > 0 {
		return errFound
	}
	return err
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
