package command

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

var key = ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))

// desk is a desk with one gate, a broker that keeps what is published, and a clock.
type desk struct {
	*Commands

	t    *testing.T
	file *db.File
	now  time.Time
	down error
	sent []wire.Command
}

func (d *desk) Publish(m mqtt.Message) error {
	if d.down != nil {
		return d.down
	}
	c, err := wire.Decode[wire.Command](m.Payload)
	public, _ := key.Public().(ed25519.PublicKey)
	if err = errors.Join(err, c.Check(), wire.VerifyCommand(c, "qinghe", "gate-1", public)); err != nil || m.Retained ||
		m.QoS != 1 || m.Topic != "gatehouse/v1/qinghe/gate-1/command" {
		d.t.Errorf("%s %s: %v", m.Topic, m.Payload, err)
	}
	d.sent = append(d.sent, c)
	return nil
}

func (d *desk) Place(gate string) (community, grid, compound string, ok bool) {
	return "", "", "", gate == "gate-1"
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2020, 2, 14, 14, 0, 0, 0, time.UTC)}
	d.file = committed.Open(t, filepath.Join(t.TempDir(), "desk.db"), audit.Schema+Schema)
	d.Commands = New(Options{File: d.file, Sites: d, County: "qinghe", Key: key,
		Now: func() time.Time { return d.now }, Log: slog.New(slog.DiscardHandler)})
	d.By(d)
	return d
}

func request(action fact.CommandAction) Request {
	return Request{Agent: "gate-1", Action: action, Reason: " 救护车\n进入 "}
}

func (d *desk) ask(action fact.CommandAction) string {
	d.t.Helper()
	id, err := d.Ask(context.Background(), audit.By{Actor: "wang"}, request(action))
	if err != nil {
		d.t.Fatal(err)
	}
	return id
}

// hears takes a nonce of a gate.
func (d *desk) hears(agent, id string) {
	d.t.Helper()
	if err := d.answered(context.Background(), answer{agent, wire.Nonce{V: 1, ID: id,
		Nonce: "c0ffee1234567890"}}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) learns(agent, id string, outcome fact.CommandOutcome, why fact.CommandWhy) {
	d.t.Helper()
	body, err := wire.EncodeBody(&wire.Audit{Actor: "county", Action: "county-open",
		Command: &wire.Commanded{ID: id, Operator: "wang", Outcome: outcome, Why: why}})
	if err != nil {
		d.t.Fatal(err)
	}
	e := follow.Entry{Agent: agent, Record: wire.Record{Seq: 1, At: wire.At(d.now), Kind: wire.KindAudit, Body: body}}
	err = d.file.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := d.Apply(context.Background(), tx, d.now, []follow.Entry{e})
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) state(id string) State {
	d.t.Helper()
	list, err := d.Last(context.Background(), d.now, "gate-1", 100)
	if err != nil {
		d.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(r Row) bool { return r.ID == id })
	if i < 0 {
		d.t.Fatalf("no %s among %+v", id, list)
	}
	return list[i].State
}

func TestACommandIsSentWithTheNonceOfItsGate(t *testing.T) {
	d := open(t)
	id := d.ask(fact.CommandOpen)
	if len(d.sent) != 1 || d.sent[0].Nonce != "" || d.sent[0].Reason != "救护车 进入" || d.sent[0].Operator != "wang" ||
		d.state(id) != Asked {
		t.Fatalf("%+v, %s", d.sent, d.state(id))
	}
	d.hears("gate-2", id)
	d.hears("gate-1", "command-of-nobody")
	if len(d.sent) != 1 {
		t.Fatalf("%+v is sent for another's nonce", d.sent[1])
	}
	d.hears("gate-1", id)
	d.hears("gate-1", id)
	if len(d.sent) != 2 || d.sent[1].Nonce == "" || d.sent[1].ExpiresMS != 10_000 || d.state(id) != Sent {
		t.Fatalf("%+v, %s", d.sent, d.state(id))
	}
	d.learns("gate-2", id, fact.CommandDone, "")
	if d.state(id) != Sent {
		t.Error("another gate's record counts")
	}
	d.now = d.now.Add(Patience)
	if d.state(id) != Unknown {
		t.Errorf("after %s it is %s", Patience, d.state(id))
	}
	d.learns("gate-1", id, fact.CommandUnknown, "")
	d.learns("gate-1", id, fact.CommandDone, "")
	d.learns("gate-1", id, fact.CommandRefused, fact.CommandNonce) // of a copy that somebody has kept
	if d.state(id) != Done {
		t.Errorf("it was done, and is %s", d.state(id))
	}
}

func TestWhatAGateDoesNotAnswerIsNotSent(t *testing.T) {
	d := open(t)
	id := d.ask(fact.CommandRestart)
	if _, err := d.Ask(t.Context(), audit.By{Actor: "li"}, request(fact.CommandRestart)); !errors.Is(err, ErrBusy) {
		t.Errorf("twice: %v", err)
	}
	other := d.ask(fact.CommandOpen)
	again := New(d.opts) // the collector was killed
	again.By(d)
	if err := again.answered(t.Context(), answer{"gate-1", wire.Nonce{V: 1, ID: id,
		Nonce: "c0ffee1234567890"}}); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(Patience)
	if len(d.sent) != 2 || d.state(id) != Undelivered || d.state(other) != Undelivered {
		t.Errorf("%d messages, %s", len(d.sent), d.state(id))
	}
}

func TestWhatCanNotBeCommanded(t *testing.T) {
	for what, c := range map[string]struct {
		edit func(*Request)
		set  func(*desk)
		want error
	}{
		"no reason":     {func(r *Request) { r.Reason = " " }, nil, ErrText},
		"a long reason": {func(r *Request) { r.Reason = strings.Repeat("字", 101) }, nil, ErrText},
		"no text":       {func(r *Request) { r.Action = fact.CommandNotice }, nil, ErrText},
		"no action":     {func(r *Request) { r.Action = "close" }, nil, ErrAction},
		"no gate":       {func(r *Request) { r.Agent = "gate-2" }, nil, ErrGate},
		"no connection": {nil, func(d *desk) { d.down = mqtt.ErrOffline }, ErrNoKey},
		"before it":     {nil, func(d *desk) { d.By(nil) }, ErrNoKey},
		"another rules": {nil, func(d *desk) { d.Silence() }, ErrNoKey},
	} {
		d, r := open(t), request(fact.CommandOpen)
		if c.edit != nil {
			c.edit(&r)
		}
		if c.set != nil {
			c.set(d)
		}
		if _, err := d.Ask(t.Context(), audit.By{Actor: "wang"}, r); !errors.Is(err, c.want) || len(d.sent) != 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Who commands stands in the audit, in the transaction of the command, without the reason.
func TestACommandIsAudited(t *testing.T) {
	d := open(t)
	id := d.ask(fact.CommandOpen)
	d.ask(fact.CommandReload)
	rows, err := db.All(t.Context(), d.file.Reader(), db.Value[string],
		"SELECT action || ' ' || object || ' ' || detail FROM audit ORDER BY n")
	if err != nil || len(rows) != 2 || rows[0] != "open-gate gate gate-1 open, id "+id ||
		!strings.HasPrefix(rows[1], "command-gate gate gate-1 reload, id ") {
		t.Errorf("%q, %v", rows, err)
	}
}
