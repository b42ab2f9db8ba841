package threats

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/wire"
)

// signer returns the county's key, as the desk has it: what a hostile broker holds back or
// sends elsewhere is signed by it.
func (c *county) signer() (ed25519.PrivateKey, error) {
	k, err := identity.LoadCollectorKey(c.path("county"))
	return k.Private, err
}

// screen opens a guard's screen.
func (c *county) screen(ctx context.Context, g *gate) (*websocket.Conn, error) {
	b := c.browser(80)
	b.url = "http://" + g.kiosk
	ws, err := b.socket(ctx, "")
	if err == nil {
		ws.SetReadLimit(4 << 20)
	}
	return ws, err
}

// kept returns what a gate's journal holds, the oldest first.
func (g *gate) kept() (out []wire.Body, err error) {
	v, err := journal.Look(filepath.Join(g.dir, "journal"))
	if err != nil {
		return nil, err
	}
	defer v.Close()
	for next := max(v.First, 1); next <= v.Last; {
		chunk, err := v.Read(next, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil {
			return nil, err
		}
		for _, e := range chunk.Entries {
			body, err := e.Record.DecodeBody()
			if err != nil {
				return nil, err
			}
			out = append(out, body)
		}
		if chunk.To < next {
			break
		}
		next = chunk.To + 1
	}
	return out, nil
}

// commanded returns what became of a command at a gate, once for each time that it was
// done or refused.
func (g *gate) commanded(id string) (out []wire.Commanded, err error) {
	all, err := g.kept()
	for _, b := range all {
		if a, is := b.(*wire.Audit); is && a.Command != nil && a.Command.ID == id {
			out = append(out, *a.Command)
		}
	}
	return out, err
}

// became waits until the journal of a gate says what became of a command.
func (g *gate) became(ctx context.Context, id string, want wire.Commanded) error {
	var out []wire.Commanded
	var err error
	await(ctx, 20*time.Second, func() bool {
		out, err = g.commanded(id)
		return err != nil || len(out) > 0
	})
	if err != nil || len(out) != 1 || out[0].Outcome != want.Outcome || out[0].Why != want.Why {
		return errors.Join(err, fmt.Errorf("the journal of %s says of the command %+v, want %s %s", g.id, out,
			want.Outcome, want.Why))
	}
	return nil
}

// commander sends commands to the first gate, whoever has signed them.
type commander struct {
	*client

	eye *client // hears the gate's nonces
	key ed25519.PrivateKey
}

func (c *county) commander(ctx context.Context) (o *commander, err error) {
	o = &commander{}
	if o.key, err = c.signer(); err != nil {
		return nil, err
	}
	if o.client, err = c.hostile(ctx, "commander"); err != nil {
		return nil, err
	}
	if o.eye, err = c.eye(ctx, wire.Topic(countyID, "gate-001", wire.LeafNonce)); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *commander) end() {
	o.eye.close()
	o.close()
}

// says is a command that shows a text on the guard's screen.
func says(text string) wire.Command {
	return wire.Command{V: 1, ID: rand.Text(), Action: fact.CommandNotice, Zh: text, En: text, Operator: "li",
		Reason: "threat"}
}

// send publishes a command to the first gate, signed for an agent by key; nil: unsigned.
func (o *commander) send(x wire.Command, agent string, key ed25519.PrivateKey) error {
	if key != nil {
		x = wire.SignCommand(x, countyID, agent, key)
	}
	payload, err := wire.Encode(x)
	if err != nil {
		return err
	}
	return o.sends(wire.Topic(countyID, "gate-001", wire.LeafCommand), payload)
}

// asked returns x with the nonce that the first gate issues for it, as the desk asks.
func (o *commander) asked(x wire.Command) (wire.Command, error) {
	if err := o.send(x, "gate-001", o.key); err != nil {
		return x, err
	}
	for {
		m, err := o.eye.message()
		if err != nil {
			return x, fmt.Errorf("the gate issues no nonce: %w", err)
		}
		if n, err := wire.Decode[wire.Nonce](m.Payload); err == nil && n.ID == x.ID {
			x.Nonce, x.ExpiresMS = n.Nonce, wire.MaxCommandAge.Milliseconds()
			return x, nil
		}
	}
}
