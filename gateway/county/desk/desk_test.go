package desk

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

// records is a store in memory.
type records struct {
	mu   sync.Mutex
	rows map[string][]store.Row // by jid

	conflicts []store.Conflicts
}

func (r *records) Rows(_ context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		r.mu.Lock()
		rows := r.rows[q.JID]
		r.mu.Unlock()
		for _, x := range rows {
			if x.Seq > q.After && !yield(x, nil) {
				return
			}
		}
	}
}

func (r *records) Positions(context.Context) (out []store.Position, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for jid, rows := range r.rows {
		out = append(out, store.Position{JID: jid, Agent: rows[0].Agent, Through: rows[len(rows)-1].Seq})
	}
	return out, nil
}

func (r *records) Losses(context.Context) (int, int, error) { return 2, 3, nil }

func (r *records) Conflicts(context.Context) ([]store.Conflicts, error) { return r.conflicts, nil }

const jid = "0190b1c2-0000-7000-8000-00000000000a"

var sites = site.County{ID: "qinghe", Name: "清和县", Communities: []site.Community{{ID: "c1", Name: "东城社区", Grids: []site.Grid{{ID: "g1", Name: "第一网格",
	Compounds: []site.Compound{{ID: "k1", Name: "丽景苑", Gates: []string{"gate-001"}}, {ID: "k2", Name: "金和新村", Gates: []string{"gate-002"}}}}}}}}

func open1(t *testing.T, path string, held *records) *Desk {
	t.Helper()
	d, err := Open(Options{Path: path, Sites: &sites, Records: held, Losses: held, Store: "SQLite", Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newDesk(t *testing.T) (*Desk, *records) {
	t.Helper()
	held := &records{rows: map[string][]store.Row{}}
	d := open1(t, filepath.Join(t.TempDir(), "desk.db"), held)
	t.Cleanup(func() { _ = d.Close() })
	return d, held
}

func entry(t *testing.T, seq uint64, at time.Time, body wire.Body) wire.Entry {
	t.Helper()
	b, err := wire.EncodeBody(body)
	if err != nil {
		t.Fatal(err)
	}
	rec := wire.Record{Seq: seq, At: wire.At(at), Kind: body.Kind(), Body: b}
	raw, err := wire.EncodeRecord(rec)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Entry{Record: rec, Raw: raw}
}

func batch(entries ...wire.Entry) store.Batch {
	return store.Batch{Batch: wire.Batch{Agent: "gate-001", JID: jid, From: entries[0].Record.Seq, To: entries[len(entries)-1].Record.Seq, Entries: entries}}
}

func (r *records) keep(b store.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range b.Entries {
		r.rows[b.JID] = append(r.rows[b.JID], store.Row{Agent: b.Agent, JID: b.JID, Seq: e.Record.Seq, At: e.Record.At.Time, Kind: e.Record.Kind, Raw: e.Raw})
	}
}

func took(t *testing.T, d *Desk, batches ...store.Batch) {
	t.Helper()
	if err := d.take(t.Context(), []event{{committed: batches}}); err != nil {
		t.Fatal(err)
	}
}

func arrived(t *testing.T, d *Desk, b store.Batch) {
	t.Helper()
	b.Ahead = true
	if err := d.take(t.Context(), []event{{arrived: &b}}); err != nil {
		t.Fatal(err)
	}
}

func pass(v fact.Verdict, screening fact.Temp, readings ...uint64) *wire.Passage {
	return &wire.Passage{Verdict: v, Reasons: []fact.Reason{fact.ReasonNormal}, Readings: readings, Direction: fact.DirectionIn, Class: "resident",
		Temperature: &wire.Temperature{Screening: screening, Ambient: 2000, Offset: screening}}
}

func hours(t *testing.T, d *Desk) string {
	t.Helper()
	list, err := d.Hours(t.Context(), "", time.Now().Add(-48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, h := range list {
		mean := "-"
		if h.Mean != nil {
			mean = h.Mean.String()
		}
		out = append(out, fmt.Sprintf("%d/%d/%d/%d/%d %s", h.Pass, h.Retest, h.Invalid, h.Refuse, h.Fever, mean))
	}
	return strings.Join(out, ", ")
}

func TestPassagesAreCountedOnceEach(t *testing.T) {
	d, _ := newDesk(t)
	now := time.Now().Truncate(time.Hour)
	a := batch(entry(t, 1, now, pass(fact.VerdictPass, 3650, 10)), entry(t, 2, now.Add(1), pass(fact.VerdictPass, 3610, 11)))
	took(t, d, a)
	took(t, d, a, a) // sent again, committed again
	if got := hours(t, d); got != "2/0/0/0/0 36.30" {
		t.Errorf("hours %q", got)
	}
	amended := pass(fact.VerdictFever, 3810, 11)
	amended.Amends = true
	took(t, d, batch(entry(t, 3, now.Add(2), amended)))
	if got := hours(t, d); got != "1/0/0/0/1 37.30" {
		t.Errorf("after an amendment %q", got)
	}
	list, err := d.Passages(t.Context(), "gate-001", 10)
	if err != nil || len(list) != 2 || list[0].Verdict != fact.VerdictFever || list[1].Screening.String() != "36.50" {
		t.Errorf("passages %+v, %v", list, err)
	}
}

// The collector never waits for the desk: what was not offered is read from
// the store, and what was offered twice counts once.
func TestWhatWasMissedIsReadFromTheStore(t *testing.T) {
	d, held := newDesk(t)
	now := time.Now().Truncate(time.Hour)
	var all []store.Batch
	for i := range uint64(6) {
		b := batch(entry(t, i+1, now.Add(time.Duration(i)), pass(fact.VerdictPass, 3650, 20+i)))
		all = append(all, b)
		held.keep(b)
	}
	took(t, d, all[0])
	took(t, d, all[3]) // 2 and 3 were not offered
	if got := hours(t, d); got != "1/0/0/0/0 36.50" {
		t.Errorf("before %q", got)
	}
	select {
	case <-d.behind:
	default:
		t.Fatal("the desk does not know that it missed something")
	}
	for range 2 {
		if err := d.catchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	took(t, d, all[4], all[5])
	if got := hours(t, d); got != "6/0/0/0/0 36.50" {
		t.Errorf("after %q", got)
	}
}

func TestARestartedDeskGoesOnWhereItWas(t *testing.T) {
	held := &records{rows: map[string][]store.Row{}}
	path := filepath.Join(t.TempDir(), "desk.db")
	now := time.Now().Truncate(time.Hour)
	d := open1(t, path, held)
	took(t, d, batch(entry(t, 1, now, pass(fact.VerdictPass, 3650, 10))))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open1(t, path, held)
	defer d.Close()
	amended := pass(fact.VerdictFever, 3850, 10)
	amended.Amends = true
	took(t, d, batch(entry(t, 1, now, pass(fact.VerdictPass, 3650, 10)), entry(t, 2, now.Add(1), amended)))
	if got := hours(t, d); got != "0/0/0/0/1 38.50" {
		t.Errorf("hours %q", got)
	}
}

func alarm(id string, state fact.AlarmState) *wire.Alarm {
	kind, _, _ := strings.Cut(id, ":")
	return &wire.Alarm{ID: id, Type: fact.AlarmType(kind), State: state, Device: "thermometer"}
}

func briefAlerts(t *testing.T, d *Desk) string {
	t.Helper()
	list, err := d.Alerts(t.Context(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range list {
		s := string(a.Type)
		if a.Cleared != nil {
			s += " cleared"
		}
		if a.Acked != nil {
			s += " acked by " + a.AckedBy + ": " + a.Note
		}
		if a.Guard != "" {
			s += " guard " + a.Guard
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestAnAlertIsAcknowledgedOnceByName(t *testing.T) {
	d, _ := newDesk(t)
	took(t, d, batch(entry(t, 1, time.Now(), &wire.Alarm{ID: "fever:9", Type: "fever", State: fact.AlarmRaised, Passage: 9})))
	took(t, d, batch(entry(t, 2, time.Now(), &wire.Audit{Actor: "guard", Action: "call-doctor", Passage: 9})))
	if err := d.Acknowledge(t.Context(), 1, "王主任", "已联系"); err != nil {
		t.Fatal(err)
	}
	if err := d.Acknowledge(t.Context(), 1, "李", ""); !errors.Is(err, ErrGone) {
		t.Errorf("a second time: %v", err)
	}
	if err := d.Acknowledge(t.Context(), 77, "李", ""); !errors.Is(err, ErrGone) {
		t.Errorf("another: %v", err)
	}
	if got := briefAlerts(t, d); got != "fever acked by 王主任: 已联系 guard call-doctor" {
		t.Errorf("alerts %q", got)
	}
}

// A desk that is made anew beside an old store does not cry about last month.
func TestOldAlarmsOfARebuiltDeskNeedNobody(t *testing.T) {
	d, held := newDesk(t)
	held.keep(batch(entry(t, 1, time.Now().Add(-72*time.Hour), alarm("fever:0", fact.AlarmRaised)), entry(t, 2, time.Now(), alarm("fever:1", fact.AlarmRaised))))
	if err := d.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, err := d.alerts(t.Context(), open); err != nil || len(list) != 1 {
		t.Errorf("open are %+v, %v", list, err)
	}
}

func TestUsersAndSessions(t *testing.T) {
	d, _ := newDesk(t)
	ctx := t.Context()
	first, err := d.Invite(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	logged, err := d.Invite(ctx, "") // another that stands in a log
	if err != nil {
		t.Fatal(err)
	}
	const good = "correct horse"
	for name, c := range map[string]struct {
		token, name, password string
		want                  error
	}{
		"a guess":           {"guess", "wang", good, ErrInvite},
		"a short password":  {first, "wang", "123456789", ErrWeak},
		"a long password":   {first, "wang", strings.Repeat("x", 73), ErrWeak},
		"no name":           {first, "  ", good, ErrName},
		"a name in lines":   {first, "a\nb", good, ErrName},
		"a name too long":   {first, strings.Repeat("王", 33), good, ErrName},
		"a name of nothing": {first, "\u200b", good, ErrName},
	} {
		if err := d.SetUp(ctx, c.token, c.name, c.password); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.SetUp(ctx, first, " 王主任 ", good); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the same link": first, "the link in the log": logged} {
		if err := d.SetUp(ctx, token, "x", good); !errors.Is(err, ErrInvite) {
			t.Errorf("%s again: %v", name, err)
		}
	}
	colleague, err := d.Invite(ctx, "王主任")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SetUp(ctx, colleague, "王主任", "taken over!!"); !errors.Is(err, ErrName) {
		t.Errorf("a colleague takes a name over: %v", err)
	}
	for name, c := range map[string][2]string{"wrong password": {"王主任", "wrong horse"}, "nobody": {"li", good}, "empty": {"", ""}} {
		if _, err := d.Login(ctx, c[0], c[1]); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	token, err := d.Login(ctx, "王主任", good)
	if err != nil {
		t.Fatal(err)
	}
	if name, until, err := d.Session(ctx, token); err != nil || name != "王主任" || time.Until(until) < 11*time.Hour {
		t.Errorf("session of %q until %s, %v", name, until, err)
	}
	if err := d.Logout(ctx, token); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Session(ctx, token); !errors.Is(err, ErrSession) {
		t.Errorf("after the logout: %v", err)
	}
}

func TestWhoIsNobodyTakesAsLong(t *testing.T) {
	if cost := string(nobody[4:6]); cost != fmt.Sprint(passwordCost) || len(nobody) != 60 {
		t.Fatalf("the hash of nobody has cost %s and %d bytes", cost, len(nobody))
	}
}
