package presence

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"gatehouse/gateway/fact"
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

func TestOnlyAHeartbeatMakesAnAgentOnline(t *testing.T) {
	beat := wire.Beat{V: 1, At: wire.At(t0), Last: 40, Through: 33}
	for name, c := range map[string]struct {
		state    fact.LinkState
		beat     *wire.Beat
		age      time.Duration // of the heartbeat
		listened time.Duration
		want     fact.LinkState
	}{
		"alive":                 {fact.Online, &beat, 3 * time.Second, time.Minute, fact.Online},
		"silent":                {fact.Online, &beat, 16 * time.Second, time.Minute, fact.Silent},
		"offline":               {fact.Offline, &beat, 3 * time.Second, time.Minute, fact.Offline},
		"offline, no heartbeat": {fact.Offline, nil, 0, time.Minute, fact.Offline},
		"just started":          {fact.Online, nil, 0, 3 * time.Second, fact.Online},
		"no heartbeat":          {fact.Online, nil, 0, time.Minute, fact.Silent},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRoll()
			now := t0.Add(time.Hour)
			status := message(t, wire.Status{V: 1, State: c.state, At: wire.At(t0)})
			if err := r.Receive(now, wire.Topic("c", "a", wire.LeafStatus), status); err != nil {
				t.Fatal(err)
			}
			if c.beat != nil {
				err := r.Receive(now.Add(-c.age), wire.Topic("c", "a", wire.LeafBeat), message(t, c.beat))
				if err != nil {
					t.Fatal(err)
				}
			}
			agents := r.Agents(now, c.listened)
			if len(agents) != 1 || agents[0].State != c.want {
				t.Fatalf("got %+v, want %s", agents, c.want)
			}
			if c.beat != nil && *agents[0].Backlog != 7 {
				t.Errorf("the backlog is %d, want 7", *agents[0].Backlog)
			}
		})
	}
}

func TestALastWillOfAnEarlierStartIsNotTheCollectors(t *testing.T) {
	r := NewRoll()
	for _, st := range []wire.CollectorStatus{
		{V: 1, State: fact.Online, Start: "b", At: wire.At(t0.Add(time.Minute))},
		{V: 1, State: fact.Offline, Start: "a", At: wire.At(t0)},
	} {
		if err := r.Receive(t0, wire.Topic("c", wire.CollectorID, wire.LeafStatus), message(t, st)); err != nil {
			t.Fatal(err)
		}
	}
	if r.Collector().State != fact.Online {
		t.Errorf("the collector is %+v", r.Collector())
	}
}

// Whoever may publish under any name does not fill the roll, and hides nobody
// whom the site file lists.
func TestInventedAgentsDoNotFillTheRoll(t *testing.T) {
	r := NewRoll("gate-001")
	status := message(t, wire.Status{V: 1, State: fact.Online, At: wire.At(t0)})
	refused := 0
	for i := range 2 * MostAgents {
		if r.Receive(t0, wire.Topic("c", fmt.Sprint("x", i), wire.LeafStatus), status) != nil {
			refused++
		}
	}
	if err := r.Receive(t0, wire.Topic("c", "gate-001", wire.LeafStatus), status); err != nil {
		t.Error(err)
	}
	if n := len(r.Agents(t0, 0)); n > MostAgents+2 || r.agents["gate-001"] == nil || refused == 0 {
		t.Errorf("the roll has %d agents, gate-001: %v, and refused %d", n, r.agents["gate-001"] != nil, refused)
	}
}
