package desk

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// hall is a desk whose clock the test turns, with gates that speak every ten
// seconds while they live.
type hall struct {
	*Desk
	t    *testing.T
	now  time.Time
	late bool                 // whoever attends comes after whoever looks
	beat map[string]time.Time // when each that lives speaks next
}

func newHall(t *testing.T, gates int) *hall {
	t.Helper()
	d, _ := newDesk(t)
	h := &hall{Desk: d, t: t, now: d.began, beat: map[string]time.Time{}}
	for i := range gates {
		agent := fmt.Sprintf("gate-%03d", i+1)
		h.say(wire.LeafStatus, agent, `{"v":1,"state":"online","at":"2026-01-20T08:00:00Z","jid":"","version":"1"}`)
		h.beat[agent] = h.now.Add(time.Duration(i) * 10 * time.Second / time.Duration(gates))
	}
	return h
}

func (h *hall) say(leaf wire.Leaf, agent, payload string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.roll.Receive(h.now, wire.Topic("qinghe", agent, leaf), []byte(payload)); err != nil {
		h.t.Fatal(err)
	}
}

// pass lets time pass; the desk looks, unless it stands still itself.
func (h *hall) pass(span time.Duration, looks bool) {
	h.t.Helper()
	for end := h.now.Add(span); h.now.Before(end); {
		h.now = h.now.Add(lookEvery)
		for agent, at := range h.beat {
			if h.now.After(at) && looks {
				h.say(wire.LeafBeat, agent,
					`{"v":1,"at":"2026-01-20T08:00:00Z","jid":"","last":9,"through":4,"uptime_s":5,"devices":[]}`)
				h.beat[agent] = h.now.Add(10 * time.Second)
			}
		}
		if !looks {
			continue
		}
		if !h.late {
			h.attend(h.now)
		}
		if err := h.look(h.t.Context(), h.now); err != nil {
			h.t.Fatal(err)
		}
	}
}

// die makes gates fall silent.
func (h *hall) die(agents ...string) {
	for _, a := range agents {
		delete(h.beat, a)
	}
}

func (h *hall) live(agents ...string) {
	for _, a := range agents {
		h.beat[a] = h.now
	}
}

// all gives the alerts, the oldest first.
func (h *hall) all() string {
	h.t.Helper()
	out := strings.Split(briefAlerts(h.t, h.Desk), ", ")
	slices.Reverse(out)
	return strings.Join(out, ", ")
}

func (h *hall) open() int {
	h.t.Helper()
	list, err := h.alerts(h.t.Context(), open)
	if err != nil {
		h.t.Fatal(err)
	}
	return len(list)
}

func (h *hall) state(agent string) string { return string(h.shown[agent]) }

func TestAGateThatFallsSilentIsAnAlertUntilItSpeaks(t *testing.T) {
	h := newHall(t, 2)
	h.pass(60*time.Second, true)
	if got := h.all(); got != "" {
		t.Fatalf("both speak: %q", got)
	}
	h.die("gate-001")
	h.pass(16*time.Second, true)
	if h.state("gate-001") != "silent" || h.all() != "" {
		t.Errorf("16 s: its tile is %q, alerts %q", h.state("gate-001"), h.all())
	}
	h.pass(11*time.Second, true)
	if got := h.all(); got != "gate-silent" || h.open() != 1 {
		t.Errorf("27 s: %q", got)
	}
	h.live("gate-001")
	h.pass(2*time.Second, true)
	if got := h.all(); got != "gate-silent cleared" || h.open() != 0 {
		t.Errorf("back: %q, %d are open: nobody has to do anything about it", got, h.open())
	}
	h.die("gate-001")
	h.say(wire.LeafStatus, "gate-001", `{"v":1,"state":"offline","at":"2026-01-20T08:00:00Z","jid":"","version":"1"}`)
	h.pass(11*time.Second, true)
	if got := h.all(); got != "gate-silent cleared, gate-silent" {
		t.Errorf("its last will: %q", got)
	}
}

func TestAProcessThatStoodStillBlamesNoGate(t *testing.T) {
	for _, late := range []bool{false, true} {
		h := newHall(t, 200)
		h.pass(60*time.Second, true)
		h.pass(20*time.Second, false)
		h.late = late
		h.pass(500*time.Millisecond, true)
		h.late = false
		for agent, state := range h.shown {
			if state != fact.Online {
				t.Fatalf("after a stall %s is %s", agent, state)
			}
		}
		h.die("gate-007") // in the stall, which the desk can't know at once
		h.pass(60*time.Second, true)
		if got := h.all(); got != "gate-silent" {
			t.Errorf("alerts %q", got)
		}
	}
}

// Heartbeats are heard as they come while the store keeps the desk busy.
func TestADeskThatIsBusyStillSeesWhoIsSilent(t *testing.T) {
	h := newHall(t, 2)
	h.pass(60*time.Second, true)
	h.die("gate-001")
	for range 6 {
		for range 6 {
			h.now = h.now.Add(time.Second)
			h.attend(h.now)
		}
		h.pass(500*time.Millisecond, true)
	}
	if got := h.all(); got != "gate-silent" {
		t.Errorf("alerts %q", got)
	}
}

func TestABrokerOutOfReachIsOneAlertOfTheCountys(t *testing.T) {
	h := newHall(t, 200)
	h.pass(60*time.Second, true)
	down := h.beat
	h.beat = map[string]time.Time{}
	h.Linked(false)
	h.pass(90*time.Second, true)
	if got := h.all(); got != "gates-silent" {
		t.Fatalf("while the broker is away: %q", got)
	}
	if h.state("gate-001") != "silent" {
		t.Errorf("nothing was heard for 90 s, and the tile says %q", h.state("gate-001"))
	}
	h.Linked(true)
	h.beat = down
	h.pass(60*time.Second, true)
	if got := h.all(); got != "gates-silent cleared" || h.open() != 0 {
		t.Errorf("after it: %q, %d open", got, h.open())
	}
}

func TestManySilentGatesAtOnceAreOneAlert(t *testing.T) {
	h := newHall(t, 200)
	h.die("gate-111")
	h.pass(60*time.Second, true)
	var gone []string
	for i := range 40 {
		gone = append(gone, fmt.Sprintf("gate-%03d", i+1))
	}
	h.die(gone...)
	h.pass(60*time.Second, true)
	if got := h.all(); got != "gate-silent, gates-silent" {
		t.Fatalf("40 of 200: %q", got)
	}
	h.die("gate-150") // a minute later, by itself
	h.pass(60*time.Second, true)
	if got := h.all(); got != "gate-silent, gates-silent, gate-silent" {
		t.Fatalf("and another: %q", got)
	}
	h.live(gone[:38]...)
	h.pass(60*time.Second, true)
	if got := h.all(); got != "gate-silent, gates-silent cleared, gate-silent, gate-silent, gate-silent" || h.open() != 4 {
		t.Errorf("two of them stay away: %q", got)
	}
}

func TestFewSilentGatesAreAnAlertEach(t *testing.T) {
	h := newHall(t, 200)
	h.pass(60*time.Second, true)
	h.die("gate-001", "gate-002", "gate-003", "gate-004")
	h.pass(60*time.Second, true)
	if got := h.all(); got != "gate-silent, gate-silent, gate-silent, gate-silent" {
		t.Errorf("%q", got)
	}
}

// A desk that is started again goes on with the alert that stands.
func TestASilenceOutlivesTheDesk(t *testing.T) {
	held := &records{}
	path := filepath.Join(t.TempDir(), "desk.db")
	h := &hall{Desk: open1(t, path, held), t: t, beat: map[string]time.Time{}}
	h.now = h.began
	online := `{"v":1,"state":"online","at":"2026-01-20T08:00:00Z","jid":"","version":"1"}`
	h.say(wire.LeafStatus, "gate-001", online)
	h.pass(60*time.Second, true)
	if got := h.all(); got != "gate-silent" {
		t.Fatalf("%q", got)
	}
	if err := h.Acknowledge(t.Context(), 1, "wang", ""); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h.Desk = open1(t, path, held)
	defer h.Close()
	h.now = h.began
	h.say(wire.LeafStatus, "gate-001", online)
	h.pass(60*time.Second, true)
	if got := h.all(); got != "gate-silent acked by wang: " {
		t.Errorf("after a restart of the desk: %q", got)
	}
	h.live("gate-001")
	h.pass(time.Second, true)
	if got := h.all(); got != "gate-silent cleared acked by wang: " {
		t.Errorf("it speaks: %q", got)
	}
}
