package presence

import (
	"fmt"
	"gatehouse/gateway/county/audit"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

func TestAGateThatFallsSilentIsAnAlertUntilItIsBack(t *testing.T) {
	c := newCounty(t, 2)
	c.pass(60*time.Second, lookEvery, true)
	if got := c.all(); got != "" {
		t.Fatalf("both live: %q", got)
	}
	c.die("gate-001")
	c.pass(16*time.Second, lookEvery, true)
	if c.shown["gate-001"] != fact.Silent || c.all() != "" {
		t.Errorf("16 s: its tile is %q, alerts %q", c.shown["gate-001"], c.all())
	}
	c.pass(11*time.Second, lookEvery, true)
	if got := c.all(); got != "gate-silent" || c.openAlerts() != 1 {
		t.Errorf("27 s: %q", got)
	}
	c.live("gate-001")
	c.pass(2*time.Second, lookEvery, true)
	if got := c.all(); got != "gate-silent cleared" || c.openAlerts() != 0 {
		t.Errorf("back: %q, %d are open: nobody has to do anything about it", got, c.openAlerts())
	}
	c.die("gate-001")
	c.status("gate-001", fact.Offline)
	c.pass(11*time.Second, lookEvery, true)
	if got := c.all(); got != "gate-silent cleared, gate-silent" {
		t.Errorf("its last will: %q", got)
	}
}

// A gate is switched off for a day and a night: one alert, which ends when it is
// back, and none in between.
func TestADayOfSilenceAndTheReturn(t *testing.T) {
	c := newCounty(t, 2)
	c.pass(time.Minute, lookEvery, true)
	c.die("gate-001")
	c.pass(24*time.Hour, 4*time.Second, true)
	if got := c.all(); got != "gate-silent" || c.shown["gate-001"] != fact.Silent {
		t.Fatalf("after a day: %q, its tile is %s", got, c.shown["gate-001"])
	}
	c.open() // the desk is restarted in the night
	c.status("gate-001", fact.Online)
	c.status("gate-002", fact.Online)
	c.pass(6*time.Hour, 4*time.Second, true)
	if got := c.all(); got != "gate-silent" || c.openAlerts() != 1 {
		t.Fatalf("after a night: %q, %d open", got, c.openAlerts())
	}
	c.live("gate-001")
	c.pass(24*time.Hour, 4*time.Second, true)
	if got := c.all(); got != "gate-silent cleared" || c.openAlerts() != 0 {
		t.Errorf("a day after its return: %q, %d open", got, c.openAlerts())
	}
	all, err := c.list.Last(t.Context(), "gate-001", 1)
	if err != nil || (all[0].Cleared.Sub(all[0].At)-30*time.Hour).Abs() > time.Minute {
		t.Errorf("it was silent from %s to %s, %v", all[0].At, all[0].Cleared, err)
	}
}

func TestAProcessThatStoodStillBlamesNoGate(t *testing.T) {
	for _, late := range []bool{false, true} {
		c := newCounty(t, 200)
		c.pass(60*time.Second, lookEvery, true)
		c.pass(20*time.Second, lookEvery, false)
		c.late = late
		c.pass(500*time.Millisecond, lookEvery, true)
		c.late = false
		for agent, state := range c.shown {
			if state != fact.Online {
				t.Fatalf("after a stall %s is %s", agent, state)
			}
		}
		c.die("gate-007") // in the stall, which the county can't know at once
		c.pass(60*time.Second, lookEvery, true)
		if got := c.all(); got != "gate-silent" {
			t.Errorf("alerts %q", got)
		}
	}
}

// Heartbeats are received as they come while the store keeps the desk busy.
func TestABusyDeskStillSeesWhoIsSilent(t *testing.T) {
	c := newCounty(t, 2)
	c.pass(60*time.Second, lookEvery, true)
	c.die("gate-001")
	for range 6 {
		for range 6 {
			c.now = c.now.Add(time.Second)
			c.Attend(c.now)
		}
		c.pass(500*time.Millisecond, lookEvery, true)
	}
	if got := c.all(); got != "gate-silent" {
		t.Errorf("alerts %q", got)
	}
}

func TestABrokerOutOfReachIsOneAlertOfTheCountys(t *testing.T) {
	c := newCounty(t, 200)
	c.pass(60*time.Second, lookEvery, true)
	down := c.beat
	c.beat = map[string]time.Time{}
	c.Linked(c.now, false)
	c.pass(90*time.Second, lookEvery, true)
	if got := c.all(); got != "gates-silent" {
		t.Fatalf("while the broker is away: %q", got)
	}
	if c.shown["gate-001"] != fact.Silent {
		t.Errorf("nothing was heard for 90 s, and the tile says %q", c.shown["gate-001"])
	}
	c.Linked(c.now, true)
	c.beat = down
	c.pass(60*time.Second, lookEvery, true)
	if got := c.all(); got != "gates-silent cleared" || c.openAlerts() != 0 {
		t.Errorf("after it: %q, %d open", got, c.openAlerts())
	}
}

func TestManySilentGatesAtOnceAreOneAlert(t *testing.T) {
	c := newCounty(t, 200)
	c.die("gate-111")
	c.pass(60*time.Second, lookEvery, true)
	var gone []string
	for i := range 40 {
		gone = append(gone, fmt.Sprintf("gate-%03d", i+1))
	}
	c.die(gone...)
	c.pass(60*time.Second, lookEvery, true)
	if got := c.all(); got != "gate-silent, gates-silent" {
		t.Fatalf("40 of 200: %q", got)
	}
	c.die("gate-150") // a minute later, by itself
	c.pass(60*time.Second, lookEvery, true)
	if got := c.all(); got != "gate-silent, gates-silent, gate-silent" {
		t.Fatalf("and another: %q", got)
	}
	c.live(gone[:38]...)
	c.pass(60*time.Second, lookEvery, true)
	want := "gate-silent, gates-silent cleared, gate-silent, gate-silent, gate-silent"
	if got := c.all(); got != want || c.openAlerts() != 4 {
		t.Errorf("two of them stay away: %q", got)
	}
}

func TestFewSilentGatesAreAnAlertEach(t *testing.T) {
	c := newCounty(t, 200)
	c.pass(60*time.Second, lookEvery, true)
	c.die("gate-001", "gate-002", "gate-003", "gate-004")
	c.pass(60*time.Second, lookEvery, true)
	if got := c.all(); got != "gate-silent, gate-silent, gate-silent, gate-silent" {
		t.Errorf("%q", got)
	}
}

func TestTheAlertOfASilenceGoesOnOverARestart(t *testing.T) {
	c := newCounty(t, 0)
	c.status("gate-001", fact.Online)
	c.pass(60*time.Second, lookEvery, true)
	if got := c.all(); got != "gate-silent" {
		t.Fatalf("%q", got)
	}
	if err := c.list.Acknowledge(t.Context(), c.now, 1, audit.By{Actor: "wang"}, ""); err != nil {
		t.Fatal(err)
	}
	c.open()
	c.status("gate-001", fact.Online)
	c.pass(60*time.Second, lookEvery, true)
	if got := c.all(); got != "gate-silent acked by wang" {
		t.Errorf("after a restart: %q", got)
	}
	c.live("gate-001")
	c.pass(time.Second, lookEvery, true)
	if got := c.all(); got != "gate-silent cleared acked by wang" {
		t.Errorf("it is back: %q", got)
	}
}

// A gate that has sent heartbeats but delivered nothing is known after a
// restart.
func TestAGateThatWasHeardOfIsSilentOverARestart(t *testing.T) {
	c := newCounty(t, 0)
	c.heartbeat(jidX, "", 1, 0)
	for range 2 {
		c.pass(time.Minute, lookEvery, true)
		if got := c.all(); got != "gate-silent" {
			t.Fatalf("silent for a minute: %q", got)
		}
		c.open()
	}
	c.look()
	if agents, err := c.Look(t.Context(), c.now); err != nil || len(agents) != 2 ||
		agents[0].State != fact.Silent || agents[1].State != fact.Never {
		t.Errorf("%+v, %v", agents, err)
	}
}

func TestABridgeThatIsSwitchedOffIsNoAlert(t *testing.T) {
	c := newCounty(t, 3)
	c.opts.Bridges = func(agent string) bool { return agent != "gate-002" }
	c.pass(time.Minute, lookEvery, true)
	c.die("gate-001", "gate-002", "gate-003") // the site file lists the first two
	c.pass(time.Minute, lookEvery, true)
	if got := c.all(); got != "gate-silent, gate-silent" || c.shown["gate-003"] != fact.Silent {
		t.Errorf("alerts %q, the bridge is %s", got, c.shown["gate-003"])
	}
}
