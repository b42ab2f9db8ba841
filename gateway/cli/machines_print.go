package cli

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/term"
)

// mostUnmapped is how many values that are not mapped are printed.
const mostUnmapped = 15

// print writes what became of a message for people.
func (r tried) print(w io.Writer, m *mappedTopic) error {
	out := []string{fmt.Sprintf("%s: machine %s", term.Clean(r.Topic), r.Machine)}
	for _, f := range r.fields {
		out = append(out, "  "+term.Pad(f.Name, 12)+term.Pad(r.value(f, m), 28)+term.Clean(source(f)))
	}
	for _, fault := range r.Impossible {
		out = append(out, "  can't be true, left out: "+term.Clean(fault))
	}
	if r.ZoneTaken {
		out = append(out, "  the time names no zone: that of the topic is taken, or the county's")
	}
	for i, leaf := range r.Unmapped {
		if i == mostUnmapped {
			out = append(out, fmt.Sprintf("  and %d more that are not mapped", len(r.Unmapped)-i))
			break
		}
		out = append(out, "  not mapped: "+term.Clean(leaf))
	}
	switch r.Outcome {
	case outcomeStored:
		out = append(out, "→ it would be stored")
	case outcomeCounted:
		out = append(out, "→ it would be counted, not stored: "+r.Why)
	default:
		out = append(out, "→ it would go to quarantine: "+term.Clean(r.Why))
	}
	_, err := fmt.Fprintln(w, strings.Join(out, "\n"))
	return err
}

// value returns the value of a field with its unit.
func (r tried) value(f mapping.Field, m *mappedTopic) string {
	switch {
	case f.State == mapping.Missing:
		return "not in this message"
	case f.State == mapping.NoValue:
		return "no value"
	case r.Report == nil:
		return "?"
	}
	if n, ok := fact.NumberNamed(f.Name); ok {
		if v := *n.Of(&r.Report.Values); v != nil {
			return strconv.FormatFloat(*v, 'g', 8, 64) + " " + n.Unit
		}
		return "can't be true"
	}
	if flag, ok := fact.FlagNamed(f.Name); ok {
		return map[bool]string{true: "yes", false: "no"}[**flag.Of(&r.Report.Values)]
	}
	if f.Name == fact.FieldFault {
		return term.Clean(shorten(r.Report.Fault, 24))
	}
	return r.Report.At.In(m.zone).Format("2006-01-02 15:04:05.999 " + zoneFormat(m.zone))
}

// zoneFormat returns the layout of a zone: its offset, or UTC.
func zoneFormat(zone *time.Location) string {
	if zone == time.UTC {
		return "MST"
	}
	return "-07:00"
}

// source says where in the message a value is.
func source(f mapping.Field) string {
	switch {
	case f.State == mapping.Missing:
		return f.Path
	case f.Path == "":
		return fmt.Sprintf("the message is %q", shorten(f.Text, 40))
	}
	return f.Path + " = " + cmp.Or(shorten(f.Text, 40), `""`)
}
