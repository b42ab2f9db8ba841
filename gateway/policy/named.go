package policy

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gatehouse/gateway/identity"
)

// NameRoster writes a roster with pseudonyms in place of the numbers of cards and
// households, by each key that key has, the one in force first. Pseudonyms stay as they
// are, and so do the other columns, but for what the guard sees of a person: that is left out,
// for the text is kept on a disk. Each line keeps its number. The text is one that
// ParseRosterText takes, with these names and by any of these keys. The error names the
// line, and repeats no number.
func NameRoster(w io.Writer, text []byte, key Pseudonymer) error {
	rd, err := rows(text)
	if err != nil {
		return err
	}
	rd.ReuseRecord = true
	out := csv.NewWriter(w)
	n := namer{key: key}
	homes := map[string]string{}
	line, shown := 1, -1 // that is written next; the column that is left out
	for {
		row, err := rd.Read()
		if errors.Is(err, io.EOF) {
			out.Flush()
			return out.Error()
		}
		if err != nil {
			return err // it names the line
		}
		at, _ := rd.FieldPos(0)
		if strings.Join(row, "") == "" {
			continue // spreadsheets write the rows below the last one
		}
		if line == 1 {
			shown = slices.Index(row, shownColumn)
		}
		if line > 1 {
			if shown >= 0 && shown < len(row) {
				row[shown] = ""
			}
			if err := n.row(row, homes); err != nil {
				return fmt.Errorf("line %d: %w", at, err)
			}
		}
		for ; line < at; line++ {
			if err := out.Write(nil); err != nil {
				return err
			}
		}
		if err := out.Write(row); err != nil {
			return err
		}
		line += 1 + strings.Count(strings.Join(row, ""), "\n")
	}
}

// row puts pseudonyms into a row of a roster; homes are those of households, by number.
func (n namer) row(row []string, homes map[string]string) (err error) {
	if len(row) < len(columns) {
		return errors.New("columns are missing")
	}
	if row[0], err = n.allOfCard(row[0]); err != nil {
		return err
	}
	home := row[3]
	if _, are := pseudonyms(home); home == "" || are {
		return nil
	}
	if homes[home] == "" {
		homes[strings.Clone(home)] = n.all("household", home)
	}
	row[3] = homes[home]
	return nil
}

// NameGuards returns a list of guards with pseudonyms in place of the numbers of cards, as
// NameRoster does.
func NameGuards(text []byte, key Pseudonymer) ([]byte, error) {
	list, err := ParseGuards(text)
	if err != nil {
		return nil, err
	}
	n := namer{key: key}
	for i, g := range list {
		if g.Card == "" {
			continue
		}
		if list[i].Card, err = n.allOfCard(g.Card); err != nil {
			return nil, fmt.Errorf("%s: %w", g.ID, err)
		}
	}
	return formatGuards(list)
}

// allOfCard returns the field of a card with its pseudonyms.
func (n namer) allOfCard(field string) (string, error) {
	if _, are := pseudonyms(field); are {
		return field, nil
	}
	kind, code, err := credential(field)
	if err != nil {
		return "", err
	}
	return n.all(kind, code), nil
}

// all returns the field of a number with its pseudonyms, the one in force first.
func (n namer) all(kind, code string) string {
	name, others := n.name(kind, code)
	return strings.Join(append([]string{name}, others...), between)
}

// NamedBy reports whether the rules list a card by a key with an id that is known, or none
// at all.
func (r *Rules) NamedBy(known func(id string) bool) bool {
	for name := range r.byCard {
		if known(identity.KeyOf(name)) {
			return true
		}
	}
	return len(r.byCard) == 0
}
