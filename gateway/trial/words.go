package trial

import (
	"fmt"
	"strings"
)

// Words returns how two versions of the rules differ, a line each, without any card. Where
// only the reason differs, it is said only if reasons is true.
func (r Comparison) Words(reasons bool) (out []string) {
	line := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	out = append(out, r.Rules...)
	if len(r.Added) > 0 {
		line("people: %s of the new roster are new", Headcount(r.Added))
	}
	if len(r.Removed) > 0 {
		line("people: %s of the old roster are removed", Headcount(r.Removed))
	}
	more := 0
	for _, x := range r.Changes {
		if !x.Passes && !reasons {
			more++
			continue
		}
		text := fmt.Sprintf("%s, %s", x.Who, x.Way)
		if x.Lane != "" {
			text += ", lane " + x.Lane
		}
		if x.Before != "" {
			text += ", after: " + x.Before
		}
		line("%s, %s: %s → %s; %s", text, x.When, x.Old, x.New, Headcount(x.Lines))
	}
	switch {
	case more > 0:
		line("in %d more situations only the reason differs: gatehouse policy diff --reasons prints them", more)
	case len(r.Changes) == 0:
		line("in the situations that were tried nobody is decided otherwise")
	}
	for _, way := range r.Locked {
		line("WARNING: nobody can pass any more, %s", way)
	}
	return out
}

// Headcount returns how many there are, and on which lines: "3 people (lines 2-3, 7)".
func Headcount(lines []int) string {
	var spans []string
	for i := 0; i < len(lines); i++ {
		from := i
		for i+1 < len(lines) && lines[i+1] <= lines[i]+1 {
			i++
		}
		switch {
		case len(spans) == 5:
			spans = append(spans, "…")
		case len(spans) > 5:
		case from == i:
			spans = append(spans, fmt.Sprint(lines[i]))
		default:
			spans = append(spans, fmt.Sprintf("%d-%d", lines[from], lines[i]))
		}
	}
	if len(lines) == 1 {
		return fmt.Sprintf("1 person (line %d)", lines[0])
	}
	return fmt.Sprintf("%d people (lines %s)", len(lines), strings.Join(spans, ", "))
}
