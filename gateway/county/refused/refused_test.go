package refused

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/testkit/committed"
)

var t0 = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

const gate = "gate-001"

type county struct {
	*Refusals

	t    *testing.T
	list *alerts.Alerts
}

func open(t *testing.T, path string, held *committed.Store) *county {
	t.Helper()
	file := committed.Open(t, path, follow.Schema+alerts.Schema, alerts.SchemaOpen,
		alerts.SchemaSaid, alerts.SchemaRuns, alerts.SchemaCalls, alerts.SchemaSettled)
	list := alerts.New(file, live.New(0), nil)
	r, err := Open(t.Context(), list, held, []string{gate}, t0)
	if err != nil {
		t.Fatal(err)
	}
	return &county{r, t, list}
}

func (c *county) look(now time.Time) {
	c.t.Helper()
	if err := c.Look(c.t.Context(), now); err != nil {
		c.t.Fatal(err)
	}
}

// raised returns the alerts of a type, the newest first.
func (c *county) raised(kind fact.AlarmType) []alerts.Alert {
	c.t.Helper()
	all, err := c.list.Last(c.t.Context(), "", 500)
	if err != nil {
		c.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(a alerts.Alert) bool { return a.Type != kind })
}

func TestAnAgentThatIsRefusedSomethingIsOneAlertThatCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	c := open(t, path, &committed.Store{})
	for i := range uint64(30) {
		c.Refused(gate, "it begins one journal after the other", 100*(i+1))
		c.look(t0.Add(time.Duration(i) * 10 * time.Second))
	}
	if n := c.Messages(); n != 3000 {
		t.Errorf("%d messages are counted", n)
	}
	c = open(t, path, &committed.Store{}) // a restart raises no second one
	c.Refused(gate, "its share of the quarantine is full", 7)
	c.look(t0.Add(5 * time.Minute))
	all := c.raised(fact.AlarmAgentRefused)
	if len(all) != 1 || all[0].Agent != gate || all[0].Level != "red" ||
		!strings.Contains(all[0].Detail, "share of the quarantine is full; 7 ") {
		t.Fatalf("alerts %+v", all)
	}
	c.look(t0.Add(5*time.Minute + calm/2))
	if all := c.raised(fact.AlarmAgentRefused); all[0].Cleared != nil {
		t.Error("it has ended too soon")
	}
	c.look(t0.Add(6*time.Minute + calm))
	if all := c.raised(fact.AlarmAgentRefused); len(all) != 1 || all[0].Cleared == nil {
		t.Errorf("it is calm, and the alerts are %+v", all)
	}
}

func TestInventedAgentsThatAreRefusedDoNotFillTheList(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "f.db"), &committed.Store{})
	for i := range 1000 {
		c.Refused(fmt.Sprint("invented-", i), "it sends too fast", 1)
	}
	c.look(t0)
	c.Refused(gate, "it sends too fast", 1)
	c.look(t0)
	all := c.raised(fact.AlarmAgentRefused)
	if len(all) > mostUnlisted+1 || !slices.ContainsFunc(all, func(a alerts.Alert) bool { return a.Agent == gate }) {
		t.Errorf("%d alerts: %+v", len(all), all)
	}
}

func TestConflictingRecordsAreAnAlertWhileTheyAreInQuarantine(t *testing.T) {
	path, held := filepath.Join(t.TempDir(), "f.db"), &committed.Store{}
	held.SetConflicts(store.Conflicts{Agent: gate, Count: 3, JID: committed.JID, Seq: 7})
	var c *county
	count := func() {
		t.Helper()
		if err := c.Count(t.Context(), t0); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // a restart raises none again
		c = open(t, path, held)
		count()
		count()
		all := c.raised(fact.AlarmJournalConflict)
		if len(all) != 1 || all[0].Cleared != nil || !strings.Contains(all[0].Detail, "3 so far") ||
			!strings.Contains(all[0].Detail, "seq 7") {
			t.Fatalf("%+v", all)
		}
	}
	held.SetConflicts()
	count()
	if all := c.raised(fact.AlarmJournalConflict); len(all) != 1 || all[0].Cleared == nil {
		t.Errorf("they have gone from quarantine: %+v", all)
	}
	if quarantined, lost := c.Lost(); quarantined != 2 || lost != 3 {
		t.Errorf("%d in quarantine, %d lost", quarantined, lost)
	}
}
