package rules

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Report is what is found of a version before it is approved. It holds no number of a card,
// household or telephone.
type Report struct {
	Version

	Gates    int      `json:"gates"`    // that would decide by it
	People   int      `json:"people"`   // lines of a roster
	Faults   []string `json:"faults"`   // with one it is not approved
	Warnings []string `json:"warnings"` // for whoever approves
	Tried    int      `json:"tried"`    // cases
	Changes  []string `json:"changes"`  // against what is in force
	Locked   []string `json:"locked"`   // ways on which nobody could pass any more

	instead int64         // the version in force that it would replace
	seen    map[Key]int64 // the versions in force that it was checked with
}

// mostLines bounds each list of a report, mostGroups how many kinds of gates are compared.
const mostLines, mostGroups = 60, 6

func (r *Report) err() error { return errors.New(strings.Join(r.Faults, "\n")) }

// same reports whether the same versions are in force as when it was checked.
func (r *Report) same(now map[Key]int64) bool { return maps.Equal(r.seen, now) }

func (r *Report) fault(err error) {
	if err == nil {
		return
	}
	for text := range strings.SplitSeq(err.Error(), "\n") {
		add(&r.Faults, redact(text))
	}
}

func (r *Report) warn(format string, args ...any) { add(&r.Warnings, fmt.Sprintf(format, args...)) }

// add adds a line to a list of bounded length, if it does not stand there.
func add(list *[]string, text string) {
	if len(*list) < mostLines && text != "" && !slices.Contains(*list, text) {
		*list = append(*list, text)
	}
}

// numbers are those of cards, codes and telephones, and of households if they are long.
var numbers = regexp.MustCompile(`\b[0-9A-Fa-f]{10}\b|code:[^\s",]+|\+?[0-9][0-9 -]{5,}[0-9]|\$2[aby]\$[^\s",]+`)

// days and moments look like numbers, and are none.
var days = regexp.MustCompile(`^(19|20)[0-9][0-9]-[0-9][0-9](-[0-9][0-9])?( [0-9][0-9])?$`)

// redact takes numbers of people out of a message: a column too few, and one stands where a
// class is expected.
func redact(s string) string {
	return numbers.ReplaceAllStringFunc(s, func(n string) string {
		if days.MatchString(n) {
			return n
		}
		return "…"
	})
}

// masked keeps only the line of a message that would show a line of the text.
func masked(v Version, err error) error {
	if err == nil {
		return nil
	}
	if at := position.FindStringSubmatch(err.Error()); at != nil {
		return fmt.Errorf("%s: line %s is not as it must be", v, at[1])
	}
	return fmt.Errorf("%s: %w", v, err)
}

// position is how the YAML library says where a fault is.
var position = regexp.MustCompile(`\[([0-9]+):[0-9]+\]`)

// few returns the first of some gates.
func few(gates []string) string {
	if len(gates) > 3 {
		return fmt.Sprintf("%s and %d more gates", gates[0], len(gates)-1)
	}
	return strings.Join(gates, ", ")
}

// Lines returns the report in words, a line each.
func (r *Report) Lines() (out []string) {
	out = append(out, fmt.Sprintf("%s, for %d gates", r.Version, r.Gates))
	if r.Kind == Roster {
		out = append(out, fmt.Sprintf("it lists %d cards", r.People))
	}
	if r.Tried > 0 {
		out = append(out, fmt.Sprintf("%d cases were tried", r.Tried))
	}
	for _, list := range []struct {
		mark  string
		lines []string
	}{
		{"FAULT: ", r.Faults}, {"warning: ", r.Warnings}, {"LOCKED OUT: ", r.Locked}, {"", r.Changes},
	} {
		for _, l := range list.lines {
			out = append(out, list.mark+l)
		}
	}
	return out
}
