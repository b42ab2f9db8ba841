package site

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gatehouse/gateway/config"
	"gatehouse/gateway/wire"
)

// Fault is what is wrong with a row of a table.
type Fault struct {
	Line int    `json:"line"`           // of the file, from 1
	Code string `json:"code"`           // for the words of pages: column, missing, empty, number, id, twice, row, text
	What string `json:"what,omitempty"` // the column, or the value that is wrong
	Text string `json:"text"`           // for people who read English
}

// columns are those of a table, in Chinese and in English. Without a gate's id the gates
// are gate-001, gate-002 and so on, in their order.
var columns = []struct{ zh, en string }{
	{"社区", "community"}, {"网格", "grid"}, {"小区", "compound"}, {"门岗", "gate"}, {"户数", "households"},
	{"人数", "residents"},
}

// needed are the columns without which a table says too little.
var needed = []string{"community", "grid", "compound"}

// mostRows bounds the rows of a table: no county has so many gates.
const mostRows = 10_000

// Table returns the county of a table with a row for each gate (CSV, with commas,
// semicolons or tabs between its cells), or all faults of its rows. Its text may be in
// the encodings of config.Text. Communities, grids and compounds get ids in their order.
func Table(id, name string, b []byte) (*County, []Fault) {
	text, err := config.Text(b)
	if err != nil {
		return nil, []Fault{{Line: 1, Code: "text", Text: err.Error()}}
	}
	r := csv.NewReader(strings.NewReader(string(text)))
	head, _, _ := strings.Cut(string(text), "\n")
	for _, comma := range []rune{';', '\t', '；', '，'} {
		if strings.ContainsRune(head, comma) && !strings.Contains(head, ",") {
			r.Comma = comma
		}
	}
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	t := table{county: County{ID: id, Name: name, CRS: CRS}, gates: map[string]int{}}
	for row := 0; ; row++ {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := r.FieldPos(0)
		switch {
		case err != nil:
			if wrong := new(csv.ParseError); errors.As(err, &wrong) {
				line = wrong.Line
			}
			t.add(line, "row", "", "%v", err)
			return nil, t.faults // what follows can't be told apart
		case row == 0:
			if t.header(cells); len(t.faults) > 0 {
				return nil, t.faults
			}
		case row > mostRows:
			t.add(line, "row", "", "more than %d rows: this is no list of gates", mostRows)
			return nil, t.faults
		default:
			t.row(line, cells)
		}
	}
	if len(t.faults) == 0 && len(t.gates) == 0 {
		t.add(1, "row", "", "no gate is listed: write a row for each gate below the header")
	}
	if len(t.faults) > 0 {
		return nil, t.faults
	}
	if err := t.county.check(); err != nil { // its ids are ours, so that nothing is left to find
		return nil, []Fault{{Line: 1, Code: "row", Text: err.Error()}}
	}
	return &t.county, nil
}

// table is a table that is read.
type table struct {
	county County
	at     []string       // the English name of each column; empty: it does not count
	gates  map[string]int // the line of each gate
	grids  int
	places int
	faults []Fault
}

func (t *table) add(line int, code, what, format string, args ...any) {
	t.faults = append(t.faults, Fault{line, code, what, fmt.Sprintf(format, args...)})
}

// header reads the names of the columns.
func (t *table) header(cells []string) {
	var known []string
	for _, c := range columns {
		known = append(known, c.zh)
	}
	for _, cell := range cells {
		name := strings.ToLower(strings.TrimSpace(cell))
		i := slices.IndexFunc(columns, func(c struct{ zh, en string }) bool { return name == c.zh || name == c.en })
		switch {
		case name == "":
			t.at = append(t.at, "")
		case i < 0:
			t.add(1, "column", cell, "column %q is not known: use %s", cell, strings.Join(known, ", "))
			t.at = append(t.at, "")
		case slices.Contains(t.at, columns[i].en):
			t.add(1, "twice", cell, "column %q is there twice", cell)
		default:
			t.at = append(t.at, columns[i].en)
		}
	}
	for _, c := range columns {
		if slices.Contains(needed, c.en) && !slices.Contains(t.at, c.en) {
			t.add(1, "missing", c.zh, "column %s (%s) is missing", c.zh, c.en)
		}
	}
}

// row reads a gate.
func (t *table) row(line int, cells []string) {
	values := map[string]string{}
	for i, cell := range cells {
		if cell = strings.TrimSpace(cell); i < len(t.at) {
			values[t.at[i]] = cell
		} else if cell != "" {
			t.add(line, "row", cell, "%q has no column above it", cell)
			return
		}
	}
	if strings.TrimSpace(strings.Join(cells, "")) == "" {
		return
	}
	before := len(t.faults)
	numbers := map[string]int{}
	for _, c := range columns {
		v := values[c.en]
		if v == "" && slices.Contains(needed, c.en) {
			t.add(line, "empty", c.zh, "%s (%s) is empty", c.zh, c.en)
		}
		if c.en == "households" || c.en == "residents" {
			n, err := strconv.Atoi(v)
			if v != "" && (err != nil || n < 0) {
				t.add(line, "number", v, "%s %q is no number", c.zh, v)
			}
			numbers[c.en] = n
		}
	}
	gate := values["gate"]
	if gate == "" {
		gate = fmt.Sprintf("gate-%03d", len(t.gates)+1)
	}
	if err := wire.CheckID(gate); err != nil || gate == wire.CollectorID {
		t.add(line, "id", gate, "gate %q: use small letters, digits and -, like gate-001", gate)
	} else if first, twice := t.gates[gate]; twice {
		t.add(line, "twice", gate, "gate %q stands in line %d already", gate, first)
	}
	t.gates[gate] = line
	if len(t.faults) == before {
		t.place(values, numbers, gate)
	}
}

// place adds a gate to its compound, which it makes when it is new.
func (t *table) place(values map[string]string, numbers map[string]int, gate string) {
	is := func(x Community) bool { return x.Name == values["community"] }
	c := named(&t.county.Communities, is, func(n int) Community {
		return Community{ID: fmt.Sprintf("community-%d", n), Name: values["community"]}
	})
	g := named(&c.Grids, func(x Grid) bool { return x.Name == values["grid"] }, func(int) Grid {
		t.grids++
		return Grid{ID: fmt.Sprintf("grid-%02d", t.grids), Name: values["grid"]}
	})
	p := named(&g.Compounds, func(x Compound) bool { return x.Name == values["compound"] }, func(int) Compound {
		t.places++
		return Compound{ID: fmt.Sprintf("compound-%03d", t.places), Name: values["compound"]}
	})
	p.Households, p.Residents = max(p.Households, numbers["households"]), max(p.Residents, numbers["residents"])
	p.Gates = append(p.Gates, gate)
}

// named returns the entry of a list that is the one, or a new one at its end, which is
// made with its number.
func named[T any](list *[]T, is func(T) bool, make func(n int) T) *T {
	i := slices.IndexFunc(*list, is)
	if i < 0 {
		*list = append(*list, make(len(*list)+1))
		i = len(*list) - 1
	}
	return &(*list)[i]
}
