// Package threats plays those who want to do the county harm: each row of the table of
// threats against the real programs, and says what was measured.
package threats

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Row is a threat that is played against a running county.
type Row struct {
	ID      string // T07
	Name    string // for --row
	Title   string // what somebody tries
	Control string // what stands against it

	where setting // default: own
	alone bool    // it ends programs or shuts a gate out: after the others of its county
	try   func(ctx context.Context, c *county) (measured string, err error)
}

// setting is a county that rows share.
type setting int

const (
	// own is a county with its own broker over TLS, certificates and passwords, and a desk
	// over TLS.
	own setting = iota // of rows that name none
	// foreign is a county whose broker is in the hands of somebody else: whoever connects may
	// publish and read everything. Its collector demands signatures.
	foreign
	// ending is like foreign, and its pseudonyms are of epochs. Its rows end its service.
	ending
	settings
)

// Rows returns the table of threats, by ID.
func Rows() []Row {
	all := slices.Concat(certificates(), names(), doors(), sites(), logins(), roles(), audits(), secrets(), codes(),
		forgeries(), floods(), commands(), ruleSets(),
		retirements(), consents(), restores(), pagesDrawn(), leaks(), setUps())
	slices.SortFunc(all, func(a, b Row) int { return compare(a.ID, b.ID) })
	return all
}

// compare orders T9 before T10.
func compare(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	if a < b {
		return -1
	}
	return 1
}

// Config are the options of a run.
type Config struct {
	Gatehouse string   // path of the program
	Names     []string // of rows, or their IDs; empty: all
	Dir       string   // for all files; must be empty or missing
}

// Outcome is what became of a row.
type Outcome struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Title    string  `json:"title"`
	Measured string  `json:"measured,omitempty"`
	Problem  string  `json:"problem,omitempty"` // empty: the control holds
	Seconds  float64 `json:"seconds"`
}

// Line formats an outcome for people.
func (o Outcome) Line() string {
	state, said := "ok    ", o.Measured
	if o.Problem != "" {
		state, said = "FAILED", o.Problem
	}
	return fmt.Sprintf("%s  %-3s  %-22s %s: %s", state, o.ID, o.Name, o.Title, said)
}

// Choose returns the rows of the given names or IDs; all of them if there are none.
func Choose(names []string) ([]Row, error) {
	all := Rows()
	if len(names) == 0 {
		return all, nil
	}
	var out []Row
	for _, name := range names {
		i := slices.IndexFunc(all, func(r Row) bool { return r.Name == name || r.ID == name })
		if i < 0 {
			return nil, fmt.Errorf("--row %q: see simulator threats --list", name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// rowFor is how long one row may take.
const rowFor = 90 * time.Second

// Run plays the rows, those of each county one after the other, and calls report with each
// outcome, one call at a time.
func Run(ctx context.Context, cfg Config, report func(Outcome)) error {
	chosen, err := Choose(cfg.Names)
	if err != nil {
		return err
	}
	var reporting sync.Mutex
	var counties sync.WaitGroup
	failed := make([]error, settings)
	for where := range settings {
		rows := slices.DeleteFunc(slices.Clone(chosen), func(r Row) bool { return r.where != where })
		slices.SortStableFunc(rows, func(a, b Row) int { return last(a) - last(b) })
		if len(rows) == 0 {
			continue
		}
		counties.Go(func() {
			failed[where] = play(ctx, cfg, where, rows, func(o Outcome) {
				reporting.Lock()
				defer reporting.Unlock()
				report(o)
			})
		})
	}
	counties.Wait()
	return errors.Join(failed...)
}

func last(r Row) int {
	if r.alone {
		return 1
	}
	return 0
}

// play starts a county and plays rows against it.
func play(ctx context.Context, cfg Config, where setting, rows []Row, report func(Outcome)) error {
	c, err := newCounty(ctx, cfg.Gatehouse, filepath.Join(cfg.Dir, fmt.Sprint("county-", int(where))), where)
	if err != nil {
		return fmt.Errorf("start the county: %w", err)
	}
	defer c.close()
	for _, r := range rows {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		report(c.play(ctx, r))
	}
	return nil
}

// play plays one row.
func (c *county) play(ctx context.Context, r Row) Outcome {
	ctx, cancel := context.WithTimeout(ctx, rowFor)
	defer cancel()
	begin := time.Now()
	o := Outcome{ID: r.ID, Name: r.Name, Title: r.Title}
	measured, err := r.try(ctx, c)
	if err == nil {
		err = c.lives()
	}
	o.Measured, o.Seconds = measured, time.Since(begin).Seconds()
	if err != nil {
		o.Problem = err.Error()
	}
	return o
}
