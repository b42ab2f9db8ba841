package kiosk

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
)

// A page that is cut off names those whom the county listed last, not those of the start.
func TestACutOffPageNamesTheContactsOfNow(t *testing.T) {
	k, h, _, s := start(t)
	c, _, err := websocket.Dial(t.Context(), s.URL+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	for _, phone := range []string{"1100", "1101"} {
		now := linked(true)
		now.Help = status.Help{Contacts: []status.Contact{{Role: fact.RoleDoctor, Phone: "1120"},
			{Role: fact.RoleCounty, Phone: phone}}}
		k.status(turned(h, now))
		if got := hears(t, c); got != phone {
			t.Errorf("it names %s first, want %s, who is on duty at the county", got, phone)
		}
	}
}

// hears returns the telephone number that a page is told first, the next time that it is told some.
func hears(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	timeout := time.AfterFunc(30*time.Second, func() { _ = c.CloseNow() })
	defer timeout.Stop()
	for {
		_, b, err := c.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var f live.Frame
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		for _, state := range []map[string]json.RawMessage{f.All, f.Set} {
			var gate struct{ Contacts []Contact }
			if json.Unmarshal(state["gate"], &gate) == nil && len(gate.Contacts) == 2 {
				return gate.Contacts[0].Phone
			}
		}
	}
}
