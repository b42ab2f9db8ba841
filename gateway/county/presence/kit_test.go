package presence

import (
	"fmt"
	"gatehouse/gateway/county/audit"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

const lookEvery = 500 * time.Millisecond

// delivered is what agents have delivered, by jid.
type delivered map[string]uint64

func (d delivered) Through(jid string) uint64 { return d[jid] }
func (d delivered) Knows(string) bool         { return false }

// county is a county's presence with a list of alerts, whose clock the test
// turns, and gates that send a heartbeat every ten seconds while they live.
type county struct {
	*Presence

	t         *testing.T
	path      string
	list      *alerts.Alerts
	delivered delivered
	refused   []string
	now       time.Time
	late      bool                 // Attend is called after Look
	beat      map[string]time.Time // when each gate that lives sends its next
}

func newCounty(t *testing.T, gates int) *county {
	t.Helper()
	c := &county{t: t, path: filepath.Join(t.TempDir(), "f.db"), delivered: delivered{}, now: t0,
		beat: map[string]time.Time{}}
	c.open()
	for i := range gates {
		agent := fmt.Sprintf("gate-%03d", i+1)
		c.status(agent, fact.Online)
		c.beat[agent] = c.now.Add(time.Duration(i) * 10 * time.Second / time.Duration(gates))
	}
	return c
}

// open opens the file, as at a start of the desk.
func (c *county) open() {
	c.t.Helper()
	file := committed.Open(c.t, c.path, follow.Schema+alerts.Schema+Schema,
		SchemaOrigin+alerts.SchemaOpen+alerts.SchemaSaid,
		alerts.SchemaRuns+alerts.SchemaCalls+alerts.SchemaSettled+audit.Schema)
	c.list = alerts.New(file, live.New(0), nil)
	var err error
	c.Presence, err = Open(c.t.Context(), Options{File: file, Hub: live.New(0),
		Gates: []string{"gate-001", "gate-002"}, Alerts: c.list, Delivered: c.delivered,
		Bridges: func(string) bool { return false },
		Refused: func(agent, why string) { c.refused = append(c.refused, agent+": "+why) },
		Log:     slog.New(slog.DiscardHandler)}, c.now)
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *county) status(agent string, state fact.LinkState) {
	c.t.Helper()
	c.Receive(c.now, wire.Topic("qinghe", agent, wire.LeafStatus),
		message(c.t, wire.Status{V: 1, State: state, At: wire.At(t0)}))
}

func (c *county) look() {
	c.t.Helper()
	if _, err := c.Look(c.t.Context(), c.now); err != nil {
		c.t.Fatal(err)
	}
}

// pass lets time pass in steps; the county looks, unless it stands still itself.
func (c *county) pass(span, step time.Duration, looks bool) {
	c.t.Helper()
	for end := c.now.Add(span); c.now.Before(end); {
		c.now = c.now.Add(step)
		if !looks {
			continue
		}
		for agent, at := range c.beat {
			if c.now.After(at) {
				b := wire.Beat{V: 1, At: wire.At(c.now), Last: 9, Through: 4, Devices: []wire.BeatDevice{}}
				c.Receive(c.now, wire.Topic("qinghe", agent, wire.LeafBeat), message(c.t, b))
				c.beat[agent] = c.now.Add(10 * time.Second)
			}
		}
		if !c.late {
			c.Attend(c.now)
		}
		c.look()
	}
}

// die makes gates fall silent.
func (c *county) die(agents ...string) {
	for _, a := range agents {
		delete(c.beat, a)
	}
}

func (c *county) live(agents ...string) {
	for _, a := range agents {
		c.beat[a] = c.now
	}
}

// all lists the alerts, the oldest first.
func (c *county) all() string {
	c.t.Helper()
	list, err := c.list.Last(c.t.Context(), "", 1000)
	if err != nil {
		c.t.Fatal(err)
	}
	var out []string
	for _, a := range slices.Backward(list) {
		s := string(a.Type)
		if a.Cleared != nil {
			s += " cleared"
		}
		if a.Acked != nil {
			s += " acked by " + a.AckedBy
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// holding lists the details of the alerts of gate-001's journals that hold.
func (c *county) holding() (out []string) {
	c.t.Helper()
	list, err := c.list.Last(c.t.Context(), "gate-001", 50)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, a := range list {
		if (a.Type == fact.AlarmJournalLost || a.Type == fact.AlarmAgentCloned) && a.Cleared == nil {
			out = append(out, string(a.Type)+": "+a.Detail)
		}
	}
	return out
}

// openAlerts returns how many alerts are open.
func (c *county) openAlerts() int {
	c.t.Helper()
	open, err := c.list.Open(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	n := 0
	for _, of := range open {
		n += of
	}
	return n
}
