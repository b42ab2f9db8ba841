package track

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

// columns maps the names that apps give their columns to ours.
var columns = map[string]string{
	"time": "time", "at": "time", "timestamp": "time", "datetime": "time", "时间": "time",
	"lat": "lat", "latitude": "lat", "纬度": "lat", "lon": "lon", "lng": "lon", "longitude": "lon", "经度": "lon",
}

// column returns our name for a column, or "" when we don't read it.
func column(name string) string {
	if _, ok := fact.NumberNamed(name); ok || name == fact.FieldCommand {
		return name
	}
	return columns[name]
}

// csv reads a table with a header line.
func (c *collector) csv(in *source) error {
	r := bufio.NewReader(in)
	if b, err := r.Peek(3); err == nil && string(b) == "\ufeff" {
		_, _ = r.Discard(3) // it was peeked
	}
	table := csv.NewReader(r)
	table.Comma = delimiter(r)
	table.ReuseRecord, table.TrimLeadingSpace = true, true
	head, err := table.Read()
	if errors.Is(err, io.EOF) {
		return ErrEmpty
	}
	if err != nil {
		return fmt.Errorf("the header line: %w", err)
	}
	at := map[string]int{}
	for i, name := range head {
		if ours := column(strings.ToLower(strings.TrimSpace(name))); ours != "" {
			at[ours] = i
		}
	}
	for _, must := range []string{"lat", "lon"} {
		if _, ok := at[must]; !ok {
			return fmt.Errorf("the header line has no column %s; it has %.200q", must, strings.Join(head, ", "))
		}
	}
	for {
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := table.FieldPos(0)
		s, err := c.row(row, at)
		if err == nil {
			err = c.add(s)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// delimiter returns the one of , ; and tab that is most frequent in the header line.
func delimiter(r *bufio.Reader) rune {
	b, _ := r.Peek(1024) // fewer bytes will do
	line, _, _ := strings.Cut(string(b), "\n")
	best := ','
	for _, d := range ";\t" {
		if strings.Count(line, string(d)) > strings.Count(line, string(best)) {
			best = d
		}
	}
	return best
}

func (c *collector) row(row []string, at map[string]int) (s runs.Sample, err error) {
	for _, n := range fact.Numbers() {
		i, ok := at[n.Name]
		if !ok || strings.TrimSpace(row[i]) == "" {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(row[i]), 64)
		if err != nil {
			return s, fmt.Errorf("%s: %.40q is not a number", n.Name, row[i])
		}
		*n.Of(&s.Values) = &v
	}
	if i, ok := at["time"]; ok {
		if s.At, err = c.parseTime(row[i]); err != nil {
			return s, err
		}
	}
	if i, ok := at[fact.FieldCommand]; ok && row[i] != "" {
		on := strings.EqualFold(row[i], "true") || row[i] == "1" || strings.EqualFold(row[i], "on")
		s.Command = &on
	}
	return s, nil
}
