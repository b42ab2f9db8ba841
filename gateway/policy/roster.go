package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/config"
)

// Status is the status of a card in the roster.
type Status string

// The states of a card.
const (
	StatusActive Status = "active"
	StatusLost   Status = "lost"
	StatusSealed Status = "sealed" // its household is sealed
)

// Person is one line of the roster, without the number: that becomes a
// pseudonym as it is read.
type Person struct {
	Class       string
	Status      Status
	Household   string // number of the household, for quotas
	From, Until string // first and last day, 2006-01-02; empty: open
}

// columns is the roster's header. There is no column for names, and no other
// column is taken.
var columns = []string{"card", "class", "status", "household", "from", "until"}

// Pseudonymer returns the keyed pseudonym of a credential.
type Pseudonymer interface {
	Pseudonym(kind, code string) string
}

// codePrefix marks what a scanner reads; a card number stands alone.
const codePrefix = "code:"

// maxRoster bounds a roster's file, so that a wrong path does not exhaust the memory.
const maxRoster = 64 << 20

// maxErrors is how many errors of a roster are listed at most.
const maxErrors = 10

// LoadRules reads the roster that belongs to a policy.
func LoadRules(p Policy, path string, key Pseudonymer) (*Rules, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the roster: %w", err)
	}
	defer f.Close()
	r, err := ParseRoster(p, f, key)
	if err != nil {
		return nil, fmt.Errorf("roster %s: %w", path, err)
	}
	return r, nil
}

// ParseRoster reads a roster: CSV with the header card,class,status,
// household,from,until. Its error lists up to ten faults, each with its
// line, and repeats no card number.
func ParseRoster(p Policy, in io.Reader, key Pseudonymer) (*Rules, error) {
	rd, err := rows(in)
	if err != nil {
		return nil, err
	}
	header, err := rd.Read()
	if err != nil {
		return nil, fmt.Errorf("its first line must be %s: %w", strings.Join(columns, ","), err)
	}
	if strings.Join(header, ",") != strings.Join(columns, ",") {
		return nil, fmt.Errorf("line 1 is %q, it must be %q", strings.Join(header, ","), strings.Join(columns, ","))
	}
	r := &Rules{Policy: p, people: map[string]Person{}}
	lines := map[string]int{} // by pseudonym
	var errs []error
	for len(errs) < maxErrors {
		row, err := rd.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			errs = append(errs, err) // the error names the line
			if !errors.Is(err, csv.ErrFieldCount) {
				break
			}
			continue
		}
		line, _ := rd.FieldPos(0)
		if strings.Join(row, "") == "" { // spreadsheets write the rows below the last one
			continue
		}
		kind, code, err := credential(row[0])
		person := Person{Class: row[1], Status: Status(row[2]), Household: row[3],
			From: day(row[4]), Until: day(row[5])}
		if err = errors.Join(err, p.checkPerson(person)); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		pseudonym := key.Pseudonym(kind, code)
		if before := lines[pseudonym]; before != 0 {
			errs = append(errs, fmt.Errorf("line %d: the card is on line %d already", line, before))
			continue
		}
		lines[pseudonym] = line
		r.people[pseudonym] = person
	}
	return r, errors.Join(errs...)
}

// rows returns a reader of the roster's rows, as spreadsheets write them: in any
// encoding that config.Text takes, separated by commas, semicolons or tabs.
func rows(in io.Reader) (*csv.Reader, error) {
	b, err := io.ReadAll(io.LimitReader(in, maxRoster+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxRoster {
		return nil, fmt.Errorf("it is larger than %d MiB: is this the roster?", maxRoster>>20)
	}
	if b, err = config.Text(b); err != nil {
		return nil, err
	}
	rd := csv.NewReader(bytes.NewReader(b))
	rd.FieldsPerRecord = len(columns)
	for _, mark := range []rune{';', '\t'} {
		if bytes.HasPrefix(b, []byte(columns[0]+string(mark))) {
			rd.Comma = mark
		}
	}
	return rd, nil
}

// day returns a day as 2020-02-14. Spreadsheets in Chinese write 2020/2/14.
func day(text string) string {
	if t, err := time.Parse("2006/1/2", text); err == nil {
		return t.Format(time.DateOnly)
	}
	return text
}

// credential distinguishes a card from a code. A card is ten hex digits, as the reader
// sends it.
func credential(s string) (kind, code string, err error) {
	if text, ok := strings.CutPrefix(s, codePrefix); ok {
		if strings.TrimSpace(text) == "" {
			return "", "", errors.New("the code is empty")
		}
		return "code", text, nil
	}
	if len(s) != 10 || strings.Trim(strings.ToUpper(s), "0123456789ABCDEF") != "" {
		return "", "", fmt.Errorf("the card has %d characters; it must be 10 hex digits, or code:TEXT for a scanner%s",
			len(s), spoilt(s))
	}
	return "card", s, nil
}

// spoilt says what a spreadsheet has made of a card's number, if it looks like that.
func spoilt(card string) string {
	const text = "; a spreadsheet has changed it: format the column as text, and type the numbers again"
	if _, err := strconv.ParseFloat(card, 64); err != nil {
		return ""
	}
	if len(card) < 10 || strings.ContainsAny(card, ".+") {
		return text
	}
	return ""
}

func (p Policy) checkPerson(x Person) error {
	var errs []error
	if _, ok := p.Classes[x.Class]; !ok {
		errs = append(errs, fmt.Errorf("class %q is not in the policy", x.Class))
	}
	if x.Status != StatusActive && x.Status != StatusLost && x.Status != StatusSealed {
		errs = append(errs, fmt.Errorf("status %q: write active, lost or sealed", x.Status))
	}
	for name, day := range map[string]string{"from": x.From, "until": x.Until} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			errs = append(errs, fmt.Errorf("%s %q: write a day as 2020-02-14, or nothing", name, day))
		}
	}
	if x.From != "" && x.Until != "" && x.From > x.Until {
		errs = append(errs, fmt.Errorf("from %s is after until %s", x.From, x.Until))
	}
	return errors.Join(errs...)
}
