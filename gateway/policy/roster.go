package policy

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
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
	Household   string // pseudonym of the household
	From, Until string // first and last day, 2006-01-02; empty: open
	Purpose     string
	Uses        int      // in each direction; 0: as often as they like
	Opening     *Opening // declared, of a sealed household; nil: none
	Line        int      // in the roster
}

// columns is the roster's header, and optional are the columns that may follow. There
// is no column for names, and no other column is taken.
var (
	columns  = []string{"card", "class", "status", "household", "from", "until"}
	optional = []string{"purpose", "uses", "opening", shownColumn}
)

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
// household,from,until, which purpose, uses, opening and shown may follow. Its error lists up
// to ten faults, each with its line, and repeats no card number.
func ParseRoster(p Policy, in io.Reader, key Pseudonymer) (*Rules, error) {
	b, err := io.ReadAll(io.LimitReader(in, MaxRoster+1))
	if err != nil {
		return nil, err
	}
	return ParseRosterText(p, b, key)
}

// ParseRosterText is ParseRoster of a text in memory, which it does not keep.
func ParseRosterText(p Policy, text []byte, key Pseudonymer) (*Rules, error) {
	rd, err := rows(text)
	if err != nil {
		return nil, err
	}
	header, err := rd.Read()
	if err != nil {
		return nil, fmt.Errorf("its first line must be %s: %w", strings.Join(columns, ","), err)
	}
	if err := checkHeader(header); err != nil {
		return nil, err
	}
	rd.ReuseRecord = true
	rules := &Rules{Policy: p, byCard: map[string]int32{}, same: map[string]string{},
		sealed: map[string]bool{}}
	r := &roster{
		policy:     p,
		namer:      namer{key, rules.same},
		more:       header[len(columns):],
		rules:      rules,
		people:     newAdder(),
		interned:   map[string]string{},
		households: map[string]string{},
	}
	for len(r.errs) < maxErrors {
		row, err := rd.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.errs = append(r.errs, err) // the error names the line
			if !errors.Is(err, csv.ErrFieldCount) {
				break
			}
			continue
		}
		line, _ := rd.FieldPos(0)
		if !slices.ContainsFunc(row, func(field string) bool { return field != "" }) {
			continue // spreadsheets write the rows below the last one
		}
		if err := r.add(line, row); err != nil {
			r.errs = append(r.errs, fmt.Errorf("line %d: %w", line, err))
		}
	}
	rules.people = r.people.people
	rules.people.rows, rules.people.lines.text = slices.Clip(rules.people.rows), slices.Clip(rules.people.lines.text)
	return r.rules, errors.Join(r.errs...)
}

// checkHeader demands the columns, in their order, and after them only optional ones.
func checkHeader(header []string) error {
	n := min(len(header), len(columns))
	bad := !slices.Equal(header[:n], columns)
	for i := n; i < len(header); i++ {
		bad = bad || !slices.Contains(optional, header[i]) || slices.Contains(header[:i], header[i])
	}
	if bad {
		return fmt.Errorf("line 1 is %q, it must be %q, and %s may follow", strings.Join(header, ","),
			strings.Join(columns, ","), strings.Join(optional, ", "))
	}
	return nil
}

// roster is a roster that is read.
type roster struct {
	namer

	policy     Policy
	more       []string // optional columns of the header
	rules      *Rules
	people     adder
	interned   map[string]string // texts that repeat are kept once
	households map[string]string // its name by field
	errs       []error
}

// add adds a row, whose memory it does not keep.
func (r *roster) add(line int, row []string) error {
	name, others, err := r.card(row[0])
	x, err2 := r.person(line, row)
	shown, err3 := r.shown(row)
	if err := errors.Join(err, err2, err3, r.policy.checkPerson(x)); err != nil {
		return err
	}
	for _, n := range append(others, name) {
		if before, twice := r.rules.byCard[n]; twice {
			return fmt.Errorf("the card is on line %d already", r.people.rows[before].line)
		}
	}
	if x.Status == StatusSealed && x.Household != "" {
		r.rules.sealed[x.Household] = true
	}
	if x.Uses > 0 {
		r.rules.usable = max(r.rules.usable, daysOf(x.From, x.Until))
	}
	name = strings.Clone(name)
	at := r.people.add(x, shown)
	r.rules.byCard[name] = at
	for _, n := range others {
		n = strings.Clone(n)
		r.rules.byCard[n], r.same[n] = at, name
	}
	return nil
}

// person returns what a row says.
func (r *roster) person(line int, row []string) (Person, error) {
	household, err := r.home(row[3])
	x := Person{Class: r.intern(row[1]), Status: Status(r.intern(row[2])), Household: household,
		From: r.intern(day(row[4])), Until: r.intern(day(row[5])), Line: line}
	errs := []error{err}
	for i, column := range r.more {
		value := row[len(columns)+i]
		switch {
		case value == "":
		case column == "purpose":
			x.Purpose = r.intern(value)
		case column == "uses":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > timesMax {
				errs = append(errs, fmt.Errorf("uses %.20q: write 1 to %d, or nothing", value, timesMax))
			}
			x.Uses = n
		case column == "opening":
			o, ok := parseOpening(r.intern(value))
			if !ok {
				errs = append(errs, fmt.Errorf("opening %.40q: write 2020-02-14 09:00-10:00, or nothing", value))
			}
			x.Opening = &o
		}
	}
	return x, errors.Join(errs...)
}

// intern returns a text that can be kept.
func (r *roster) intern(s string) string {
	kept, ok := r.interned[s]
	if !ok {
		kept = strings.Clone(s)
		r.interned[kept] = kept
	}
	return kept
}

// home returns the name of a household.
func (r *roster) home(field string) (string, error) {
	if field == "" {
		return "", nil
	}
	if name, known := r.households[field]; known {
		return name, nil
	}
	name, others, err := r.household(field)
	if err != nil {
		return "", fmt.Errorf("household: %w", err)
	}
	name = strings.Clone(name)
	for _, n := range others {
		r.same[strings.Clone(n)] = name
	}
	r.households[strings.Clone(field)] = name
	return name, nil
}

// daysOf returns how many days a card is valid.
func daysOf(from, until string) int {
	a, err1 := time.Parse(time.DateOnly, from)
	b, err2 := time.Parse(time.DateOnly, until)
	if err1 != nil || err2 != nil {
		return 0
	}
	return int(b.Sub(a)/(24*time.Hour)) + 1
}

func (p Policy) checkPerson(x Person) error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	k, ok := p.Classes[x.Class]
	if !ok {
		add("class %q is not in the policy", x.Class)
	}
	if x.Status != StatusActive && x.Status != StatusLost && x.Status != StatusSealed {
		add("status %q: write active, lost or sealed", x.Status)
	}
	for i, day := range []string{x.From, x.Until} {
		if day == "" {
			continue
		}
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			add("%s %q: write a day as 2020-02-14, or nothing", columns[4+i], day)
		}
	}
	if x.From != "" && x.Until != "" && x.From > x.Until {
		add("from %s is after until %s", x.From, x.Until)
	}
	if x.Purpose != "" && !slices.Contains(k.Purposes, x.Purpose) {
		add("purpose %q is not among those of class %s in the policy", x.Purpose, x.Class)
	}
	if q := k.Quota; q != nil && q.Per == PerHousehold && x.Household == "" {
		add("the household is missing: class %s has a quota for each household", x.Class)
	}
	if x.Uses > 0 {
		if days := daysOf(x.From, x.Until); days < 1 || days > daysMax {
			add("uses are counted on at most %d days: write from and until, too", daysMax)
		}
	}
	if o := x.Opening; o != nil && (p.Sealed == nil || p.Sealed.Openings != OpeningsDeclared) {
		add("an opening is declared, but the policy does not say sealed: {openings: declared}")
	}
	return errors.Join(errs...)
}
