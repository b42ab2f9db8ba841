package watch

import (
	"encoding/json"
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
