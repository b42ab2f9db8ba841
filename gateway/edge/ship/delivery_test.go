package ship

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func TestEveryRecordIsCommittedWhateverTheNetworkDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		t.Repeat(w.misfortunes())
		w.down(w.now, nil)
		w.up(w.now)
		for range 40 {
			if err := w.settle(); err != nil {
				t.Fatal(err)
			}
			w.pass(helloLast)
		}
		if got, want := w.c.through[w.q.jid], w.q.Durable(); got != want {
			t.Fatalf("the store has %d of %d", got, want)
		}
		for _, e := range w.q.entries {
			if string(w.c.rows[fmt.Sprint(w.q.jid, "/", e.Record.Seq)]) != string(e.Raw) {
				t.Fatalf("seq %d is not stored as it was written", e.Record.Seq)
			}
		}
		if w.q.state.Through != w.q.Durable() || len(w.ahead.waiting) != 0 || w.q.renewed != 0 {
			t.Fatalf("at rest the agent knows %d of %d, %d alarms wait, %d new journals",
				w.q.state.Through, w.q.Durable(), len(w.ahead.waiting), w.q.renewed)
		}
	})
}

// misfortunes are what may happen to agent, network and collector, and what must
// hold after each.
func (w *world) misfortunes() map[string]func(*rapid.T) {
	pick := func(t *rapid.T, m []message) int { return rapid.IntRange(0, len(m)-1).Draw(t, "which") }
	reset := false
	return map[string]func(*rapid.T){
		"append": func(*rapid.T) { w.q.add(health(len(w.q.entries))); w.pump(w.now) },
		"alarm": func(*rapid.T) {
			w.alarm(w.now, overtaker{w.q.add(&wire.Alarm{ID: "a", Type: "fever", State: fact.AlarmRaised}), true})
		},
		"arrive": func(t *rapid.T) {
			if len(w.toCounty) > 0 {
				if err := w.deliverToCounty(pick(t, w.toCounty)); err != nil {
					t.Fatal(err)
				}
			}
		},
		"acknowledge": func(t *rapid.T) {
			if len(w.toAgent) > 0 {
				w.deliverToAgent(pick(t, w.toAgent))
			}
		},
		"repeat": func(t *rapid.T) {
			if len(w.toCounty) > 0 {
				w.toCounty = append(w.toCounty, w.toCounty[pick(t, w.toCounty)])
			}
			if len(w.toAgent) > 0 {
				w.toAgent = append(w.toAgent, w.toAgent[pick(t, w.toAgent)])
			}
		},
		"drop":    func(*rapid.T) { w.toCounty, w.toAgent = nil, nil },
		"cut":     func(*rapid.T) { w.down(w.now, nil); w.up(w.now) },
		"time":    func(t *rapid.T) { w.pass(time.Duration(rapid.IntRange(1, 30).Draw(t, "s")) * time.Second) },
		"restart": func(*rapid.T) { w.c.start++; w.toAgent = append(w.toAgent, w.c.status()) },
		"reset": func(*rapid.T) {
			w.c.term++
			w.c.through, w.c.rows = map[string]uint64{}, map[string][]byte{}
			reset = true
			w.toAgent = append(w.toAgent, w.c.status())
		},
		"": func(t *rapid.T) {
			if !reset && w.q.state.Through > w.c.through[w.q.jid] {
				t.Fatalf("the agent would trim up to %d, the store has %d", w.q.state.Through, w.c.through[w.q.jid])
			}
			if len(w.window.sent) > wire.MaxWindow {
				t.Fatalf("%d batches are in flight", len(w.window.sent))
			}
		},
	}
}

func joined(t *testing.T) *world {
	t.Helper()
	w := newWorld()
	w.q.add(health(1))
	w.up(w.now)
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	if w.q.state.Through != 1 {
		t.Fatalf("the first record is not acknowledged: %+v", w.q.state)
	}
	return w
}

func TestASingleRecordIsSentAtOnce(t *testing.T) {
	w := joined(t)
	w.q.add(health(2))
	w.pump(w.now)
	if len(w.toCounty) != 1 {
		t.Fatalf("%d messages are on their way", len(w.toCounty))
	}
}

func TestAnAlarmOvertakesAFullWindow(t *testing.T) {
	w := joined(t)
	for i := range 100 {
		w.q.add(health(i))
	}
	w.pump(w.now)
	if len(w.toCounty) != wire.MaxWindow {
		t.Fatalf("%d batches are in flight, the window is %d", len(w.toCounty), wire.MaxWindow)
	}
	w.alarm(w.now, overtaker{w.q.add(&wire.Alarm{ID: "a", Type: "fever", State: fact.AlarmRaised}), true})
	b, err := wire.DecodeBatch(w.toCounty[len(w.toCounty)-1].payload)
	if err != nil || !b.Ahead || b.From != 102 {
		t.Fatalf("the last message is %+v, %v", b, err)
	}
	if w.q.state.Through != 1 {
		t.Fatal("the copy moved the watermark")
	}
}

func TestFeversOvertakeFirstAndAcknowledgedAlarmsDoNot(t *testing.T) {
	w := joined(t)
	gone := overtaker{w.q.add(&wire.Alarm{ID: "g", Type: "device-gone", State: fact.AlarmRaised}), false}
	other := overtaker{w.q.add(&wire.Alarm{ID: "h", Type: "device-gone", State: fact.AlarmRaised}), false}
	fever := overtaker{w.q.add(&wire.Alarm{ID: "f", Type: "fever", State: fact.AlarmRaised}), true}
	known := overtaker{w.q.entries[0], true} // acknowledged: found in the journal at a start
	w.down(w.now, nil)
	w.alarm(w.now, known, gone, other, fever)
	w.up(w.now)
	var order []uint64
	for len(w.toCounty) > 0 || len(w.toAgent) > 0 {
		if len(w.toCounty) > 0 {
			if b, err := wire.DecodeBatch(w.toCounty[0].payload); err == nil && b.Ahead {
				order = append(order, b.From)
			}
			if err := w.deliverToCounty(0); err != nil {
				t.Fatal(err)
			}
			continue
		}
		w.deliverToAgent(0)
	}
	if len(order) == 0 || order[0] != fever.Record.Seq || slices.Contains(order, 1) || len(w.ahead.waiting) != 0 {
		t.Errorf("sent ahead: %v; %d wait", order, len(w.ahead.waiting))
	}
}
