package held_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/held"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/explain"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/web"
	"gatehouse/gateway/wire"
)

const (
	mine   = "aaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaaaa"
	others = "aaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbbbbb"
	gone   = "cccccccc-bbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// books are records, and books about them.
type books []store.Row

func (b books) Rows(_ context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for _, r := range b {
			if r.Kind == q.Kind && !yield(r, nil) {
				return
			}
		}
	}
}

func (books) Expired(context.Context) ([]store.Expired, error) {
	return []store.Expired{{Agent: "gate-001", Kind: wire.KindPassage, Records: 7, Oldest: at, Newest: at},
		{Agent: "gate-001", Kind: wire.KindHealth, Records: 9, Oldest: at, Newest: at}}, nil
}

func (books) Quarantined(context.Context, int) ([]store.Quarantined, error) {
	return []store.Quarantined{
		{ID: 3, Poison: store.Poison{Raw: []byte(`{"credential":"` + mine + `"`), Reason: "torn"}},
		{ID: 4, Poison: store.Poison{Raw: []byte(others)}},
	}, nil
}

var at = time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)

// all are records about mine and about others, in the order of a journal.
func all(t *testing.T) (out books) {
	t.Helper()
	tap := func(name string) *wire.Reading {
		return &wire.Reading{Device: "reader", Model: "m", Type: fact.ReadingCard, Credential: name, BootID: "b"}
	}
	pass := func(v fact.Verdict, name string, readings ...uint64) *wire.Passage {
		p := storetest.Passage(v, readings...)
		p.Credential = name
		return p
	}
	fever := pass(fact.VerdictFever, mine, 1, 2)
	fever.Episode = &wire.EpisodeStep{ID: "e2", Step: fact.EpisodeOpened, First: 3840, With: "thermometer",
		Since: wire.At(at), Ready: wire.At(at), Until: wire.At(at)}
	quota := pass(fact.VerdictPass, mine, 9)
	quota.Basis = &wire.Basis{Rule: "classes.resident.quota", Household: mine, Used: 1, Times: 2}
	quota.Override = &wire.Override{Guard: "east-1", Reason: "medical", Against: fact.VerdictRefuse}
	seq := uint64(0)
	for _, b := range []wire.Body{tap(mine), storetest.Reading(3840), fever, tap(others),
		pass(fact.VerdictPass, others, 4),
		&wire.Audit{Actor: "east-1", Action: "call-doctor", Passage: 3},
		&wire.Audit{Actor: "east-1", Action: "noted", Passage: 5},
		&wire.Alarm{ID: "fever:3", Type: "fever", State: fact.AlarmRaised, Passage: 3}, tap(mine), quota, tap(gone)} {
		seq++
		e := storetest.Entry(seq, b)
		out = append(out, store.Row{Agent: "gate-001", JID: "j", Seq: seq, At: at, Kind: b.Kind(), Raw: e.Raw})
	}
	return append(out, store.Row{Agent: "gate-002", JID: "x", Seq: 1, At: at, Kind: wire.KindPassage, Raw: []byte("{")})
}

func gather(t *testing.T, who held.Subject) *held.Report {
	t.Helper()
	entries := func(yield func(audit.Entry, error) bool) {
		for n, object := range []string{"passage j/3", "passage gate-001/10", "passage j/5", "pseudonym " + mine} {
			act := audit.Act{Action: audit.LookPassage, Object: object}
			if !yield(audit.Entry{N: uint64(n), At: at, Act: act}, nil) {
				return
			}
		}
	}
	list := func(kind, text string, err error) held.List {
		name := held.Name{List: kind, For: "default", No: 1, State: "in-force"}
		return held.List{Name: name, Text: []byte(text), Err: err}
	}
	r, err := held.Gather(t.Context(), at, who, held.Sources{Records: all(t), Books: all(t), Audit: entries,
		Alerts: func(_ context.Context, jid string, passages []uint64) ([]alerts.Alert, error) {
			if jid != "j" || len(passages) != 2 {
				t.Errorf("asked for %s %d", jid, passages)
			}
			return []alerts.Alert{{ID: 1, Agent: "gate-001", Type: "fever", At: at, Acked: &at,
				AckedBy: "li", Note: "=1"}}, nil
		},
		Lists: func(yield func(held.List) bool) {
			_ = yield(list("roster", "card,class,status,household,from,until\n62E3086CED,resident,active,,,\n", nil)) &&
				yield(list("cases", "card: 62e3086ced\n", nil)) && yield(list("guards", "nonsense", nil)) &&
				yield(list("roster", "", errors.New("no key")))
		}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOnlyWhatIsOfTheCardIsFound(t *testing.T) {
	keys := map[string]bool{"aaaaaaaa": true}
	r := gather(t, held.Subject{Kind: "card", Code: "62E3086CED", Names: map[string]bool{mine: true}, Keys: keys})
	g, l := r.Gates, r.Limits
	for what, c := range map[string][2]int{"passages": {len(g.Passages), 2}, "readings": {len(g.Readings), 3},
		"guards": {len(g.Guards), 1}, "alarms": {len(g.Alarms), 1}, "alerts": {len(g.Alerts), 1},
		"episodes": {len(g.Episodes), 1}, "quotas": {len(g.Quotas), 1}, "quarantine": {len(g.Quarantine), 1},
		"lists": {len(r.Lists), 2}, "looks": {len(r.Looks), 3}, "unlinked": {len(l.Unlinked), 1},
		"removed": {len(l.Removed), 1}, "unread": {len(l.Unread), 2}, "unreadable": {l.Unreadable["gate-002"], 1}} {
		if c[0] != c[1] {
			t.Errorf("%s: %d, want %d", what, c[0], c[1])
		}
	}
	if q := g.Quotas[0]; q.Used != 2 || q.Times != 2 || !q.Household || l.Unlinked[0].Key != "cccccccc" {
		t.Errorf("%+v, %+v", q, l.Unlinked)
	}
	for lang, wants := range map[string][]string{
		"zh": {"首次 38.40 °C，目前：等候复测", "值守 east-1 改判，原判拒绝", "全户已用 2/2 次", "隔离 3：torn"},
		"en": {"first value 38.40 °C", "guard east-1 decided otherwise",
			"2 of 2 used by the household", "acknowledged by li"},
	} {
		words, err := web.Words(lang)
		var b bytes.Buffer
		if err = errors.Join(err, r.Print(&b, explain.Words(words), time.UTC)); err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s does not say %q:\n%s", lang, want, b.String())
			}
		}
	}
	var b bytes.Buffer
	if err := r.CSV(&b); err != nil || strings.Contains(b.String(), ",=") {
		t.Errorf("%v\n%s", err, b.String())
	}
	if rows, err := csv.NewReader(&b).ReadAll(); err != nil || len(rows) < 18 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestACodeIsNoCard(t *testing.T) {
	r := gather(t, held.Subject{Kind: "code", Code: "62E3086CED", Names: map[string]bool{mine: true},
		Keys: map[string]bool{"aaaaaaaa": true}})
	if len(r.Lists) != 1 || r.Lists[0].List != "cases" {
		t.Errorf("%+v", r.Lists)
	}
}
