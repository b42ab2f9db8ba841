package feed

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/web"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)

const journal = "9d5d6c1e-9a2f-4a54-8f0c-3c8f9ad20a0e"

func message(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fever is a batch of alarms.
func fever(t *testing.T, jid string, ahead bool, from, to uint64) []byte {
	t.Helper()
	body := message(t, wire.Alarm{ID: "fever:1", Type: "fever", State: fact.AlarmRaised})
	b := wire.Batch{Agent: "gate-001", JID: jid, From: from, To: to, Ahead: ahead}
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

func TestTheFeedShowsEachFactOnce(t *testing.T) {
	f := New()
	topic := wire.Topic("c", "gate-001", wire.LeafRecords)
	for i, c := range []struct {
		payload []byte
		want    int
	}{
		{fever(t, journal, true, 7, 7), 1},
		{fever(t, journal, false, 6, 7), 1},
		{fever(t, journal, false, 6, 7), 0},
		{fever(t, journal, false, 8, 8), 1},
		{fever(t, journal, true, 8, 8), 0},
		{fever(t, journal, true, 20, 20), 1},
		{fever(t, journal, true, 20, 20), 0},
		{fever(t, journal, true, 15, 15), 1},
		{fever(t, journal, false, 9, 14), 6},
		{fever(t, journal, false, 15, 19), 4},
		{fever(t, journal, false, 20, 21), 1},
		{fever(t, journal, false, 9, 14), 0},
	} {
		items, err := f.Take(topic, c.payload, false)
		if err != nil || len(items) != c.want {
			t.Errorf("message %d shows %v, %v; want %d", i, items, err, c.want)
		}
	}
}

// A last will carries the time of the connection that left it.
func TestAnAgentGoesOfflineNow(t *testing.T) {
	will := message(t, wire.Status{V: 1, State: fact.Offline, At: wire.At(t0)})
	items, err := New().Take(wire.Topic("c", "gate-001", wire.LeafStatus), will, false)
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	now := t0.Add(2 * time.Hour)
	line, _ := items[0].Line(now, nil)
	if !strings.HasPrefix(line, now.Local().Format("15:04:05")+"  gate-001    offline") {
		t.Errorf("the line is %q", line)
	}
}

// A last will is published when its broker notices: that may be after the same
// agent has come back.
func TestALateLastWillIsIgnored(t *testing.T) {
	status := func(state fact.LinkState, at time.Duration) []byte {
		return message(t, wire.Status{V: 1, State: state, At: wire.At(t0.Add(at))})
	}
	beats := wire.Topic("c", "a", wire.LeafBeat)
	const again = time.Minute // after the first connection
	messages := map[string][]byte{
		"beat":         message(t, wire.Beat{V: 1, At: wire.At(t0)}),
		"online":       status(fact.Online, time.Millisecond),
		"will":         status(fact.Offline, 0),
		"online again": status(fact.Online, again+time.Millisecond),
		"will again":   status(fact.Offline, again),
	}
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
			r, f := presence.NewRoll(), New()
			shown := ""
			now := t0.Add(time.Hour)
			for _, what := range c.said {
				now = now.Add(time.Second)
				topic := wire.Topic("c", "a", wire.LeafStatus)
				if what == "beat" {
					topic = beats
				}
				items, err := f.Take(topic, messages[what], false)
				if err != nil || r.Receive(now, topic, messages[what]) != nil {
					t.Fatal(err)
				}
				for _, i := range items {
					shown = i.State
				}
			}
			if got := r.Agents(now.Add(time.Second), time.Second)[0].State; got != fact.LinkState(c.want) {
				t.Errorf("the roll has %s, want %s", got, c.want)
			}
			if c.said[len(c.said)-1] != "beat" && shown != c.want {
				t.Errorf("the feed showed %q last, want %s", shown, c.want)
			}
		})
	}
}

// Whoever may publish under any name, or name any journal, does not fill the
// feed.
func TestInventedNamesDoNotFillTheFeed(t *testing.T) {
	f := New()
	status := message(t, wire.Status{V: 1, State: fact.Online, At: wire.At(t0)})
	for i := range 2 * mostAgents {
		if _, err := f.Take(wire.Topic("c", fmt.Sprint("x", i), wire.LeafStatus), status, false); err != nil {
			t.Fatal(err)
		}
		payload := fever(t, fmt.Sprintf("9d5d6c1e-9a2f-4a54-8f0c-%012d", i), false, 1, 1)
		if _, err := f.Take(wire.Topic("c", "gate-001", wire.LeafRecords), payload, false); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.statuses) > mostAgents || len(f.journals["gate-001"]) > mostJournals {
		t.Errorf("the feed holds %d agents and %d journals", len(f.statuses), len(f.journals["gate-001"]))
	}
}

func TestARowOfTheStatusTable(t *testing.T) {
	agent := func(state fact.LinkState, age *float64) presence.Agent {
		a := presence.Agent{Agent: "a", State: state, BeatAge: age}
		if age != nil {
			a.Backlog = new(uint64(7))
		}
		return a
	}
	cutOff := agent(fact.Online, new(3.0))
	cutOff.Oldest = new(wire.At(time.Date(2020, 2, 14, 6, 30, 0, 0, time.Local)))
	cutOff.FullInH = new(int64(47))
	for want, a := range map[string]presence.Agent{
		"a online 3 s 7 – –":                 agent(fact.Online, new(3.0)),
		"a online 3 s 7 02-14 06:30:00 47 h": cutOff,
		"a silent 16 s ≥ 7 – –":              agent("silent", new(16.0)),
		"a offline 3 s ≥ 7 – –":              agent(fact.Offline, new(3.0)),
		"a online – ? – –":                   agent(fact.Online, nil),
	} {
		if got := strings.TrimSpace(strings.Join(StatusRow(a), " ")); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A line says in words what a record holds in codes.
func TestALineOfAPassageIsInWords(t *testing.T) {
	at := wire.At(t0)
	next := wire.At(t0.Add(time.Hour))
	passage := func(v fact.Verdict, reasons ...fact.Reason) *wire.Passage {
		value := fact.Temp(3650)
		return &wire.Passage{Verdict: v, Reasons: reasons, Class: "resident", Direction: fact.DirectionOut,
			Credential: "c", Readings: []uint64{1}, Instruction: fact.InstructTurnAway,
			Temperature: &wire.Temperature{Screening: value}, Limits: wire.Limits{Fever: 3730, InvalidBelow: 3500},
			Basis: &wire.Basis{Rule: "classes.resident.quota", Used: 1, Times: 1, Next: &next}}
	}
	for name, c := range map[string]struct {
		body wire.Body
		lang string
		want string
	}{
		"a quota": {passage(fact.VerdictRefuse, fact.ReasonQuota), "en",
			"拒绝 refuse         36.50 °C   out resident  The quota is used up: 1 of 1"},
		"in Chinese": {passage(fact.VerdictRefuse, fact.ReasonQuota), "zh",
			"拒绝 refuse         36.50 °C   出 居民       次数已用完：1 / 1"},
		"a normal value": {passage(fact.VerdictPass, fact.ReasonNormal), "en",
			"通行 pass           36.50 °C   out resident  normal"},
		"two reasons": {passage(fact.VerdictRefuse, fact.ReasonLostCard, "by-moonlight"), "en",
			"拒绝 refuse         36.50 °C   out resident  The card was reported lost; reason.by-moonlight"},
		"an alarm": {&wire.Alarm{ID: "device-gone:r", Type: fact.AlarmDeviceGone, State: fact.AlarmRaised,
			Device: "r"}, "en", "告警 Device unplugged                           r"},
		"one that is over": {&wire.Alarm{ID: "device-gone:r", Type: fact.AlarmDeviceGone, State: fact.AlarmCleared,
			Device: "r"}, "zh", "恢复 设备断开                                r"},
	} {
		item, shown := describe("gate-001", wire.Record{Seq: 1, At: at, Kind: c.body.Kind(), Body: message(t, c.body)})
		words, err := web.Words(c.lang)
		if err != nil || !shown {
			t.Fatal(name, err)
		}
		line, _ := item.Line(t0, words)
		if want := at.Local().Format("15:04:05") + "  gate-001    " + c.want; line != want {
			t.Errorf("%s:\n%s\n%s", name, line, want)
		}
	}
}
