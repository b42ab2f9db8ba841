package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/health"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/live"
	"gatehouse/gateway/probe"
	"gatehouse/gateway/site"
	"gatehouse/gateway/term"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

// still is a clock that stands.
type still struct{}

var noon = time.Date(2020, 2, 14, 12, 0, 0, 0, time.UTC)

func (still) Now() clock.Moment  { return clock.Moment{Wall: noon, Boot: time.Hour} }
func (still) Synchronised() bool { return true }

// nobody is a gate at whose screen nothing is pressed.
type nobody struct{ kiosk.Guards }

func (nobody) Note(context.Context, wire.Audit) error            { return nil }
func (nobody) Shown(string) string                               { return "" }
func (nobody) Buzz()                                             {}
func (nobody) Retest(context.Context, string, string) error      { return nil }
func (nobody) Enter(context.Context, string, wire.Entered) error { return nil }
func (nobody) Call(context.Context, fact.Role, uint64) error     { return nil }

func (nobody) EndCall(context.Context, string, string) (bool, error) { return false, nil }
func (nobody) Check(context.Context, honesty.CheckStep) error        { return nil }

// views are what the four views say: /readyz, the lamp for the county (true: green)
// or the desk's bar, gatehouse status, and the desk.
type views struct {
	ready        probe.Ready
	lamp         bool
	status, desk string
}

// county is a desk that runs, and what its pages are sent.
type county struct {
	*desk.Desk
	board *health.Board
	url   string
}

func runDesk(t *testing.T) county {
	t.Helper()
	c := county{board: health.NewBoard()}
	var err error
	c.Desk, err = desk.Open(desk.Options{Path: filepath.Join(t.TempDir(), "desk.db"), Sites: &site.County{ID: "c"},
		Records: &committed.Store{}, Losses: &committed.Store{}, Health: c.board,
		BeginsAgain: func(string, string) bool { return false },
		Now:         func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Run(ctx) })
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.Hub.Serve(ctx, w, r, live.Page{})
	}))
	c.url = "ws" + strings.TrimPrefix(s.URL, "http")
	t.Cleanup(func() { cancel(); running.Wait(); s.Close(); _ = c.Close() })
	return c
}

// shows waits until the desk's pages have a key with the given text.
func (c county) shows(t *testing.T, key, text string) (got string) {
	t.Helper()
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		conn, _, err := websocket.Dial(t.Context(), c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetReadLimit(-1)
		_, b, err := conn.Read(t.Context())
		_ = conn.CloseNow()
		var f live.Frame
		if err != nil || json.Unmarshal(b, &f) != nil {
			t.Fatalf("a frame of the desk: %v %s", err, b)
		}
		if got = string(f.All[key]); strings.Contains(got, text) {
			return got
		}
	}
	t.Errorf("the desk's %s is %s, without %s", key, got, text)
	return got
}

// printed returns what gatehouse status prints of messages.
func printed(t *testing.T, roll *presence.Roll) string {
	t.Helper()
	var out, errOut bytes.Buffer
	if err := printRoll(term.New(&out), &errOut, roll, roll.Agents(noon, time.Minute)); err != nil {
		t.Fatal(err)
	}
	return out.String() + errOut.String()
}

func readyz(t *testing.T, address string) (r probe.Ready) {
	t.Helper()
	res, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	if (res.StatusCode == http.StatusOK) != r.Ready {
		t.Errorf("%d with %+v", res.StatusCode, r)
	}
	return r
}

// What an agent is troubled by, its probe, the guard's lamp, gatehouse status and
// the desk say alike.
func TestTheFourViewsOfAnAgentAgree(t *testing.T) {
	d := runDesk(t)
	d.Linked(true)
	for _, kind := range []fact.TroubleKind{"", fact.TroubleNoBroker, fact.TroubleNoCollector, fact.TroubleNoAnswer,
		fact.TroubleStoreRefuses, fact.TroubleNotAcknowledged, fact.TroubleKind(fact.AlarmRecordHeld),
		fact.TroubleKind(fact.AlarmStoreChanged), fact.TroubleKind(fact.AlarmCollectorForeign),
		fact.TroubleBrokerLimit, fact.TroubleClock, fact.TroubleDisk, fact.TroubleKind(fact.AlarmJournalWrite)} {
		t.Run(string(kind), func(t *testing.T) {
			board := status.NewBoard()
			board.SetTurned("station", still{}.Now())
			switch alarm := fact.AlarmType(kind); {
			case kind == fact.TroubleDisk:
				board.SetUnsafe("why it is")
			case alarm.Known():
				board.Set(status.Condition{Type: alarm, Detail: "why it is"})
			case kind != "":
				board.SetDelivery(status.Delivery{Troubles: []wire.Trouble{{Kind: kind, Text: "why it is"}}})
			}
			delivery := board.Snapshot().Delivery
			delivery.Linked = true
			board.SetDelivery(delivery)
			v := views{ready: kioskReady(t, board, kind)}
			snapshot := board.Snapshot()
			screen := kiosk.NewScreen()
			screen.Status(still{}.Now(), snapshot)
			v.lamp = screen.Lamps().County
			beat, err := wire.Encode(wire.Beat{V: 1, At: wire.At(noon), JID: committed.JID, Last: 9, Through: 4,
				Troubles: wire.Bounded(snapshot.Troubles(still{}.Now()))})
			if err != nil {
				t.Fatal(err)
			}
			agent := "gate-" + string(kind)
			if kind == "" {
				agent = "gate-well"
			}
			roll, topic := presence.NewRoll(), wire.Topic("c", agent, wire.LeafBeat)
			if err := roll.Receive(noon, topic, beat); err != nil {
				t.Fatal(err)
			}
			d.Hear(topic, beat)
			v.status, v.desk = printed(t, roll), d.shows(t, "g:"+agent, `"backlog":5`)
			v.agree(t, kind)
			if v.lamp == kind.StopsDelivery() {
				t.Errorf("the lamp is green: %v", v.lamp)
			}
		})
	}
}

// kioskReady returns what the kiosk's /readyz says, once it says kind.
func kioskReady(t *testing.T, board *status.Board, kind fact.TroubleKind) (r probe.Ready) {
	t.Helper()
	k, err := kiosk.New(kiosk.Options{Agent: "gate", Clock: still{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- k.Serve(ctx, l, nobody{}, board) }()
	defer func() { cancel(); <-served }()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		r = readyz(t, l.Addr().String())
		stuck := strings.Contains(strings.Join(r.Problems, ""), "stuck") // no state has come yet
		if !stuck && (kind == "" || names(r, kind)) {
			break
		}
	}
	return r
}

func names(r probe.Ready, kind fact.TroubleKind) bool {
	for _, x := range r.Troubles {
		if x.Kind == kind {
			return true
		}
	}
	return false
}

// agree fails the test unless each view says kind, or with an empty kind nothing.
func (v views) agree(t *testing.T, kind fact.TroubleKind) {
	t.Helper()
	if kind == "" {
		if len(v.ready.Problems) != 0 || !v.lamp ||
			strings.Contains(v.status, "warning") || strings.Contains(v.desk, "troubles") {
			t.Errorf("well: %+v", v)
		}
		return
	}
	problem := false
	for _, x := range v.ready.Troubles {
		problem = problem || x.Kind == kind && x.Problem
	}
	level := map[bool]string{false: "warning ", true: "PROBLEM "}[problem]
	if !names(v.ready, kind) || !strings.Contains(v.status, level+string(kind)+": why it is") ||
		!strings.Contains(v.desk, `"kind":"`+string(kind)+`"`) ||
		strings.Contains(v.desk, `"problem":true`) != problem || v.ready.Ready == problem {
		t.Errorf("they differ: %+v", v)
	}
}

// The collector's troubles: its probe, the desk's pages and gatehouse status.
func TestTheViewsOfTheCollectorAgree(t *testing.T) {
	d := runDesk(t)
	for _, c := range []struct {
		kind    fact.TroubleKind
		problem bool
	}{
		{fact.TroubleNoBroker, true}, {fact.TroubleReports, true}, {"fenced-elsewhere", true}, {"somewhat", false},
	} {
		x := wire.Trouble{Kind: c.kind, Problem: c.problem, Text: "why it is"}
		d.board.Set("test", x)
		v := views{desk: d.shows(t, "centre", `"kind":"`+string(c.kind)+`"`)}
		mux := http.NewServeMux()
		probe.Mount(mux, "test", d)
		s := httptest.NewServer(mux)
		v.ready = readyz(t, strings.TrimPrefix(s.URL, "http://"))
		s.Close()
		payload, err := wire.Encode(wire.CollectorStatus{V: 1, State: fact.Online, At: wire.At(noon),
			Troubles: wire.Bounded(d.board.Troubles(noon))})
		if err != nil {
			t.Fatal(err)
		}
		roll := presence.NewRoll()
		if err := roll.Receive(noon, wire.Topic("c", wire.CollectorID, wire.LeafStatus), payload); err != nil {
			t.Fatal(err)
		}
		v.status = printed(t, roll)
		v.agree(t, c.kind)
		d.board.Clear("test", c.kind)
	}
}
