package rules

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/gateway/policy"
	"gatehouse/gateway/site"
)

// The columns that say for which gates a line of the county's roster is: one of them may
// stand anywhere behind the others. A cell holds ids, with | between them, or everywhere.
const (
	byCompound = "compound"
	byGate     = "gate"
	everywhere = "*"
)

const mostFaults = 10 // of a roster that are listed

// roster is a roster's text by its lines, without the column of places.
type roster struct {
	sites  *site.County
	by     string // byCompound or byGate; empty: there is no such column
	header []string
	lines  []line
}

type line struct {
	no     int // in the text
	fields []string
	places []string // ids; everywhere, or none without a column of places
}

// splitRoster reads a roster. The error names lines and places, and repeats no other field.
func splitRoster(text []byte, sites *site.County) (roster, error) {
	all, err := policy.RosterLines(text)
	if err != nil {
		return roster{}, err
	}
	r := roster{sites: sites, header: all[0].Fields}
	at := slices.IndexFunc(r.header, func(name string) bool { return name == byCompound || name == byGate })
	if at >= 0 {
		r.by = r.header[at]
		r.header = slices.Delete(slices.Clone(r.header), at, at+1)
		if slices.Contains(r.header, byCompound) || slices.Contains(r.header, byGate) {
			return r, errors.New("line 1: give the column compound or gate, once")
		}
	}
	known := r.known()
	var errs []error
	for _, l := range all[1:] {
		x := line{no: l.Line, fields: l.Fields}
		if at >= 0 {
			cell := l.Fields[at]
			x.fields = slices.Delete(l.Fields, at, at+1)
			for id := range strings.SplitSeq(cell, "|") {
				id = strings.TrimSpace(id)
				if id != everywhere && !known[id] && len(errs) < mostFaults {
					errs = append(errs, fmt.Errorf("line %d: the site file has no %s %.40q: write its id, ids with | "+
						"between them, or * for all", l.Line, r.by, id))
				}
				x.places = append(x.places, id)
			}
		}
		r.lines = append(r.lines, x)
	}
	return r, errors.Join(errs...)
}

// known returns the ids that may stand in the column of places.
func (r roster) known() map[string]bool {
	out := map[string]bool{}
	for _, c := range r.sites.Compounds() {
		if r.by == byCompound {
			out[c.ID] = true
			continue
		}
		for _, gate := range c.Gates {
			out[gate] = true
		}
	}
	return out
}

// reaches reports whether a line is for one of some gates.
func (r roster) reaches(l line, gates map[string]bool) bool {
	if r.by == "" || slices.Contains(l.places, everywhere) {
		return true
	}
	return slices.ContainsFunc(l.places, func(id string) bool { return gates[id] })
}

// places returns gates as they stand in the column of places.
func (r roster) places(gates []string) map[string]bool {
	out := map[string]bool{}
	for _, gate := range gates {
		_, _, compound, _ := r.sites.Place(gate)
		if r.by == byCompound {
			out[compound] = true
			continue
		}
		out[gate] = true
	}
	return out
}

// text returns a roster of what is for some gates. Each line keeps its number.
func (r roster) text(gates []string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(r.header) // a buffer takes all
	w.Flush()
	written, places := 1, r.places(gates)
	for _, l := range r.lines {
		if !r.reaches(l, places) {
			continue
		}
		for ; written < l.no-1; written++ {
			b.WriteByte('\n')
		}
		_ = w.Write(l.fields)
		w.Flush()
		written++
		for _, f := range l.fields {
			written += strings.Count(f, "\n")
		}
	}
	return b.Bytes()
}

// without returns those of some gates for which there is no line.
func (r roster) without(gates []string) (out []string) {
	seen := map[string]bool{}
	for _, l := range r.lines {
		if r.by == "" {
			return nil
		}
		for _, id := range l.places {
			seen[id] = true
		}
	}
	for _, gate := range gates {
		_, _, compound, _ := r.sites.Place(gate)
		if !seen[everywhere] && !seen[gate] && !seen[compound] {
			out = append(out, gate)
		}
	}
	return out
}
