package watch

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/wire"
)

var t0 = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)

func message(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A status that was retained at the broker says nothing about an agent that
// died since; and what waited at the last word of one that is gone is a lower
// bound.
func TestTheRollDoesNotLookCalm(t *testing.T) {
	status := func(state string) wire.Status { return wire.Status{V: 1, State: state, At: wire.At(t0)} }
	beat := wire.Beat{V: 1, At: wire.At(t0), Last: 40, Through: 33}
	for name, c := range map[string]struct {
		state    string
		beat     *wire.Beat
		age      time.Duration // of the heartbeat
		listened time.Duration
		want     string
	}{
		"alive": {wire.StateOnline, &beat, 3 * time.Second, time.Minute, "a online 3 s 7 – –"},
		"cut off": {wire.StateOnline, &wire.Beat{V: 1, At: wire.At(t0), Last: 40, Through: 33, Oldest: new(wire.At(time.Date(2020, 2, 14, 6, 30, 0, 0, time.Local))), FullInH: new(int64(47))},
			3 * time.Second, time.Minute, "a online 3 s 7 02-14 06:30:00 47 h"},
		"silent":              {wire.StateOnline, &beat, 16 * time.Second, time.Minute, "a silent 16 s ≥ 7 – –"},
		"offline":             {wire.StateOffline, &beat, 3 * time.Second, time.Minute, "a offline 3 s ≥ 7 – –"},
		"offline, never seen": {wire.StateOffline, nil, 0, time.Minute, "a offline – ? – –"},
		"just opened":         {wire.StateOnline, nil, 0, 3 * time.Second, "a online – ? – –"},
		"no heartbeat":        {wire.StateOnline, nil, 0, time.Minute, "a silent – ? – –"},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRoll()
			now := t0.Add(time.Hour)
			if err := r.Take(now, wire.Topic("c", "a", wire.LeafStatus), message(t, status(c.state))); err != nil {
				t.Fatal(err)
			}
			if c.beat != nil {
				if err := r.Take(now.Add(-c.age), wire.Topic("c", "a", wire.LeafBeat), message(t, c.beat)); err != nil {
					t.Fatal(err)
				}
			}
			lines := r.Lines(now, c.listened)
			if len(lines) != 1 {
				t.Fatalf("lines %v", lines)
			}
			if got := strings.TrimSpace(strings.Join(lines[0].Row(), " ")); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheFeedShowsEachFactOnce(t *testing.T) {
	body := message(t, wire.Alarm{ID: "fever:1", Type: "fever", State: wire.AlarmRaised})
	encode := func(ahead bool, from, to uint64) []byte {
		b := wire.Batch{Agent: "gate-001", JID: "9d5d6c1e-9a2f-4a54-8f0c-3c8f9ad20a0e", From: from, To: to, Ahead: ahead}
		for seq := from; seq <= to; seq++ {
			raw, err := wire.EncodeRecord(wire.Record{Seq: seq, At: wire.At(t0), Kind: wire.KindAlarm, Body: body})
			if err != nil {
				t.Fatal(err)
			}
			b.Entries = append(b.Entries, wire.Entry{Raw: raw})
		}
		payload, err := wire.EncodeBatch(b)
		if err != nil {
			t.Fatal(err)
		}
		return payload
	}
	f := NewFeed()
	topic := wire.Topic("c", "gate-001", wire.LeafRecords)
	for i, c := range []struct {
		payload []byte
		want    int
	}{
		{encode(true, 7, 7), 1},
		{encode(false, 6, 7), 1},
		{encode(false, 6, 7), 0},
		{encode(false, 8, 8), 1},
	} {
		items, err := f.Take(topic, c.payload, false)
		if err != nil || len(items) != c.want {
			t.Errorf("message %d shows %v, %v; want %d", i, items, err, c.want)
		}
	}
}

// A last will carries the time of the connection that left it.
func TestAnAgentGoesOfflineNow(t *testing.T) {
	f := NewFeed()
	items, err := f.Take(wire.Topic("c", "gate-001", wire.LeafStatus), message(t, wire.Status{V: 1, State: wire.StateOffline, At: wire.At(t0)}), false)
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	now := t0.Add(2 * time.Hour)
	if line, _ := items[0].Line(now); !strings.HasPrefix(line, now.Local().Format("15:04:05")+"  gate-001    offline") {
		t.Errorf("the line is %q", line)
	}
}

// A last will is published when its broker notices: that may be after the same
// agent has come back.
func TestALateLastWillSaysNothing(t *testing.T) {
	status := func(state string, at time.Duration) []byte {
		return message(t, wire.Status{V: 1, State: state, At: wire.At(t0.Add(at))})
	}
	beat := message(t, wire.Beat{V: 1, At: wire.At(t0)})
	const again = time.Minute // after the first connection
	for name, c := range map[string]struct {
		said []string
		want string
	}{
		"the connection's own":           {[]string{"online", "beat", "will"}, "offline"},
		"of the connection before":       {[]string{"online", "beat", "online again", "will"}, "online"},
		"its own after that":             {[]string{"online", "online again", "will", "will again"}, "offline"},
		"before the new status":          {[]string{"online", "will", "online again"}, "online"},
		"a fresh heartbeat after it":     {[]string{"will", "beat"}, "online"},
		"retained over a living agent":   {[]string{"will again", "beat", "beat"}, "online"},
		"an online after the clock fell": {[]string{"online again", "online"}, "online"},
	} {
		t.Run(name, func(t *testing.T) {
			r, f := NewRoll(), NewFeed()
			shown := ""
			now := t0.Add(time.Hour)
			for _, what := range c.said {
				now = now.Add(time.Second)
				topic, payload := wire.Topic("c", "a", wire.LeafStatus), beat
				switch what {
				case "beat":
					topic = wire.Topic("c", "a", wire.LeafBeat)
				case "online":
					payload = status(wire.StateOnline, time.Millisecond)
				case "will":
					payload = status(wire.StateOffline, 0)
				case "online again":
					payload = status(wire.StateOnline, again+time.Millisecond)
				case "will again":
					payload = status(wire.StateOffline, again)
				}
				items, err := f.Take(topic, payload, false)
				if err != nil || r.Take(now, topic, payload) != nil {
					t.Fatal(err)
				}
				for _, i := range items {
					shown = i.State
				}
			}
			if got := r.Lines(now.Add(time.Second), time.Second)[0].State; got != c.want {
				t.Errorf("the roll says %s, want %s", got, c.want)
			}
			if c.said[len(c.said)-1] != "beat" && shown != c.want {
				t.Errorf("the feed's last word is %q, want %s", shown, c.want)
			}
		})
	}
}

func TestALastWillOfAnEarlierStartIsNotTheCollectors(t *testing.T) {
	r := NewRoll()
	for _, st := range []wire.CollectorStatus{
		{V: 1, State: wire.StateOnline, Start: "b", At: wire.At(t0.Add(time.Minute))},
		{V: 1, State: wire.StateOffline, Start: "a", At: wire.At(t0)},
	} {
		if err := r.Take(t0, wire.Topic("c", wire.CollectorID, wire.LeafStatus), message(t, st)); err != nil {
			t.Fatal(err)
		}
	}
	if r.Collector.State != wire.StateOnline {
		t.Errorf("the collector is %+v", r.Collector)
	}
}

// Whoever may publish under any name, or name any journal, fills neither the
// roll nor the feed, and hides nobody that is listed.
func TestInventedNamesFillNothing(t *testing.T) {
	r, f := NewRoll("gate-001"), NewFeed()
	body := message(t, wire.Alarm{ID: "fever:1", Type: "fever", State: wire.AlarmRaised})
	raw, err := wire.EncodeRecord(wire.Record{Seq: 1, At: wire.At(t0), Kind: wire.KindAlarm, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	status := message(t, wire.Status{V: 1, State: wire.StateOnline, At: wire.At(t0)})
	for i := range 2 * mostAgents {
		name := fmt.Sprint("x", i)
		_ = r.Take(t0, wire.Topic("c", name, wire.LeafStatus), status)
		if _, err := f.Take(wire.Topic("c", name, wire.LeafStatus), status, false); err != nil {
			t.Fatal(err)
		}
		payload, err := wire.EncodeBatch(wire.Batch{Agent: "gate-001", JID: fmt.Sprintf("9d5d6c1e-9a2f-4a54-8f0c-%012d", i), From: 1, To: 1, Entries: []wire.Entry{{Raw: raw}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Take(wire.Topic("c", "gate-001", wire.LeafRecords), payload, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Take(t0, wire.Topic("c", "gate-001", wire.LeafStatus), status); err != nil {
		t.Error(err)
	}
	if n := len(r.Lines(t0, 0)); n > mostAgents+2 || r.agents["gate-001"] == nil {
		t.Errorf("the roll has %d lines, with gate-001: %v", n, r.agents["gate-001"] != nil)
	}
	if len(f.statuses) > mostFeeding || len(f.journals["gate-001"]) > mostJournals {
		t.Errorf("the feed holds %d agents and %d journals", len(f.statuses), len(f.journals["gate-001"]))
	}
}
