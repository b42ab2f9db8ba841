package cli_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// callDesk is a collector's folder whose desk has taken in calls.
type callDesk struct {
	t    *testing.T
	dir  string
	file *db.File
	list *alerts.Alerts
}

func newCallDesk(t *testing.T, asked ...fact.Role) *callDesk {
	t.Helper()
	d := &callDesk{t: t, dir: t.TempDir()}
	var err error
	if d.file, err = desk.OpenFile(filepath.Join(d.dir, centre.DeskFile)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.file.Close() })
	d.list = alerts.New(d.file, live.New(0), nil)
	way := committed.NewWay(t, d.file, &committed.Store{}, d.list)
	for i, role := range asked {
		seq := uint64(i + 1)
		way.Commit(storetest.T0, committed.Batch(committed.Entry(t, seq, storetest.T0, &wire.Alarm{
			ID: fact.CallID(role, seq), Type: fact.AlarmHelpCalled, State: fact.AlarmRaised, Passage: seq})))
	}
	return d
}

// run runs gatehouse calls and returns its exit code and what it prints.
func (d *callDesk) run(args ...string) (code int, out string) {
	var b bytes.Buffer
	code = cli.Run(d.t.Context(), append([]string{"calls", "--dir", d.dir}, args...), nil, &b, &b)
	return code, b.String()
}

// lines returns what a command prints, without more than one blank.
func (d *callDesk) lines(args ...string) (lines []string) {
	d.t.Helper()
	code, out := d.run(args...)
	if code != 0 {
		d.t.Fatalf("%q: exit code %d: %s", args, code, out)
	}
	for line := range strings.Lines(out) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

func TestCallsAreListedAnsweredAndEndedInATerminal(t *testing.T) {
	d := newCallDesk(t, fact.RoleDoctor, fact.RoleIT)
	head := "ID GATE ASKS FOR SINCE STATE ANSWER"
	it := "2 gate-001 it 2020-02-14 14:00:00 asked -"
	if got := d.lines("list"); strings.Join(got, "\n") != head+"\n1 gate-001 doctor 2020-02-14 14:00:00 asked -\n"+it {
		t.Fatalf("%q", got)
	}
	d.lines("answer", "1", "on-the-way", "--minutes", "10", "--by", "wang")
	open, err := d.list.Calls(t.Context()) // as the desk tells the gate
	if err != nil || len(open) != 2 || open[0].Said().Minutes != 10 || open[0].By != "wang" {
		t.Fatalf("%+v, %v", open, err)
	}
	at := open[0].Answered.In(shanghai(t)).Format("15:04")
	got := d.lines("list")
	if got[1] != "1 gate-001 doctor 2020-02-14 14:00:00 answered on-the-way 10 min (wang "+at+")" || got[2] != it {
		t.Fatalf("%q", got)
	}
	d.lines("answer", "1", "not-available", "--phone", "120")
	if got := d.lines("list")[1]; !strings.Contains(got, "answered not-available 120 (") {
		t.Errorf("another answer: %q", got)
	}
	d.lines("end", "1")
	if got := d.lines("list"); len(got) != 2 || got[1] != it {
		t.Errorf("ended: %q", got)
	}
	if got := d.lines("list", "-o", "json")[0]; !strings.Contains(got, `"role":"it"`) ||
		!strings.Contains(got, `"state":"asked"`) || !strings.Contains(got, `"waits_since":"2020-02-14T06:00:00Z"`) {
		t.Errorf("as JSON: %s", got)
	}
	d.lines("end", "2", "--by", "li")
	if got := d.lines("list"); got[0] != "no guard asks for anybody" {
		t.Errorf("%q", got)
	}
	last, err := d.list.Last(t.Context(), "", 1)
	if err != nil || last[0].AckedBy != "li" {
		t.Errorf("%+v, %v", last, err)
	}
}

func TestWhatIsWrongWithACallIsSaid(t *testing.T) {
	d := newCallDesk(t, fact.RoleDoctor)
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no number":         {[]string{"answer", "first", "call-us"}, 2, "gatehouse calls list"},
		"no such call":      {[]string{"answer", "7", "call-us"}, 1, "call 7: the call has ended, or does not exist"},
		"no such end":       {[]string{"end", "7"}, 1, "gatehouse calls list"},
		"no such answer":    {[]string{"answer", "1", "perhaps"}, 2, "on-the-way, call-us and not-available"},
		"whom to telephone": {[]string{"answer", "1", "not-available"}, 2, "telephone number is missing"},
		"no telephone":      {[]string{"answer", "1", "call-us", "--phone", "wang"}, 2, "digits"},
		"too many minutes":  {[]string{"answer", "1", "on-the-way", "--minutes", "999"}, 2, "minutes are 0"},
		"no such table":     {[]string{"list", "-o", "xml"}, 2, "table or json"},
		"no such zone":      {[]string{"list", "--time-zone", "Mars/Base"}, 2, "--time-zone"},
		"another folder":    {[]string{"list", "--dir", filepath.Join(d.dir, "none")}, 1, "folder of a collector"},
	} {
		if code, out := d.run(c.args...); code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("%s: exit code %d: %s", name, code, out)
		}
	}
	if got := d.lines("list")[1]; !strings.HasSuffix(got, "asked -") {
		t.Errorf("something was answered: %q", got)
	}
}
