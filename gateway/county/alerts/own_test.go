package alerts

import (
	"encoding/json"
	"gatehouse/gateway/county/audit"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/testkit/committed"
)

func TestAnAlarmOfTheCountysOwnIsOneAlertWhileItHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	l := openList(t, path)
	for i, detail := range []string{"7 messages", "9 messages"} {
		now := t0.Add(time.Duration(i) * time.Minute)
		if err := l.Raise(t.Context(), now, fact.AlarmAgentRefused, "gate-001", detail); err != nil {
			t.Fatal(err)
		}
		l = openList(t, path) // as after a restart
	}
	if got := l.brief(); got != "agent-refused: 9 messages" {
		t.Fatalf("while it holds: %q", got)
	}
	holding, err := l.Holding(t.Context(), fact.AlarmAgentRefused)
	if err != nil || !slices.Equal(holding, []string{"gate-001"}) {
		t.Errorf("it holds of %v, %v", holding, err)
	}
	// The clock is set back: what comes later is later all the same.
	if err := l.Clear(t.Context(), t0.Add(30*time.Second), fact.AlarmAgentRefused, "gate-001"); err != nil {
		t.Fatal(err)
	}
	if got := l.brief(); got != "agent-refused: 9 messages (over)" {
		t.Errorf("after its end: %q", got)
	}
}

func TestALostJournalIsOffTheListWhenItIsAcknowledged(t *testing.T) {
	l := newList(t)
	if err := l.Raise(t.Context(), t0, fact.AlarmJournalLost, "gate-001", "40 records"); err != nil {
		t.Fatal(err)
	}
	all := l.open()
	if len(all) != 1 || all[0].Level != "red" {
		t.Fatalf("%+v", all)
	}
	if err := l.Acknowledge(t.Context(), t0, all[0].ID, audit.By{Actor: "li"}, ""); err != nil {
		t.Fatal(err)
	}
	if all := l.open(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

// shownOn returns the alerts that a page which opens now gets.
func shownOn(t *testing.T, url string) map[string]json.RawMessage {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow() //nolint:errcheck // it was read
	c.SetReadLimit(1 << 22)
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

func TestAcknowledgingAtTheMomentOfClearingLeavesNothingOnThePages(t *testing.T) {
	l := newList(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.hub.Serve(t.Context(), w, r, live.Page{})
	}))
	defer s.Close()
	for i := range uint64(150) {
		seq := 2*i + 1
		l.commit(committed.Entry(t, seq, t0, alarm("device-gone:r", "gone", 0)))
		if i == 0 && len(shownOn(t, s.URL)) != 1 {
			t.Fatal("the alert is not shown")
		}
		var both sync.WaitGroup
		both.Go(func() {
			if err := l.Acknowledge(t.Context(), t0, int64(i)+1, audit.By{Actor: "wang"}, ""); err != nil {
				t.Error(err)
			}
		})
		l.commit(committed.Entry(t, seq+1, t0, cleared("device-gone:r")))
		both.Wait()
		if left := shownOn(t, s.URL); len(left) != 0 {
			t.Fatalf("after %d: %s", i+1, left)
		}
	}
}
