package main

import (
	"cmp"
	"encoding/json"
	"errors"
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

// faultReport is the result of a fault matrix, for -o json.
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

// randomSeed returns a seed with room for the rounds' seeds above it.
func randomSeed() uint64 { return rand.Uint64N(1e6) * 1000 }

// proveSoak runs a soak and appends each round to the file report.
func proveSoak(c *cobra.Command, s prove.Soak, report string) (err error) {
	s.Seed = cmp.Or(s.Seed, randomSeed())
	dir, err := os.MkdirTemp("", "gatehouse-prove-")
	if err != nil {
		return err
	}
	s.Dir = filepath.Join(dir, "soak")
	f, err := os.OpenFile(report, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the soak's report: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rounds, failed := 0, 0
	err = s.Run(c.Context(), func(o prove.Outcome) {
		rounds++
		if o.Failed {
			failed++
		}
		fmt.Fprintln(c.OutOrStdout(), o.Line())
		if err := json.NewEncoder(f).Encode(o); err != nil {
			fmt.Fprintln(c.ErrOrStderr(), "write the report:", err)
		}
	})
	if failed == 0 {
		os.RemoveAll(dir)
	}
	fmt.Fprintf(c.OutOrStdout(), "seed %d: %d rounds survived, %d failed; the report is %s\n",
		s.Seed, rounds-failed, failed, report)
	if err == nil && failed > 0 {
		return errFound
	}
	return err
}

// proveFaults runs a fault matrix and prints its results.
func proveFaults(c *cobra.Command, m prove.Matrix, asJSON bool) error {
	m.Seed = cmp.Or(m.Seed, randomSeed())
	dir, err := os.MkdirTemp("", "gatehouse-prove-")
	if err != nil {
		return err
	}
	m.Dir = filepath.Join(dir, "faults")
	r := faultReport{Seed: m.Seed, Rounds: m.Rounds}
	text := c.OutOrStdout()
	if asJSON {
		text = c.ErrOrStderr()
	}
	err = m.Run(c.Context(), func(o prove.Outcome) {
		r.Rows = append(r.Rows, o)
		r.Parsed += o.Parsed
		r.Stored += o.Stored
		r.Lost += o.Lost
		r.Duplicated += o.Duplicated
		if o.Failed {
			r.Failed++
		} else {
			r.Survived++
		}
		fmt.Fprintln(text, o.Line())
	})
	if r.Failed == 0 && !m.Keep {
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
		fmt.Fprintf(text, "seed %d: %d faults survived, %d failed\n", r.Seed, r.Survived, r.Failed)
	}
	if r.Failed > 0 {
		return errFound
	}
	return nil
}
