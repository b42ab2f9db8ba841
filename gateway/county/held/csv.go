package held

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/wire"
)

// columns are those of the CSV. Codes are as on the wire; temperatures in °C; times in UTC.
var columns = []string{"part", "at", "gate", "journal", "seq", "what", "direction", "object_c", "offset_c",
	"screening_c", "entered_c", "detail"}

// CSV writes the report as one table, a line for each thing that is held or not held. The
// JSON says more of each.
func (r *Report) CSV(out io.Writer) error {
	w := csv.NewWriter(out)
	t := table{w}
	_ = w.Write(columns) // Flush returns the error
	t.gates(&r.Gates)
	for _, x := range r.Lists {
		t.row("list", nil, map[string]string{"what": x.List, "detail": detail(x.Name, x.Line, x.Fields)})
	}
	for _, x := range r.Looks {
		t.row("look", &Record{At: x.At}, map[string]string{"what": string(x.Action),
			"detail": fmt.Sprintf("%d %s %s %s", x.N, x.Actor, x.Object, x.Detail)})
	}
	for _, x := range r.Kept {
		t.row("kept", nil, map[string]string{"what": x.What, "detail": x.For})
	}
	t.limits(&r.Limits)
	w.Flush()
	return w.Error()
}

type table struct{ w *csv.Writer }

// row writes a line; of is nil where there is no record.
func (t table) row(part string, of *Record, cells map[string]string) {
	cells["part"] = part
	if of != nil {
		cells["at"], cells["gate"] = of.At.Format(time.RFC3339Nano), of.Gate
		if cells["journal"] = of.Journal; of.Seq != 0 {
			cells["seq"] = fmt.Sprint(of.Seq)
		}
	}
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = plain(cells[c])
	}
	_ = t.w.Write(row) // Flush returns the error
}

// plain returns text that no spreadsheet takes for a formula. Numbers below zero stay.
func plain(s string) string {
	if s != "" && strings.ContainsRune("=+@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func (t table) gates(g *Gates) {
	for _, x := range g.Passages {
		cells := measured(x.Passage.Temperature, x.Passage.Entered)
		cells["what"], cells["direction"] = string(x.Passage.Verdict), string(x.Passage.Direction)
		for _, reason := range x.Passage.Reasons {
			cells["detail"] += string(reason) + " "
		}
		if o := x.Passage.Override; o != nil {
			cells["detail"] += "override " + o.Guard + " " + o.Reason + " against " + string(o.Against)
		}
		t.row("passage", &x.Record, cells)
	}
	for _, x := range g.Readings {
		cells := measured(x.Reading.Temperature, x.Reading.Entered)
		cells["what"], cells["direction"] = string(x.Reading.Type), string(x.Reading.Direction)
		cells["detail"] = x.Reading.Device
		t.row("reading", &x.Record, cells)
	}
	for _, x := range g.Guards {
		t.row("guard", &x.Record, map[string]string{"what": x.Act.Action,
			"detail": fmt.Sprintf("%s, passage %d", x.Act.Actor, x.Act.Passage)})
	}
	for _, x := range g.Alarms {
		t.row("alarm", &x.Record, map[string]string{"what": string(x.Alarm.Type),
			"detail": fmt.Sprintf("%s, passage %d", x.Alarm.State, x.Alarm.Passage)})
	}
	for _, x := range g.Alerts {
		t.row("alert", &Record{Gate: x.Agent, At: x.At}, map[string]string{"what": string(x.Type),
			"detail": strings.TrimSpace(x.AckedBy + " " + x.Note)})
	}
	for _, x := range g.Episodes {
		t.row("episode", &x.Record, map[string]string{"what": string(x.Episode.Step),
			"detail": "first " + x.Episode.First.String()})
	}
	for _, x := range g.Quotas {
		t.row("quota", &x.Record, map[string]string{"what": x.Rule, "detail": fmt.Sprintf("%d of %d", x.Used, x.Times)})
	}
	for _, x := range g.Quarantine {
		t.row("quarantine", &Record{Gate: x.Gate, At: x.At}, map[string]string{"what": fmt.Sprint(x.ID),
			"detail": x.Reason})
	}
}

func measured(m *wire.Temperature, e *wire.Entered) map[string]string {
	cells := map[string]string{}
	if m != nil {
		cells["object_c"], cells["offset_c"] = m.Object.String(), m.Offset.String()
		cells["screening_c"] = m.Screening.String()
	}
	if e != nil {
		cells["entered_c"] = e.Value.String()
	}
	return cells
}

func detail(n Name, line int, fields map[string]string) string {
	out := []string{"for " + n.For}
	if n.No != 0 {
		out = append(out, fmt.Sprintf("version %d, %s", n.No, n.State))
	}
	if line != 0 {
		out = append(out, fmt.Sprintf("line %d", line))
	}
	for _, column := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, column+"="+fields[column])
	}
	return strings.Join(out, ", ")
}

func (t table) limits(l *Limits) {
	span := func(from, until time.Time) string {
		return from.Format(time.RFC3339) + " to " + until.Format(time.RFC3339)
	}
	for _, x := range l.Epochs {
		what := "not opened"
		if x.Opened {
			what = "opened"
		}
		t.row("epoch", nil, map[string]string{"what": what, "detail": span(x.From, x.Until)})
	}
	for _, x := range l.Unlinked {
		t.row("unlinked", nil, map[string]string{"gate": x.Gate, "what": x.Key,
			"detail": fmt.Sprintf("%d records, %s", x.Records, span(x.Oldest, x.Newest))})
	}
	for _, x := range l.Removed {
		t.row("removed", nil, map[string]string{"gate": x.Gate, "what": string(x.Kind),
			"detail": fmt.Sprintf("%d records, %s", x.Records, span(x.Oldest, x.Newest))})
	}
	for _, x := range l.Unread {
		t.row("unread", nil, map[string]string{"what": x.List, "detail": detail(x.Name, 0, nil) + ": " + x.Why})
	}
	for _, gate := range slices.Sorted(maps.Keys(l.Unreadable)) {
		t.row("unreadable", nil, map[string]string{"gate": gate, "detail": fmt.Sprint(l.Unreadable[gate])})
	}
}
