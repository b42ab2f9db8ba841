package track

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// table is a table with a header line.
type table struct {
	c      *collector
	r      *csv.Reader
	in     *source
	header []string
	width  int // how many fields a row has at least
	angles angles
	extra  extra
	times  tableTimes
	line   *way
}

// Bounds of a table's beginning.
const (
	maxHead    = 100  // lines before the header line
	maxColumns = 1000 //
	firstRows  = 20   // by which columns are judged
)

// csv reads a table: the header line is the first that names latitude and
// longitude.
func (c *collector) csv(in *source) error {
	t := &table{c: c, in: in, line: c.newWay("")}
	all, err := t.head()
	if err != nil {
		return err
	}
	first, lines, err := t.first()
	if err != nil {
		return err
	}
	t.columns(all, first)
	if c.own, err = t.times.asks(); err != nil {
		return err
	}
	c.report.Zone = t.times.cols.why
	for i, row := range first {
		if err := t.row(row, lines[i]); err != nil {
			return err
		}
	}
	for {
		row, err := t.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			line, _ := t.r.FieldPos(0)
			err = t.row(row, line)
		}
		if err != nil {
			return err
		}
	}
}

// read reads a row.
func (t *table) read() ([]string, error) {
	t.in.allow(t.in.most.token, errText)
	row, err := t.r.Read()
	return row, refused(err)
}

// head reads up to the header line.
func (t *table) head() (all []column, err error) {
	b, _ := t.in.r.Peek(looked) // fewer bytes will do
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, ErrEmpty
	}
	var in io.Reader = t.in
	if bytes.IndexByte(b, '\n') < 0 { // lines end as they did on old Macs, with CR only
		in, b = returns{in}, bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	}
	comma, skip := delimiter(b)
	t.r = csv.NewReader(in)
	t.r.Comma, t.r.FieldsPerRecord, t.r.LazyQuotes = comma, -1, true
	t.r.ReuseRecord, t.r.TrimLeadingSpace = true, comma != '\t'
	t.c.report.Delimiter = string(comma)
	shown := ""
	for range maxHead {
		row, err := t.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the header line: %w", err)
		}
		if len(row) > maxColumns {
			return nil, fmt.Errorf("the header line has more than %d columns", maxColumns)
		}
		if line, _ := t.r.FieldPos(0); line <= skip {
			continue
		}
		all = all[:0]
		for i, name := range row {
			all = append(all, newColumn(strings.TrimPrefix(name, "#"), i))
		}
		var ok bool
		if t.angles.lat, t.angles.lon, ok = place(all); ok {
			t.header = slices.Clone(row)
			return all, nil
		}
		if shown == "" {
			shown = strings.Join(row, ", ")
		}
		if err := elsewhereOnly(all); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no header line has a column of latitude and one of longitude; it begins with %.200q", shown)
}

// returns reads CR as LF.
type returns struct{ r io.Reader }

func (x returns) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	for i := range p[:n] {
		if p[i] == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// elsewhereOnly returns an error for a header line whose positions are not those
// of the machine in WGS-84.
func elsewhereOnly(all []column) error {
	i := slices.IndexFunc(all, column.isLat)
	if i < 0 || !slices.ContainsFunc(all, column.isLon) {
		return nil
	}
	if all[i].otherSystem() {
		return fmt.Errorf("its only positions, %q, are in another coordinate system than WGS-84: export that one",
			all[i].name)
	}
	return fmt.Errorf("its only positions, %q, are not those of the machine", all[i].name)
}

// delimiter returns what stands between columns, and the number of a first line
// that only says so (sep=;). It is the one of , ; tab and | that makes the
// columns of a position from a line; without such a line, the most frequent in the
// first.
func delimiter(b []byte) (comma rune, skip int) {
	lines := strings.Split(string(b), "\n")
	if s, ok := strings.CutPrefix(strings.ToLower(strings.Trim(lines[0], "\"\r ")), "sep="); ok && s != "" {
		return []rune(s)[0], 1
	} else if ok {
		return ',', 1
	}
	comma = ','
	for _, line := range lines[:min(len(lines), maxHead)] {
		for _, d := range ",;\t|" {
			var all []column
			for i, f := range strings.Split(line[:min(len(line), maxToken)], string(d)) {
				if i < maxColumns {
					all = append(all, newColumn(strings.Trim(f, "\"# "), i))
				}
			}
			if slices.ContainsFunc(all, column.isLat) && slices.ContainsFunc(all, column.isLon) {
				return d, 0
			}
		}
	}
	for _, d := range ";\t|" {
		if strings.Count(lines[0], string(d)) > strings.Count(lines[0], string(comma)) {
			comma = d
		}
	}
	return comma, 0
}

// first reads the first rows, by which columns are judged.
func (t *table) first() (rows [][]string, lines []int, err error) {
	for range firstRows {
		row, err := t.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		line, _ := t.r.FieldPos(0)
		rows, lines = append(rows, slices.Clone(row)), append(lines, line)
	}
	return rows, lines, nil
}
