package desk

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/site"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

func counties() *site.County {
	compounds := []site.Compound{
		{ID: "k1", Name: "丽景苑", Gates: []string{"gate-001"}},
		{ID: "k2", Name: "金和新村", Gates: []string{"gate-002"}},
	}
	return &site.County{ID: "qinghe", Name: "清和县", Communities: []site.Community{{ID: "c1", Name: "东城社区",
		Grids: []site.Grid{{ID: "g1", Name: "第一网格", Compounds: compounds}}}}}
}

func openDesk(t *testing.T, path string, held *committed.Store) *Desk {
	t.Helper()
	d, err := Open(Options{Path: path, Sites: counties(), Records: held, Losses: held, Store: "SQLite", Version: "test",
		Now: func() time.Time { return t0 }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func newDesk(t *testing.T) (*Desk, *committed.Store) {
	t.Helper()
	held := &committed.Store{}
	return openDesk(t, filepath.Join(t.TempDir(), "desk.db"), held), held
}

// run runs a desk until the test ends.
func run(t *testing.T, d *Desk) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
}

// screen returns the state that a page which opens now gets.
func screen(t *testing.T, d *Desk) map[string]json.RawMessage {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.Hub.Serve(t.Context(), w, r, live.Page{})
	}))
	defer s.Close()
	c, _, err := websocket.Dial(t.Context(), s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow() //nolint:errcheck // it was read
	_, b, err := c.Read(t.Context())
	var f live.Frame
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f.All
}

// within waits until a page shows text under key.
func within(t *testing.T, d *Desk, key, text string) {
	t.Helper()
	var got string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = string(screen(t, d)[key]); strings.Contains(got, text) {
			return
		}
	}
	t.Fatalf("%s is %s, without %s", key, got, text)
}

func passage(screening fact.Temp, reading uint64) *wire.Passage {
	return &wire.Passage{Verdict: fact.VerdictPass, Reasons: []fact.Reason{fact.ReasonNormal},
		Readings:    []uint64{reading},
		Temperature: &wire.Temperature{Screening: screening, Ambient: 2000, Offset: screening}}
}

// What was committed before the start, while it runs, and what was not offered
// to it, all of it is on the pages.
func TestWhatIsCommittedIsOnThePages(t *testing.T) {
	d, held := newDesk(t)
	before := committed.Batch(committed.Entry(t, 1, t0, passage(3650, 1)))
	held.Keep(before)
	run(t, d)
	within(t, d, "totals", `"pass":1`)
	missed := committed.Batch(committed.Entry(t, 2, t0, passage(3650, 2)))
	held.Keep(missed)
	offered := committed.Batch(committed.Entry(t, 3, t0, passage(3650, 3)),
		committed.Entry(t, 4, t0, &wire.Alarm{ID: "fever:4", Type: fact.AlarmFever, State: fact.AlarmRaised}))
	held.Keep(offered)
	d.Committed([]store.Batch{offered})
	within(t, d, "totals", `"pass":3`)
	within(t, d, "a:1", `"fever"`)
	within(t, d, "centre", `"stored":"2020-02-14T06:30:00Z"`)
	within(t, d, "g:gate-001", `"silent"`) // it has delivered, and no heartbeat comes
	within(t, d, "g:gate-002", `"never"`)
	r := d.Ready()
	want := "[1 gate is silent: look at the network and power 2 messages are in quarantine]"
	if len(r.Problems) != 0 || fmt.Sprint(r.Warnings) != want {
		t.Errorf("%+v", r)
	}
}

func TestAHeartbeatIsOnThePages(t *testing.T) {
	d, _ := newDesk(t)
	run(t, d)
	d.Linked(true)
	drone := wire.BeatMachine{Machine: "drone-1", Name: "1号", Type: "drone", State: fact.MachineWorking}
	for leaf, m := range map[wire.Leaf]any{
		wire.LeafStatus: wire.Status{V: 1, State: fact.Online, At: wire.At(t0)},
		wire.LeafBeat: wire.Beat{V: 1, At: wire.At(t0), JID: committed.JID, Last: 9, Through: 4,
			Machines: []wire.BeatMachine{drone}},
	} {
		payload, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		d.Hear(wire.Topic("qinghe", "gate-001", leaf), payload)
	}
	within(t, d, "g:gate-001", `"backlog":5`)
	within(t, d, "m:drone-1", `"working"`)
}

func TestADeskWhoseCollectorStoodDownSaysSo(t *testing.T) {
	d, _ := newDesk(t)
	d.Fenced("another collector has taken over")
	if err := d.look(t.Context(), t0); err != nil {
		t.Fatal(err)
	}
	if r := d.Ready(); len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "taken over") {
		t.Errorf("%+v", r)
	}
	within(t, d, "centre", "taken over")
}

//go:embed testdata/schema5.sql
var schema5 string

// A file of the version before opens and goes on: nothing is taken in again,
// alerts that hold end, and a gate that was silent is not raised twice.
func TestAFileOfTheVersionBeforeGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "desk.db")
	old, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.ExecContext(t.Context(), schema5); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	held := &committed.Store{}
	back := &wire.Alarm{ID: "device-gone:reader", Type: fact.AlarmDeviceGone, State: fact.AlarmCleared}
	held.Keep(committed.Batch(
		committed.Entry(t, 2, t0, passage(3650, 1)), committed.Entry(t, 4, t0, passage(3650, 3)),
		committed.Entry(t, 5, t0, passage(3670, 4)), committed.Entry(t, 6, t0, back)))
	d := openDesk(t, path, held)
	run(t, d)
	within(t, d, "totals", `"pass":2`)
	within(t, d, "m:fogger-9", `"grade":"measured"`)
	hours, err := d.Passages.Hours(t.Context(), "", t0)
	if err != nil || len(hours) != 1 || hours[0].Pass != 2 || *hours[0].Mean != 3660 {
		t.Errorf("hours %+v, %v", hours, err)
	}
	list, err := d.Alerts.Last(t.Context(), "", 10)
	if err != nil || len(list) != 2 || list[0].Cleared == nil && list[1].Cleared == nil {
		t.Errorf("alerts %+v, %v", list, err)
	}
	if page, err := d.Runs.One(t.Context(), "fogger-9", "r"); err != nil || len(page.Chart) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	if users, err := d.People.Users(t.Context()); err != nil || len(users) != 1 {
		t.Errorf("users %+v, %v", users, err)
	}
	if got := d.followers.cursor.Through(committed.JID); got != 6 {
		t.Errorf("it is followed up to %d", got)
	}
}

// A day of a county: gates deliver, one is silent for an hour, and the desk is
// asked at the end of it.
func TestADayAtTheDesk(t *testing.T) {
	d, _ := newDesk(t)
	ctx, now, seq := t.Context(), t0, uint64(0)
	status, err := json.Marshal(wire.Status{V: 1, State: fact.Online, At: wire.At(t0)})
	if err != nil {
		t.Fatal(err)
	}
	p := d.followers.presence
	p.Receive(now, wire.Topic("qinghe", "gate-001", wire.LeafStatus), status)
	for ; now.Before(t0.Add(24 * time.Hour)); now = now.Add(4 * time.Second) {
		silent := now.After(t0.Add(8*time.Hour)) && now.Before(t0.Add(9*time.Hour))
		if now.Unix()%12 == 0 && !silent {
			beat, err := wire.Encode(wire.Beat{V: 1, At: wire.At(now), JID: committed.JID, Last: seq, Through: seq,
				Devices: []wire.BeatDevice{}})
			if err != nil {
				t.Fatal(err)
			}
			p.Receive(now, wire.Topic("qinghe", "gate-001", wire.LeafBeat), beat)
		}
		if now.Unix()%600 == 0 && !silent {
			seq++
			b := committed.Batch(committed.Entry(t, seq, now, passage(3650, seq)))
			if _, err := d.followers.cursor.Take(ctx, now, events(b)); err != nil {
				t.Fatal(err)
			}
		}
		p.Attend(now)
		if err := d.look(ctx, now); err != nil {
			t.Fatal(err)
		}
	}
	hours, err := d.Passages.Hours(ctx, "gate-001", t0)
	if err != nil || len(hours) != 25 {
		t.Fatalf("%d hours, %v", len(hours), err)
	}
	total := 0
	for _, h := range hours {
		total += h.Pass
	}
	if total != 6*24-5 { // five fell into the hour of silence
		t.Errorf("%d passages are counted", total)
	}
	list, err := d.Alerts.Last(ctx, "gate-001", 10)
	if err != nil || len(list) != 1 || list[0].Type != fact.AlarmGateSilent || list[0].Cleared == nil {
		t.Fatalf("alerts %+v, %v", list, err)
	}
	if hour := list[0].Cleared.Sub(list[0].At); hour < time.Hour-2*presence.SilentAfter || hour > time.Hour {
		t.Errorf("it was silent for %s", hour)
	}
}

func events(batches ...store.Batch) []follow.Event { return []follow.Event{{Committed: batches}} }
