package presence

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

const jidX, jidY = "0190b1c2-0000-7000-8000-0000000000aa", "0190b1c2-0000-7000-8000-0000000000bb"

// heartbeat lets gate-001 say how its journal stands, and the county look. An
// empty origin is an agent's that does not send it.
func (c *county) heartbeat(jid, origin string, last, through uint64) {
	c.t.Helper()
	b := wire.Beat{V: 1, At: wire.At(c.now), JID: jid, Origin: origin, Last: last, Through: through,
		Devices: []wire.BeatDevice{}}
	payload, err := wire.Encode(b)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Receive(c.now, wire.Topic("qinghe", "gate-001", wire.LeafBeat), payload)
	c.look()
}

func TestRecordsThatAreGoneWithTheirJournalAreCounted(t *testing.T) {
	for name, x := range map[string]struct {
		before, origin string
		last, through  uint64 // of the new journal's first heartbeat
		want           string
	}{
		"removed":                      {jidX, jidY, 3, 0, "at least 40 records"},
		"removed, outgrown meanwhile":  {jidX, jidY, 500, 400, "at least 40 records"},
		"renewed, seqs go on":          {jidX, jidX, 105, 100, ""},
		"renewed, all was sent":        {jidX, jidX, 100, 100, ""},
		"renewed, the end was lost":    {jidX, jidX, 70, 0, "at least 30 records"},
		"renewed, rolled back":         {jidX, jidX, 20, 0, "at least 40 records"},
		"removed, of an older agent":   {"", "", 3, 0, "at least 40 records"},
		"renewed, of an older agent":   {"", "", 105, 100, ""},
		"renewed, and updated at once": {"", jidY, 105, 100, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCounty(t, 0)
			c.heartbeat(jidX, x.before, 90, 60)
			c.now = c.now.Add(time.Minute)
			c.heartbeat(jidX, x.before, 100, 60)
			c.delivered[jidX] = 60
			c.open() // a restart forgets nothing
			c.now = c.now.Add(time.Minute)
			c.heartbeat(jidY, x.origin, x.last, x.through)
			got := c.holding()
			if x.want == "" && len(got) > 0 || x.want != "" && (len(got) != 1 || !strings.Contains(got[0], x.want)) {
				t.Errorf("%q, want %q", got, x.want)
			}
		})
	}
}

// runTwice lets two journals of gate-001 take turns.
func (c *county) runTwice(turns int) {
	c.t.Helper()
	for i := range uint64(turns) {
		c.heartbeat(jidX, "", 100+i, 90)
		c.now = c.now.Add(time.Second)
		c.heartbeat(jidY, "", 95+i, 50)
		c.now = c.now.Add(time.Second)
	}
}

func TestTwoComputersThatRunAsOneAgentAreAnAlert(t *testing.T) {
	c := newCounty(t, 0)
	c.runTwice(3)
	got := c.holding()
	if len(got) != 1 || !strings.HasPrefix(got[0], string(fact.AlarmAgentCloned)) ||
		!strings.Contains(got[0], jidX) || !strings.Contains(got[0], jidY) {
		t.Fatalf("%q", got)
	}
	for range 13 {
		c.now = c.now.Add(time.Minute)
		c.heartbeat(jidX, "", 110, 110)
	}
	if got := c.holding(); len(got) != 0 {
		t.Errorf("one has gone, and %q holds", got)
	}
}

func TestAnAlertOfAClonedAgentEndsOverARestart(t *testing.T) {
	c := newCounty(t, 0)
	c.runTwice(1)
	c.now = c.now.Add(time.Minute)
	c.heartbeat(jidX, "", 100, 90)
	if got := c.holding(); len(got) != 1 || !strings.HasPrefix(got[0], string(fact.AlarmAgentCloned)) {
		t.Fatalf("%q", got)
	}
	c.open()
	c.now = c.now.Add(time.Minute)
	c.heartbeat(jidX, "", 100, 100)
	if got := c.holding(); len(got) != 1 {
		t.Fatalf("after a restart %q hold", got)
	}
	c.now = c.now.Add(20 * time.Minute)
	c.heartbeat(jidX, "", 100, 100)
	if got := c.holding(); len(got) != 0 {
		t.Errorf("one has gone, and %q holds", got)
	}
}

func TestADamagedHeartbeatSaysNothingOfJournals(t *testing.T) {
	c := newCounty(t, 0)
	c.heartbeat(jidX, jidX, 90, 60)
	for _, x := range [][2]string{{jidX[:20] + "x" + jidX[21:], jidX}, {"", ""}, {jidY, "\xef"}} {
		c.heartbeat(x[0], x[1], 10, 0)
	}
	if got := c.holding(); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// Heartbeats that name ever new journals, or come without end, cost the county
// nothing that grows.
func TestHeartbeatsOfOneAgentAreBounded(t *testing.T) {
	c := newCounty(t, 0)
	for i := range 200 {
		c.heartbeat(fmt.Sprintf("0190b1c2-0000-7000-8000-%012d", i), "", 5, 0)
	}
	if n := len(c.lineages.agents["gate-001"].former); n > mostFormer {
		t.Errorf("%d former journals are remembered", n)
	}
	if n := len(c.holding()); n > mostFormer {
		t.Errorf("%d alerts hold", n)
	}
	if len(c.refused) == 0 || c.refused[0] != "gate-001: its heartbeats name one journal after the other" {
		t.Errorf("refused: %q", c.refused)
	}
	payload, err := wire.Encode(wire.Beat{V: 1, At: wire.At(c.now), JID: jidX, Devices: []wire.BeatDevice{}})
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		c.Receive(c.now, wire.Topic("qinghe", "gate-001", wire.LeafBeat), payload)
	}
	if n := len(c.beats["gate-001"]); n != mostBeats {
		t.Errorf("%d heartbeats wait", n)
	}
}
