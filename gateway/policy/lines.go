package policy

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// RosterLine is a line of a roster as it is written.
type RosterLine struct {
	Line   int // 1 is the header
	Fields []string
}

// RosterLines returns the lines of a roster, the header first, without empty ones. It
// checks nothing but that they are CSV with a field for each column; the error names the
// line, and repeats no field.
func RosterLines(text []byte) (out []RosterLine, err error) {
	rd, err := rows(text)
	if err != nil {
		return nil, err
	}
	for {
		row, err := rd.Read()
		switch {
		case errors.Is(err, io.EOF) && len(out) == 0:
			return nil, fmt.Errorf("its first line must be %s", strings.Join(columns, ","))
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		case strings.Join(row, "") == "":
			continue // spreadsheets write the rows below the last one
		}
		line, _ := rd.FieldPos(0)
		out = append(out, RosterLine{line, row})
	}
}

// Credential returns what kind of credential a field of the column card is, card or code, and
// its number: what a Pseudonymer is asked with.
func Credential(field string) (kind, code string, err error) { return credential(field) }
