package desk

import (
	"crypto/ed25519"
	"gatehouse/gateway/county/audit"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/calls"
	"gatehouse/gateway/county/notices"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

var voice = ed25519.NewKeyFromSeed([]byte(strings.Repeat("v", ed25519.SeedSize)))

// ether keeps the last message on each topic.
type ether struct {
	mu   sync.Mutex
	last map[string][]byte
}

func (e *ether) Publish(m mqtt.Message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last[m.Topic] = m.Payload
	return nil
}

// await waits until a gate is told something for which good returns true.
func (e *ether) await(t *testing.T, agent string, good func(wire.Desk) bool) {
	t.Helper()
	var d wire.Desk
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		e.mu.Lock()
		payload := e.last[wire.Topic("qinghe", agent, wire.LeafDesk)]
		e.mu.Unlock()
		var err error
		if d, err = wire.Decode[wire.Desk](payload); err != nil {
			continue
		}
		if err := wire.VerifyDesk(d, "qinghe", agent, voice.Public().(ed25519.PublicKey)); err != nil {
			t.Fatal(err)
		}
		if good(d) {
			return
		}
	}
	t.Fatalf("%s is told %+v", agent, d)
}

func speaking(t *testing.T, path string, held *committed.Store) (*Desk, *ether) {
	t.Helper()
	e := &ether{last: map[string][]byte{}}
	d, err := Open(Options{Path: path, Sites: counties(), Records: held, Losses: held, Store: "SQLite", Version: "test",
		Voice: Voice{County: "qinghe", Key: voice, Again: time.Hour},
		Now:   func() time.Time { return t0 }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	d.SpeakBy(e)
	run(t, d)
	return d, e
}

func TestTheDeskTellsAGateOfItsCallsAndNotices(t *testing.T) {
	held, path := &committed.Store{}, filepath.Join(t.TempDir(), "desk.db")
	b := committed.Batch(committed.Entry(t, 1, t0, &wire.Alarm{ID: fact.CallID(fact.RoleDoctor, 41),
		Type: fact.AlarmHelpCalled, State: fact.AlarmRaised, Passage: 41}))
	held.Keep(b)
	d, e := speaking(t, path, held)
	e.await(t, committed.Agent, func(d wire.Desk) bool {
		return len(d.Calls) == 1 && d.Calls[0].State == fact.CallAsked && d.Calls[0].ID == "help-called:doctor-41"
	})
	li := audit.By{Actor: "li"}
	_, err := d.Notices.Write(t.Context(), t0, li, notices.Notice{Zh: "今晚封闭", Until: t0.Add(time.Hour),
		Where: notices.Where{Gate: "gate-002"}})
	if err != nil {
		t.Fatal(err)
	}
	e.await(t, "gate-002", func(d wire.Desk) bool { return len(d.Notices) == 1 && d.Notices[0].Zh == "今晚封闭" })
	open, err := d.Alerts.Calls(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// As a command in another process does.
	other, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = alerts.New(other, live.New(0), nil).Answer(t.Context(), t0, open[0].ID, li,
		calls.Answer{Answer: fact.AnswerOnTheWay, Minutes: 10})
	if err != nil {
		t.Fatal(err)
	}
	answered := func(d wire.Desk) bool { return len(d.Calls) == 1 && d.Calls[0].Minutes == 10 && len(d.Notices) == 0 }
	e.await(t, committed.Agent, answered)
	if got := string(screen(t, d)["a:1"]); !strings.Contains(got, `"minutes":10`) {
		t.Errorf("the page has %s", got)
	}
	_, again := speaking(t, path, held) // the collector is started again
	again.await(t, committed.Agent, answered)
	d.Fenced("another collector")
}
