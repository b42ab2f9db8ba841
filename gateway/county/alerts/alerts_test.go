package alerts

import (
	"database/sql"
	"errors"
	"fmt"
	"gatehouse/gateway/county/audit"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

const low = "journal-disk-low"

// list is a list of alerts with its way from the store.
type list struct {
	*Alerts
	*committed.Way

	t    *testing.T
	held *committed.Store
}

func newList(t *testing.T) *list {
	t.Helper()
	return openList(t, filepath.Join(t.TempDir(), "f.db"))
}

func openList(t *testing.T, path string) *list {
	t.Helper()
	file := committed.Open(
		t,
		path,
		follow.Schema+Schema,
		SchemaOpen,
		SchemaSaid,
		SchemaRuns,
		follow.SchemaNewest,
		SchemaCalls,
		SchemaSettled,
		audit.Schema,
	)
	a, held := New(file, live.New(0), nil), &committed.Store{}
	return &list{a, committed.NewWay(t, file, held, a), t, held}
}

func (l *list) commit(entries ...wire.Entry) {
	l.t.Helper()
	l.Commit(t0, committed.Batch(entries...))
}

// brief lists the alerts, the newest first: type, detail, and what became of it.
func (l *list) brief() string {
	l.t.Helper()
	all, err := l.Last(l.t.Context(), "", 1000)
	if err != nil {
		l.t.Fatal(err)
	}
	var out []string
	for _, a := range all {
		s := string(a.Type)
		if a.Detail != "" {
			s += ": " + a.Detail
		}
		if a.Cleared != nil {
			s += " (over)"
		}
		if a.Acked != nil {
			s += " (" + a.AckedBy + ")"
		}
		if a.Guard != "" {
			s += " guard " + a.Guard
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func (l *list) open() []Alert {
	l.t.Helper()
	out, err := l.read(l.t.Context(), openAlerts()+mostUrgent(), listed)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

func alarm(id, detail string, updates uint64) *wire.Alarm {
	kind, _, _ := strings.Cut(id, ":")
	return &wire.Alarm{ID: id, Type: fact.AlarmType(kind), State: fact.AlarmRaised, Device: "thermometer",
		Detail: detail, Updates: updates}
}

func cleared(id string) *wire.Alarm {
	a := alarm(id, "", 0)
	a.State = fact.AlarmCleared
	return a
}

// Alarms overtake their journal: they come twice, and an older "cleared" must
// not close a newer alarm.
func TestAnOlderEndDoesNotCloseANewerAlarm(t *testing.T) {
	l := newList(t)
	r1 := committed.Entry(t, 1, t0, alarm("device-gone:t", "", 0))
	c1 := committed.Entry(t, 2, t0.Add(1), cleared("device-gone:t"))
	r2 := committed.Entry(t, 3, t0.Add(2), alarm("device-gone:t", "", 0))
	l.Arrive(t0, committed.Batch(r2))
	l.Arrive(t0, committed.Batch(r2))
	if got := l.brief(); got != "device-gone" {
		t.Fatalf("ahead: %q", got)
	}
	l.commit(r1, c1, r2)
	if got := l.brief(); got != "device-gone, device-gone (over)" {
		t.Fatalf("in order: %q", got)
	}
}

func TestAnAlarmWithANewDetailIsTheSameAlertInWhateverOrderItComes(t *testing.T) {
	r1 := committed.Entry(t, 1, t0, alarm(low, "48 h", 0))
	u2 := committed.Entry(t, 2, t0.Add(1), alarm(low, "2 h", 1))
	u3 := committed.Entry(t, 3, t0.Add(2), alarm(low, "only alarms are kept", 1))
	for name, bring := range map[string]func(l *list){
		"in order": func(l *list) { l.commit(r1); l.commit(u2); l.commit(u3) },
		"ahead, then twice": func(l *list) {
			l.Arrive(t0, committed.Batch(u3))
			l.commit(r1, u2, u3)
			l.commit(r1, u2, u3)
		},
		"the middle one last": func(l *list) {
			for _, e := range []wire.Entry{r1, u3, u2} {
				l.Arrive(t0, committed.Batch(e))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newList(t)
			bring(l)
			if got := l.brief(); got != low+": only alarms are kept" {
				t.Errorf("%q", got)
			}
			if all := l.open(); len(all) != 1 || !all[0].At.Equal(t0) {
				t.Errorf("it began at %v, not %v", all[0].At, t0)
			}
		})
	}
}

func TestANewDetailLeavesTheAcknowledgementAlone(t *testing.T) {
	l := newList(t)
	l.commit(committed.Entry(t, 1, t0, alarm(low, "48 h", 0)))
	if err := l.Acknowledge(t.Context(), t0, 1, audit.By{Actor: "wang"}, ""); err != nil {
		t.Fatal(err)
	}
	l.commit(committed.Entry(t, 2, t0.Add(1), alarm(low, "2 h", 1)))
	if got := l.brief(); got != low+": 2 h (wang)" {
		t.Errorf("a new detail: %q", got)
	}
	l.commit(committed.Entry(t, 3, t0.Add(2), cleared(low)))
	l.commit(committed.Entry(t, 4, t0.Add(3), alarm(low, "47 h", 0)))
	if got := l.brief(); got != low+": 47 h, "+low+": 2 h (over) (wang)" {
		t.Errorf("raised again: %q", got)
	}
}

// A journal that was renewed has another jid; its agent goes on with the alarms
// that hold.
func TestAnAlarmGoesOnUnderARenewedJournal(t *testing.T) {
	l := newList(t)
	renewed := func(e wire.Entry) {
		b := committed.Batch(e)
		b.JID = committed.JID[:35] + "b"
		l.Arrive(t0, b)
	}
	l.Arrive(t0, committed.Batch(committed.Entry(t, 5, t0, alarm(low, "48 h", 0)),
		committed.Entry(t, 6, t0.Add(1), alarm("device-gone:r", "gone", 0)),
		committed.Entry(t, 7, t0.Add(2), alarm("fever:3", "", 0))))
	renewed(committed.Entry(t, 9, t0.Add(3), alarm(low, "2 h", 5)))
	renewed(committed.Entry(t, 10, t0.Add(4), cleared("device-gone:r")))
	renewed(committed.Entry(t, 11, t0.Add(5), alarm("fever:3", "", 0))) // another fever, of the new journal's seq 3
	if got := l.brief(); got != "fever, fever, device-gone: gone (over), "+low+": 2 h" {
		t.Errorf("%q", got)
	}
}

func TestWhatHasEndedIsNotRedAndFeversComeFirst(t *testing.T) {
	l := newList(t)
	l.commit(committed.Entry(t, 1, t0, alarm("fever:9", "", 0)),
		committed.Entry(t, 2, t0.Add(1), alarm("journal-write-failed", "x", 0)),
		committed.Entry(t, 3, t0.Add(2), cleared("journal-write-failed")))
	for i := range uint64(listed + 20) {
		at := t0.Add(time.Second + time.Duration(i))
		l.commit(committed.Entry(t, 4+i, at, alarm(fmt.Sprint("device-gone:", i), "gone", 0)))
	}
	if all := l.open(); len(all) != listed || all[0].Type != fact.AlarmFever {
		t.Fatalf("%d, the first %+v", len(all), all[:1])
	}
	over, err := l.read(t.Context(), "type = 'journal-write-failed'")
	if err != nil || len(over) != 1 || over[0].Level != "over" {
		t.Errorf("%+v, %v", over, err)
	}
}

func TestTheAlertsOfAnEarlierVersionGoOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	file := committed.Open(t, path, follow.Schema+Schema, SchemaOpen)
	for _, x := range []struct {
		alarm   string
		kind    fact.AlarmType
		cleared any
	}{{low, low, nil}, {"gate-silent:gate-001", fact.AlarmGateSilent, t0.UnixNano()}} {
		_, err := file.Writer().ExecContext(t.Context(), `INSERT INTO alerts
			(agent, jid, alarm, type, device, detail, passage, seq, at, cleared)
			VALUES ('gate-001', ?, ?, ?, '', '48 h', 0, 7, ?, ?)`,
			committed.JID, x.alarm, x.kind, t0.Add(-time.Hour).UnixNano(), x.cleared)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	l := openList(t, path)
	l.Arrive(t0, committed.Batch(committed.Entry(t, 9, t0, alarm(low, "2 h", 7))))
	if all := l.open(); len(all) != 1 || all[0].Detail != "2 h" {
		t.Errorf("%+v", all)
	}
}

func TestAnAlertIsAcknowledgedOnceByName(t *testing.T) {
	l := newList(t)
	fever := &wire.Alarm{ID: "fever:9", Type: fact.AlarmFever, State: fact.AlarmRaised, Passage: 9}
	l.commit(committed.Entry(t, 1, t0, fever))
	if p := l.open()[0].Passage; p == nil || p.Seq != 9 || p.Journal == "" {
		t.Errorf("the fever is about %+v", p)
	}
	l.commit(committed.Entry(t, 2, t0, &wire.Audit{Actor: "guard", Action: "call-doctor", Passage: 9}))
	if err := l.Acknowledge(t.Context(), t0, 1, audit.By{Actor: "王主任"}, "已联系"); err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{1, 77} {
		if err := l.Acknowledge(t.Context(), t0, id, audit.By{Actor: "李"}, ""); !errors.Is(err, ErrGone) {
			t.Errorf("alert %d: %v", id, err)
		}
	}
	if got := l.brief(); got != "fever (王主任) guard call-doctor" {
		t.Errorf("alerts %q", got)
	}
	all, err := l.Last(t.Context(), "gate-001", 1)
	if err != nil || all[0].Note != "已联系" || !all[0].Acked.Equal(t0) {
		t.Errorf("%+v, %v", all, err)
	}
}

// A desk that is made anew beside an older store raises no alerts of last month.
func TestOldAlarmsOfARebuiltListNeedNobody(t *testing.T) {
	l := newList(t)
	l.held.Keep(committed.Batch(committed.Entry(t, 1, t0.Add(-72*time.Hour), alarm("fever:0", "", 0)),
		committed.Entry(t, 2, t0, alarm("fever:1", "", 0))))
	l.CatchUpAll(t0)
	if all := l.open(); len(all) != 1 || !all[0].At.Equal(t0) {
		t.Errorf("open are %+v", all)
	}
}

// A journal that begins again gives the same seqs to other alarms.
func TestTheAlertsOfAJournalThatBeginsAgainStay(t *testing.T) {
	l := newList(t)
	l.commit(committed.Entry(t, 1, t0, alarm("fever:1", "", 0)))
	err := l.file.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := l.Reset(t.Context(), tx, committed.JID, "former")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b := committed.Batch(committed.Entry(t, 1, t0.Add(time.Hour), alarm("fever:1", "", 0)))
	l.Arrive(t0, b)
	if got := l.brief(); got != "fever, fever" {
		t.Errorf("%q", got)
	}
}
