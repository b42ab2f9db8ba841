package main

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// journal returns how many records a gate's journal holds, and its id.
func (r *enrolRig) journal(folder string) (last int, jid string) {
	r.t.Helper()
	ended := r.start("journal", "journal", "inspect", "--dir", filepath.Join(folder, "journal"))
	if got := r.code("journal", ended); got != 0 {
		r.t.Fatalf("journal inspect: %s", r.output["journal"])
	}
	line := regexp.MustCompile(`journal +(\S+)\non disk +\d+ to (\d+)`)
	found := line.FindStringSubmatch(r.output["journal"].String())
	if found == nil {
		r.t.Fatalf("journal inspect says %s", r.output["journal"])
	}
	last, _ = strconv.Atoi(found[2])
	return last, found[1]
}

// recorded returns how many passages a gate's journal holds.
func (r *enrolRig) recorded(folder string) int {
	r.t.Helper()
	ended := r.start("export", "journal", "export", "--dir", filepath.Join(folder, "journal"))
	if got := r.code("export", ended); got != 0 {
		r.t.Fatalf("journal export: %s", r.output["export"])
	}
	return strings.Count(r.output["export"].String(), `"kind":"passage"`)
}

// forge sends a fever in the name of an agent, as anybody can at this broker: as an alarm
// ahead, as a batch in order, and as a hello.
func (r *enrolRig) forge(agent, jid string) {
	r.t.Helper()
	up, ended := make(chan struct{}, 1), make(chan struct{})
	client := mqtt.New(mqtt.Config{URL: "tcp://" + r.broker, ClientID: "stranger", Log: slog.New(slog.DiscardHandler),
		OnUp: func() { up <- struct{}{} }})
	ctx, cancel := context.WithCancel(r.t.Context())
	go func() { defer close(ended); _ = client.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	<-up
	body, err := wire.EncodeBody(&wire.Alarm{ID: "fever:1", Type: fact.AlarmFever, State: fact.AlarmRaised})
	if err != nil {
		r.t.Fatal(err)
	}
	taken := make(chan struct{}, 3)
	send := func(leaf wire.Leaf, payload []byte, err error) {
		m := mqtt.Message{Topic: wire.Topic("qinghe", agent, leaf), Payload: payload, QoS: 1}
		if err == nil {
			err = client.PublishThen(m, func() { taken <- struct{}{} })
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
	for seq, ahead := range map[uint64]bool{1: false, 900: true} {
		rec := wire.Record{Seq: seq, At: wire.At(time.Now()), Kind: wire.KindAlarm, Body: body}
		raw, err := wire.EncodeRecord(rec)
		if err != nil {
			r.t.Fatal(err)
		}
		payload, err := wire.EncodeBatch(wire.Batch{Agent: agent, JID: jid, From: seq, To: seq, Ahead: ahead,
			Entries: []wire.Entry{{Record: rec, Raw: raw}}})
		send(wire.LeafRecords, payload, err)
	}
	payload, err := wire.Encode(wire.Hello{V: 1, JID: jid, Last: 900, Term: 1 << 60, Nonce: "0123456789abcdef"})
	send(wire.LeafHello, payload, err)
	for range 3 {
		<-taken
	}
}

// alert is a row of the alerts page.
type alert struct{ Agent, Type, Detail string }

func (r *enrolRig) alerts() (list []alert) {
	r.t.Helper()
	if status := r.get("/api/alerts", &list); status != http.StatusOK {
		r.t.Fatalf("the alerts: %d", status)
	}
	return list
}

// refused reports whether an alert says why messages of a gate are not taken.
func (r *enrolRig) refused(agent, why string) bool {
	return slices.ContainsFunc(r.alerts(), func(a alert) bool {
		return a.Agent == agent && a.Type == "agent-refused" && strings.Contains(a.Detail, why)
	})
}

func (r *enrolRig) enrolled(agent, folder string) {
	r.t.Helper()
	ended := r.start("enrol", "enrol", "--again", "--dir", folder, r.newCode(agent))
	r.approve("enrol")
	if got := r.code("enrol", ended); got != 0 {
		r.t.Fatalf("exit code %d: %s", got, r.output["enrol"])
	}
}

// Whoever reaches the broker writes in no gate's name: neither in that of a gate that
// signs nor in one that nobody knows. A gate that is revoked records on, and delivers all
// of it when it is enrolled again, without a restart.
func TestNobodyWritesInAGatesName(t *testing.T) {
	r := newOpenRig(t, "require_signed: true\n")
	folder := r.path("gate")
	r.enrolled("gate-001", folder)
	r.start("agent", "agent", "--config", filepath.Join(folder, "agent.yaml"))
	present := func() {
		if err := r.hw.Present(t.Context(), resident); err != nil {
			t.Fatal(err)
		}
	}
	r.await("the first passage", func() bool { present(); return r.passages("gate-001") > 0 })
	_, jid := r.journal(folder)
	r.forge("gate-001", jid)
	r.forge("gate-001", "3f2b8a52-6c1d-4e0f-9a77-0d3c5b1e8f42")
	r.forge("ghost-77", "3f2b8a52-6c1d-4e0f-9a77-0d3c5b1e8f43")
	r.await("the alert about the forged messages", func() bool { return r.refused("gate-001", "not signed") })
	r.await("the stranger on the list", func() bool {
		list := r.list().Unknown
		return len(list) == 1 && list[0].Agent == "ghost-77"
	})
	before := r.passages("gate-001")
	r.await("another passage", func() bool { present(); return r.passages("gate-001") > before })

	if status := r.post("/api/enrol/decide", `{"revoke":"gate-001"}`); status != http.StatusNoContent {
		t.Fatalf("revoke: %d", status)
	}
	held, began := r.passages("gate-001"), time.Now()
	last, _ := r.journal(folder)
	r.await("records of the revoked gate", func() bool {
		present()
		n, _ := r.journal(folder)
		return n > last+3
	})
	r.await("the refusal of the revoked gate", func() bool {
		return strings.Contains(r.output["collect"].String(), "a client was refused: this gate's identity was revoked")
	})
	t.Logf("refused %s after it was revoked", time.Since(began).Round(time.Millisecond))
	if n := r.passages("gate-001"); n != held {
		t.Errorf("%d passages came after it was revoked", n-held)
	}
	r.enrolled("gate-001", folder)
	r.await("what was recorded meanwhile", func() bool {
		return r.passages("gate-001") > held && r.passages("gate-001") == r.recorded(folder)
	})
	for _, a := range r.alerts() {
		if a.Agent == "ghost-77" || a.Type == string(fact.AlarmFever) || a.Type == string(fact.AlarmJournalConflict) {
			t.Errorf("a forged message is an alert: %+v", a)
		}
	}
	var losses struct{ Quarantine []struct{ Agent string } }
	if r.get("/api/losses", &losses); len(losses.Quarantine) != 0 {
		t.Errorf("in quarantine: %+v", losses.Quarantine)
	}
}
