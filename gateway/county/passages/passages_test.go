package passages

import (
	"fmt"
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

// count is a county's count with its way from the store.
type count struct {
	*Passages
	*committed.Way

	t    *testing.T
	held *committed.Store
}

func newCount(t *testing.T) *count {
	t.Helper()
	return openCount(t, filepath.Join(t.TempDir(), "f.db"), t0)
}

func openCount(t *testing.T, path string, now time.Time) *count {
	t.Helper()
	file := committed.Open(t, path, follow.Schema+Schema, follow.SchemaNewest)
	p, err := New(t.Context(), file, live.New(0), now)
	if err != nil {
		t.Fatal(err)
	}
	held := &committed.Store{}
	return &count{p, committed.NewWay(t, file, held, p), t, held}
}

func passed(v fact.Verdict, screening fact.Temp, readings ...uint64) *wire.Passage {
	return &wire.Passage{Verdict: v, Reasons: []fact.Reason{fact.ReasonNormal}, Readings: readings,
		Direction: fact.DirectionIn, Class: "resident",
		Temperature: &wire.Temperature{Screening: screening, Ambient: 2000, Offset: screening}}
}

func amended(v fact.Verdict, screening fact.Temp, readings ...uint64) *wire.Passage {
	p := passed(v, screening, readings...)
	p.Amends = true
	return p
}

// hours lists the hours since a time: pass/retest/invalid/refuse/fever mean.
func (c *count) hours(from time.Time) string {
	c.t.Helper()
	list, err := c.Hours(c.t.Context(), "", from)
	if err != nil {
		c.t.Fatal(err)
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
	c := newCount(t)
	b := committed.Batch(committed.Entry(t, 1, t0, passed(fact.VerdictPass, 3650, 10)),
		committed.Entry(t, 2, t0.Add(1), passed(fact.VerdictPass, 3610, 11)))
	c.Commit(t0, b)
	c.Commit(t0, b, b) // sent again, committed again
	if got := c.hours(t0); got != "2/0/0/0/0 36.30" {
		t.Errorf("hours %q", got)
	}
	c.Commit(t0, committed.Batch(committed.Entry(t, 3, t0.Add(2), amended(fact.VerdictFever, 3810, 11))))
	if got := c.hours(t0); got != "1/0/0/0/1 37.30" {
		t.Errorf("after an amendment %q", got)
	}
	list, err := c.Last(t.Context(), committed.Agent, 10)
	if err != nil || len(list) != 2 || list[0].Verdict != fact.VerdictFever || list[1].Screening.String() != "36.50" {
		t.Errorf("passages %+v, %v", list, err)
	}
	if of, err := c.Hours(t.Context(), committed.Agent, t0); err != nil || len(of) != 1 || of[0].Fever != 1 {
		t.Errorf("of the gate: %+v, %v", of, err)
	}
	if of, err := c.Hours(t.Context(), "gate-002", t0); err != nil || len(of) != 0 {
		t.Errorf("of another gate: %+v, %v", of, err)
	}
}

func TestARestartForgetsNoPassageThatMayBeAmended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	first := committed.Entry(t, 1, t0, passed(fact.VerdictPass, 3650, 10))
	openCount(t, path, t0).Commit(t0, committed.Batch(first))
	c := openCount(t, path, t0)
	c.Commit(t0, committed.Batch(first, committed.Entry(t, 2, t0.Add(1), amended(fact.VerdictFever, 3850, 10))))
	if got := c.hours(t0); got != "0/0/0/0/1 38.50" {
		t.Errorf("hours %q", got)
	}
}

// A passage just before midnight and one just after it are of two hours and of
// two days, in the county's zone, whatever zone the computer is in.
func TestMidnightInTheCountysZonePartsHoursAndDays(t *testing.T) {
	zone := time.FixedZone("county", 8*60*60)
	midnight := time.Date(2020, 2, 15, 0, 0, 0, 0, zone)
	c := newCount(t)
	c.Commit(midnight.Add(-time.Minute), committed.Batch(
		committed.Entry(t, 1, midnight.Add(-2*time.Minute), passed(fact.VerdictPass, 3650, 10)),
		committed.Entry(t, 2, midnight.Add(-time.Minute), passed(fact.VerdictPass, 3650, 11))))
	if hour, n := c.ThisHour(midnight.Add(-time.Second)); hour != midnight.Unix()/3600-1 || n[fact.VerdictPass] != 2 {
		t.Errorf("before midnight: hour %d, %v", hour, n)
	}
	if hour, n := c.ThisHour(midnight); hour != midnight.Unix()/3600 || len(n) != 0 {
		t.Errorf("at midnight nothing has passed yet: hour %d, %v", hour, n)
	}
	c.Commit(midnight.Add(time.Minute), committed.Batch(
		committed.Entry(t, 3, midnight.Add(time.Minute), passed(fact.VerdictFever, 3810, 12)),
		committed.Entry(t, 4, midnight.Add(2*time.Minute), amended(fact.VerdictRefuse, 3810, 11)))) // of yesterday
	if got := c.hours(midnight.Add(-time.Hour)); got != "1/0/0/0/0 36.50, 0/0/0/1/1 38.10" {
		t.Errorf("hours %q", got)
	}
	list, err := c.Hours(t.Context(), "", midnight)
	if err != nil || len(list) != 1 || !list[0].At.Equal(midnight) {
		t.Errorf("of the new day: %+v, %v", list, err)
	}
	_, n := c.ThisHour(midnight.Add(time.Minute))
	if n[fact.VerdictFever] != 1 || n[fact.VerdictRefuse] != 1 || n[fact.VerdictPass] != 0 {
		t.Errorf("this hour: %v", n)
	}
}

// A busy week of one gate: all of it is counted, the last passages are listed.
func TestAWeekIsCountedAndItsEndListed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	c := openCount(t, path, t0)
	seq := uint64(0)
	now := t0
	for ; now.Before(t0.Add(7 * 24 * time.Hour)); now = now.Add(time.Hour) {
		var entries []wire.Entry
		for i := range 6 {
			seq++
			at := now.Add(time.Duration(i) * 10 * time.Minute)
			entries = append(entries, committed.Entry(t, seq, at, passed(fact.VerdictPass, 3650, seq)))
		}
		c.Commit(now.Add(50*time.Minute), committed.Batch(entries...))
		if err := c.Prune(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	list, err := c.Hours(t.Context(), "", t0)
	if err != nil || len(list) != 7*24 || list[0].Pass != 6 || list[len(list)-1].Pass != 6 {
		t.Errorf("%d hours, %v", len(list), err)
	}
	if err := c.Prune(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	shown, err := c.Last(t.Context(), committed.Agent, 1000)
	if err != nil || len(shown) != recentCount || !shown[0].At.Equal(now.Add(-10*time.Minute)) {
		t.Errorf("%d are listed, the last of %v, %v", len(shown), shown[0].At, err)
	}
	again := openCount(t, path, now.Add(-time.Minute))
	if hour, n := again.ThisHour(now.Add(-time.Minute)); hour != unixHour(now)-1 || n[fact.VerdictPass] != 6 {
		t.Errorf("after a restart: hour %d, %v", hour, n)
	}
}

func TestTheFeedShowsTheNewestFirstAndNothingThatIsRebuilt(t *testing.T) {
	c := newCount(t)
	old := committed.Batch(committed.Entry(t, 1, t0.Add(-time.Hour), passed(fact.VerdictPass, 3650, 1)))
	c.held.Keep(old)
	c.CatchUpAll(t0)
	if len(c.feed) != 0 {
		t.Errorf("rebuilt: %+v", c.feed)
	}
	for i := range uint64(20) {
		e := committed.Entry(t, 2+i, t0.Add(time.Duration(i)), passed(fact.VerdictPass, 3650, 2+i))
		c.Commit(t0, committed.Batch(e))
	}
	if len(c.feed) != feedLength || !c.feed[0].At.Equal(t0.Add(19)) {
		t.Errorf("%d, the first of %v", len(c.feed), c.feed[0].At)
	}
	err := c.Show(t.Context(), []string{committed.Agent})
	if err != nil || len(c.feed) != 2 || !c.feed[0].At.Equal(t0.Add(19)) {
		t.Errorf("after a start: %+v, %v", c.feed, err)
	}
}
