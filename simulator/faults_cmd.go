package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"gatehouse/simulator/prove"
)

// listFaults prints the fault matrix.
func listFaults(out io.Writer) error {
	for _, f := range prove.Faults() {
		if _, err := fmt.Fprintf(out, "%2d  %-22s %s\n%28s%s\n", f.Row, f.Name, f.What, "-> ", f.Expect); err != nil {
			return err
		}
	}
	return nil
}

// faultReport is what a matrix ends with, for tools.
type faultReport struct {
	Seed       uint64          `json:"seed"`
	Rounds     int             `json:"rounds"`
	Parsed     int             `json:"parsed"`
	Stored     int             `json:"stored"`
	Lost       int             `json:"lost"`
	Duplicated int             `json:"duplicated"`
	Survived   int             `json:"survived"`
	Failed     int             `json:"failed"`
	Rows       []prove.Outcome `json:"rows"`
}

// proveFaults lets faults strike and reports.
func proveFaults(c *cobra.Command, m prove.Matrix, asJSON, keep bool) error {
	if m.Seed == 0 {
		m.Seed = rand.Uint64N(1e6) * 1000
	}
	dir, err := os.MkdirTemp("", "gatehouse-prove-")
	if err != nil {
		return err
	}
	m.Dir = filepath.Join(dir, "faults")
	r := faultReport{Seed: m.Seed, Rounds: m.Rounds}
	words := c.OutOrStdout()
	if asJSON {
		words = c.ErrOrStderr()
	}
	err = m.Run(c.Context(), func(o prove.Outcome) {
		r.Rows = append(r.Rows, o)
		r.Parsed, r.Stored, r.Lost, r.Duplicated = r.Parsed+o.Parsed, r.Stored+o.Stored, r.Lost+o.Lost, r.Duplicated+o.Duplicated
		if o.Failed {
			r.Failed++
		} else {
			r.Survived++
		}
		fmt.Fprintln(words, o.Line())
	})
	if r.Failed == 0 && !keep {
		os.RemoveAll(dir)
	}
	if err != nil {
		return err
	}
	if asJSON {
		if err := json.NewEncoder(c.OutOrStdout()).Encode(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(words, "seed %d: %d faults survived, %d failed\n", r.Seed, r.Survived, r.Failed)
	}
	if r.Failed > 0 {
		return errFound
	}
	return nil
}
