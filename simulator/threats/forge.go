package threats

import (
	"context"
	"crypto"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/wire"
)

// forged is a batch that somebody sends in an agent's name.
type forged struct {
	agent, jid string
	from       uint64
	ahead      bool
	body       wire.Body
	key        crypto.Signer // nil: it is not signed
}

// payload returns the message.
func (f forged) payload() ([]byte, error) {
	body, err := wire.EncodeBody(f.body)
	if err != nil {
		return nil, err
	}
	rec := wire.Record{Seq: f.from, At: wire.At(time.Now()), Kind: f.body.Kind(), Body: body}
	raw, err := wire.EncodeRecord(rec)
	if err != nil {
		return nil, err
	}
	b := wire.Batch{Agent: f.agent, JID: f.jid, From: f.from, To: f.from, Ahead: f.ahead,
		Entries: []wire.Entry{{Record: rec, Raw: raw}}}
	if f.key != nil {
		if b, err = wire.SignBatch(b, countyID, f.key); err != nil {
			return nil, err
		}
	}
	return wire.EncodeBatch(b)
}

// key returns a gate's own key, as who has its disk has it.
func (g *gate) key() (crypto.Signer, error) {
	return identity.LoadKey(filepath.Join(g.dir, "agent.key"))
}

// hostile returns somebody at a broker who may do everything there.
func (c *county) hostile(ctx context.Context, id string) (*client, error) {
	return c.entered(ctx, login{id: id})
}

// sends publishes messages, and returns when the broker has them all.
func (m *client) sends(topic string, payloads ...[]byte) error {
	for i, p := range payloads {
		if err := m.publish(topic, p, false); err != nil {
			return err
		}
		if i%100 == 99 || i == len(payloads)-1 {
			if err := m.acknowledged(); err != nil {
				return err
			}
		}
	}
	return nil
}

// settled lets a resident pass at the first gate, and returns when the county has that: it
// has dealt with what came before.
func (c *county) settled(ctx context.Context) error {
	_, err := c.delivers(ctx, c.gates[0])
	return err
}

// unknownTo returns an error when a text stands in the county's store, or in an alert or a
// list of the desk.
func (c *county) unknownTo(ctx context.Context, texts ...string) error {
	stored, err := c.run(ctx, "export", "--dir", c.path("county"), "--format", "jsonl")
	if err != nil {
		return err
	}
	places := map[string]string{"the store": stored}
	for _, path := range []string{"/api/alerts", "/api/losses"} {
		a, err := c.admin.ask(ctx, "GET", path, "")
		if err != nil {
			return err
		}
		places[path] = a.body
	}
	for _, text := range texts {
		for place, said := range places {
			if strings.Contains(said, text) {
				return fmt.Errorf("%s holds %s", place, text)
			}
		}
	}
	return nil
}
