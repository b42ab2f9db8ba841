package desk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// Alarms overtake their journal: they come twice, and an older "cleared" must
// not close a newer alarm.
func TestTheLaterWordOfAnAlarmHolds(t *testing.T) {
	d, _ := newDesk(t)
	now := time.Now()
	r1 := entry(t, 1, now, alarm("device-gone:t", fact.AlarmRaised))
	c1 := entry(t, 2, now.Add(1), alarm("device-gone:t", fact.AlarmCleared))
	r2 := entry(t, 3, now.Add(2), alarm("device-gone:t", fact.AlarmRaised))
	arrived(t, d, batch(r2))
	arrived(t, d, batch(r2))
	if got := briefAlerts(t, d); got != "device-gone" {
		t.Fatalf("ahead: %q", got)
	}
	took(t, d, batch(r1, c1, r2))
	if got := briefAlerts(t, d); got != "device-gone, device-gone cleared" {
		t.Fatalf("in order: %q", got)
	}
}

func told(id, detail string, updates uint64) *wire.Alarm {
	a := alarm(id, fact.AlarmRaised)
	a.Detail, a.Updates = detail, updates
	return a
}

// words are the alerts with their details, the newest first.
func words(t *testing.T, d *Desk) string {
	t.Helper()
	list, err := d.Alerts(t.Context(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range list {
		s := string(a.Type) + ": " + a.Detail
		if a.Cleared != nil {
			s += " (over)"
		}
		if a.Acked != nil {
			s += " (" + a.AckedBy + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

const low = "journal-disk-low"

func TestAnAlarmInOtherWordsIsTheSameAlertInWhateverOrderItComes(t *testing.T) {
	now := time.Now()
	r1 := entry(t, 1, now, told(low, "48 h", 0))
	u2 := entry(t, 2, now.Add(1), told(low, "2 h", 1))
	u3 := entry(t, 3, now.Add(2), told(low, "only alarms are kept", 1))
	for name, tell := range map[string]func(d *Desk){
		"in order": func(d *Desk) { took(t, d, batch(r1)); took(t, d, batch(u2)); took(t, d, batch(u3)) },
		"ahead, then twice": func(d *Desk) {
			arrived(t, d, batch(u3))
			took(t, d, batch(r1, u2, u3))
			took(t, d, batch(r1, u2, u3))
		},
		"the middle one late": func(d *Desk) { arrived(t, d, batch(r1)); arrived(t, d, batch(u3)); arrived(t, d, batch(u2)) },
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := newDesk(t)
			tell(d)
			if got := words(t, d); got != low+": only alarms are kept" {
				t.Errorf("%q", got)
			}
			list, err := d.Alerts(t.Context(), "", 1)
			if err != nil || !list[0].At.Equal(now) {
				t.Errorf("it began at %v, not %v; %v", list[0].At, now, err)
			}
		})
	}
}

func TestOtherWordsLeaveTheAcknowledgementAlone(t *testing.T) {
	d, _ := newDesk(t)
	now := time.Now()
	took(t, d, batch(entry(t, 1, now, told(low, "48 h", 0))))
	if err := d.Acknowledge(t.Context(), 1, "wang", ""); err != nil {
		t.Fatal(err)
	}
	took(t, d, batch(entry(t, 2, now.Add(1), told(low, "2 h", 1))))
	if got := words(t, d); got != low+": 2 h (wang)" {
		t.Errorf("told again: %q", got)
	}
	took(t, d, batch(entry(t, 3, now.Add(2), alarm(low, fact.AlarmCleared))))
	took(t, d, batch(entry(t, 4, now.Add(3), told(low, "47 h", 0))))
	if got := words(t, d); got != low+": 47 h, "+low+": 2 h (over) (wang)" {
		t.Errorf("raised anew: %q", got)
	}
}

// A journal that was renewed has another jid; its agent goes on with what holds.
func TestAnAlarmGoesOnUnderARenewedJournal(t *testing.T) {
	d, _ := newDesk(t)
	now := time.Now()
	renewed := func(e wire.Entry) { b := batch(e); b.JID = jid[:35] + "b"; arrived(t, d, b) }
	arrived(t, d, batch(entry(t, 5, now, told(low, "48 h", 0)), entry(t, 6, now.Add(1), told("device-gone:r", "gone", 0)),
		entry(t, 7, now.Add(2), told("fever:3", "", 0))))
	renewed(entry(t, 9, now.Add(3), told(low, "2 h", 5)))
	renewed(entry(t, 10, now.Add(4), alarm("device-gone:r", fact.AlarmCleared)))
	renewed(entry(t, 11, now.Add(5), told("fever:3", "", 0))) // another fever, of the new journal's seq 3
	if got := words(t, d); got != "fever: , fever: , device-gone: gone (over), "+low+": 2 h" {
		t.Errorf("%q", got)
	}
}

func TestWhatHasEndedIsNotRedAndFeversComeFirst(t *testing.T) {
	d, _ := newDesk(t)
	now := time.Now().Add(-time.Hour)
	took(t, d, batch(entry(t, 1, now, told("fever:9", "", 0)),
		entry(t, 2, now.Add(1), told("journal-write-failed", "x", 0)),
		entry(t, 3, now.Add(2), alarm("journal-write-failed", fact.AlarmCleared))))
	for i := range uint64(listed + 20) {
		at := now.Add(time.Second + time.Duration(i))
		took(t, d, batch(entry(t, 4+i, at, told(fmt.Sprint("device-gone:", i), "gone", 0))))
	}
	list, err := d.alerts(t.Context(), open+" ORDER BY "+urgentFirst+" LIMIT ?", listed)
	if err != nil || len(list) != listed || list[0].Type != fact.AlarmFever {
		t.Fatalf("%d, the first %+v, %v", len(list), list[:1], err)
	}
	over, err := d.alerts(t.Context(), "type = 'journal-write-failed'")
	if err != nil || len(over) != 1 || over[0].Level != "over" {
		t.Errorf("%+v, %v", over, err)
	}
}

func TestTheAlertsOfAnEarlierVersionGoOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "desk.db")
	file, err := db.Open(path, schema, schemaMachines, schemaLineages, schemaOrigins)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, x := range []struct {
		alarm   string
		kind    fact.AlarmType
		cleared any
	}{{low, low, nil}, {"gate-silent:gate-001", fact.AlarmGateSilent, now.UnixNano()}} {
		_, err := file.Writer().ExecContext(t.Context(), `INSERT INTO alerts (agent, jid, alarm, type, device, detail, passage, seq, at, cleared)
			VALUES ('gate-001', ?, ?, ?, '', '48 h', 0, 7, ?, ?)`, jid, x.alarm, x.kind, now.Add(-time.Hour).UnixNano(), x.cleared)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	d := open1(t, path, &records{})
	defer d.Close()
	arrived(t, d, batch(entry(t, 9, now, told(low, "2 h", 7))))
	list, err := d.alerts(t.Context(), open)
	if err != nil || len(list) != 1 || list[0].Detail != "2 h" {
		t.Errorf("%+v, %v", list, err)
	}
}

// shownTo is what a page that opens now is told of alerts.
func shownTo(t *testing.T, d *Desk, url string) map[string]json.RawMessage {
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
	for k := range f.All {
		if !strings.HasPrefix(k, "a:") {
			delete(f.All, k)
		}
	}
	return f.All
}

func TestAcknowledgingAtTheMomentOfClearingLeavesNothingOnThePages(t *testing.T) {
	d, _ := newDesk(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.Hub.Serve(t.Context(), w, r, nil)
	}))
	defer s.Close()
	for i := range uint64(150) {
		seq := 2*i + 1
		took(t, d, batch(entry(t, seq, time.Now(), told("device-gone:r", "gone", 0))))
		var both sync.WaitGroup
		both.Go(func() {
			if err := d.Acknowledge(t.Context(), int64(i)+1, "wang", ""); err != nil {
				t.Error(err)
			}
		})
		took(t, d, batch(entry(t, seq+1, time.Now(), alarm("device-gone:r", fact.AlarmCleared))))
		both.Wait()
		if left := shownTo(t, d, s.URL); len(left) != 0 {
			t.Fatalf("after %d: %s", i+1, left)
		}
	}
}
