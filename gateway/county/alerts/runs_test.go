package alerts

import (
	"context"
	"database/sql"
	"gatehouse/gateway/county/audit"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

// here is where all runs were.
type here string

func (h here) Place(context.Context, *sql.Tx, *wire.Run) (string, error) { return string(h), nil }

// graded returns the record of a run; a grade that begins with "open " or
// "withdrawn " is of such a record.
func graded(grade string) *wire.Run {
	r := &wire.Run{Machine: "drone-1", ID: "drone-1-a", Name: "1号无人机", Type: "drone", Source: wire.SourceMAVLink,
		State: fact.RunClosed, Start: wire.At(t0.Add(-time.Minute)), End: wire.At(t0.Add(-time.Second)),
		Grade: grade, Reasons: []string{"nothing-flowed"}, Faults: []string{}}
	if state, rest, other := strings.Cut(grade, " "); other {
		r.State, r.Grade = fact.RunState(state), rest
	}
	return r
}

// What becomes of the alerts of one run that is recorded again and again; "ack"
// acknowledges what is open.
func TestARunThatNeedsSomebodyIsAnAlert(t *testing.T) {
	for name, c := range map[string]struct {
		records []string
		open    string // types
		all     string
	}{
		"dry":         {[]string{"dry"}, "run-dry", "run-dry: nothing-flowed"},
		"leak":        {[]string{"leak"}, "run-leak", "run-leak: nothing-flowed"},
		"disputed":    {[]string{"disputed"}, "run-disputed", "run-disputed: nothing-flowed"},
		"good ones":   {[]string{"proven", "measured", "unproven", "declared"}, "", ""},
		"under way":   {[]string{"open dry", "open leak"}, "", ""},
		"dry twice":   {[]string{"dry", "dry"}, "run-dry", "run-dry: nothing-flowed"},
		"corrected":   {[]string{"dry", "measured"}, "", "run-dry: nothing-flowed (over) ()"},
		"withdrawn":   {[]string{"leak", "withdrawn leak"}, "", "run-leak: nothing-flowed (over) ()"},
		"goes on":     {[]string{"dry", "open dry"}, "", "run-dry: nothing-flowed (over) ()"},
		"ended again": {[]string{"dry", "open dry", "dry"}, "run-dry", "run-dry: nothing-flowed"},
		"another grade": {[]string{"dry", "leak"}, "run-leak",
			"run-dry: nothing-flowed (over) (), run-leak: nothing-flowed"},
		"seen, and recorded again": {[]string{"dry", "ack", "dry"}, "", "run-dry: nothing-flowed (li)"},
		"seen, and worse": {[]string{"dry", "ack", "leak"}, "run-leak",
			"run-dry: nothing-flowed (over) (li), run-leak: nothing-flowed"},
	} {
		l := newList(t)
		l.places = here("丽景苑")
		var batch []wire.Entry
		seq := uint64(0)
		for _, grade := range append(c.records, "end") {
			if grade != "ack" && grade != "end" {
				seq++
				batch = append(batch, committed.Entry(t, seq, t0, graded(grade)))
				continue
			}
			if len(batch) > 0 {
				l.commit(batch...)
			}
			batch = nil
			if grade == "end" {
				break
			}
			for _, a := range l.open() {
				if err := l.Acknowledge(t.Context(), t0, a.ID, audit.By{Actor: "li"}, ""); err != nil {
					t.Fatal(err)
				}
			}
		}
		var open []string
		for _, a := range l.open() {
			open = append(open, string(a.Type))
			want := About{Machine: "drone-1", Name: "1号无人机", Run: "drone-1-a", Place: "丽景苑"}
			if a.Run == nil || *a.Run != want || a.Level != "amber" || !a.At.Equal(t0.Add(-time.Second)) {
				t.Errorf("%s: %+v, %+v", name, a, a.Run)
			}
		}
		if got := strings.Join(open, ", "); got != c.open {
			t.Errorf("%s: open are %q, want %q", name, got, c.open)
		}
		if got := l.brief(); got != c.all {
			t.Errorf("%s: all are %q, want %q", name, got, c.all)
		}
	}
}

func TestTheSameRunOfTwoMachinesIsTwoAlerts(t *testing.T) {
	l := newList(t)
	other := graded("leak")
	other.Machine = "drone-2"
	l.commit(committed.Entry(t, 1, t0, graded("dry")), committed.Entry(t, 2, t0, other))
	for _, a := range l.open() {
		if a.Run.Place != "" {
			t.Errorf("nobody knows the place, and it is %q", a.Run.Place)
		}
	}
	if n, err := l.Open(t.Context()); n["run-leak"] != 1 || n["run-dry"] != 1 || len(n) != 2 || err != nil {
		t.Errorf("%v alerts, %v", n, err)
	}
}

// A desk's file that is made anew reads all runs again: what is old needs nobody.
func TestAnOldRunThatIsReadAgainNeedsNobody(t *testing.T) {
	for after, open := range map[time.Duration]int{time.Hour: 1, 25 * time.Hour: 0} {
		l := newList(t)
		err := l.file.Write(t.Context(), func(tx *sql.Tx) error {
			e := follow.Entry{Agent: committed.Agent, JID: committed.JID, Rebuilt: true,
				Record: committed.Entry(t, 1, t0, graded("dry")).Record}
			_, err := l.Apply(t.Context(), tx, t0.Add(after), []follow.Entry{e})
			return err
		})
		if n, err2 := l.Open(t.Context()); n["run-dry"] != open || len(n) != open || err != nil || err2 != nil {
			t.Errorf("after %s %v are open, want %d; %v, %v", after, n, open, err, err2)
		}
	}
}
