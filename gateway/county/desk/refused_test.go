package desk

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

// refusals gives the alerts about refused agents, the newest first.
func refusals(t *testing.T, d *Desk) (out []Alert) {
	t.Helper()
	all, err := d.Alerts(t.Context(), "", 500)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Type == fact.AlarmAgentRefused {
			out = append(out, a)
		}
	}
	return out
}

func look(t *testing.T, d *Desk, now time.Time) {
	t.Helper()
	if err := d.look(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

func TestAnAgentThatIsRefusedSomethingIsOneAlertThatCounts(t *testing.T) {
	held := &records{rows: map[string][]store.Row{}}
	path := filepath.Join(t.TempDir(), "desk.db")
	d := open1(t, path, held)
	now := time.Now()
	for i := range uint64(30) {
		d.Refused("gate-001", "it begins one journal after the other", 100*(i+1))
		look(t, d, now.Add(time.Duration(i)*10*time.Second))
	}
	if n := d.refusedMessages(); n != 3000 {
		t.Errorf("%d messages are counted", n)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open1(t, path, held) // a restart raises no second one
	defer d.Close()
	d.Refused("gate-001", "its share of the quarantine is full", 7)
	look(t, d, now.Add(5*time.Minute))
	all := refusals(t, d)
	if len(all) != 1 || all[0].Agent != "gate-001" || all[0].Level != "red" || !strings.Contains(all[0].Detail, "share of the quarantine is full; 7 ") {
		t.Fatalf("alerts %+v", all)
	}
	look(t, d, now.Add(5*time.Minute+calm/2))
	if all := refusals(t, d); all[0].Cleared != nil {
		t.Error("it has ended too soon")
	}
	look(t, d, now.Add(6*time.Minute+calm))
	if all := refusals(t, d); len(all) != 1 || all[0].Cleared == nil {
		t.Errorf("it is calm, and the alerts are %+v", all)
	}
}

func TestInventedAgentsThatAreRefusedDoNotFillTheList(t *testing.T) {
	d, _ := newDesk(t)
	var err error
	if d.opts.Sites, err = site.Load("../../../deploy/sites.example.yaml"); err != nil {
		t.Fatal(err)
	}
	gate := d.opts.Sites.Agents()[0]
	for i := range 1000 {
		d.Refused(fmt.Sprint("invented-", i), "it sends too fast", 1)
	}
	look(t, d, time.Now())
	d.Refused(gate, "it sends too fast", 1)
	look(t, d, time.Now())
	all := refusals(t, d)
	if len(all) > refusedFew+1 || !slices.ContainsFunc(all, func(a Alert) bool { return a.Agent == gate }) {
		t.Errorf("%d alerts: %+v", len(all), all)
	}
}

// Heartbeats that name ever new journals, or come without end, cost the desk
// nothing that grows.
func TestHeartbeatsOfOneAgentAreBounded(t *testing.T) {
	d, _ := newDesk(t)
	now := time.Now()
	for i := range 200 {
		beat(t, d, now, fmt.Sprintf("0190b1c2-0000-7000-8000-%012d", i), 5, 0)
	}
	if n := len(d.lineages["gate-001"].former); n > mostFormer {
		t.Errorf("%d former journals are remembered", n)
	}
	if n := len(standing(t, d)); n > mostFormer {
		t.Errorf("%d alerts stand", n)
	}
	if all := refusals(t, d); len(all) != 1 || all[0].Agent != "gate-001" {
		t.Errorf("alerts %+v", all)
	}
	payload, err := wire.Encode(wire.Beat{V: 1, At: wire.At(now), JID: jidX, Devices: []wire.BeatDevice{}})
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		d.Hear(wire.Topic("qinghe", "gate-001", wire.LeafBeat), payload)
	}
	if n := len(d.heard["gate-001"]); n > mostHeard {
		t.Errorf("%d heartbeats wait", n)
	}
}
