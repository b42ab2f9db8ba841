package threats

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"gatehouse/gateway/wire"
	"math"
	"syscall"
	"time"
)

// cutOff stops the collector, lets people pass at the first gate, does something to the
// agents, and starts the collector again: what was recorded must all arrive.
func (c *county) cutOff(
	ctx context.Context,
	do func(m *client, jid string, last uint64) (int, error),
) (string, error) {
	g := c.gates[0]
	c.collector.End(syscall.SIGTERM, 20*time.Second)
	defer func() { _, _ = c.collector.Start() }() // it may have been started below
	if err := g.passes(ctx); err != nil {
		return "", err
	}
	jid, last, err := g.journal()
	if err != nil {
		return "", err
	}
	held := c.stored(ctx, jid)
	m, err := c.hostile(ctx, "liar")
	if err != nil {
		return "", err
	}
	defer m.close()
	n, err := do(m, jid, last)
	if err != nil {
		return "", err
	}
	if err := g.passes(ctx); err != nil {
		return "", err
	}
	if _, err := c.collector.Start(); err != nil {
		return "", err
	}
	if err := c.collector.WaitFor(ctx, func() bool { return answers(ctx, c.desk) }); err != nil {
		return "", err
	}
	if err := c.delivered(ctx, g); err != nil {
		return "", err
	}
	if now, _, err := g.journal(); err != nil || now != jid {
		return "", errors.Join(err, errors.New("the gate has begun another journal"))
	}
	return fmt.Sprintf("%d messages while %d records waited: all of them arrived", n, last-held), nil
}

func forgedAcks(ctx context.Context, c *county) (string, error) {
	_, own, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	st, err := c.collectorStatus(ctx)
	if err != nil {
		return "", err
	}
	return c.cutOff(ctx, func(m *client, jid string, last uint64) (n int, err error) {
		for _, through := range []uint64{last, last + 1000, math.MaxInt64} {
			a := wire.Ack{V: 1, JID: jid, Through: through, Store: st.Store, Term: st.Term + uint64(n)}
			for _, forged := range []wire.Ack{a, wire.SignAck(a, countyID, "gate-001", own)} {
				payload, err := wire.Encode(forged)
				if err != nil {
					return n, err
				}
				for _, kept := range []bool{false, true} {
					if err := m.publish(wire.Topic(countyID, "gate-001", wire.LeafAck), payload, kept); err != nil {
						return n, err
					}
					n++
				}
			}
		}
		return n, m.acknowledged()
	})
}

func replayedAcks(ctx context.Context, c *county) (string, error) {
	eye, err := c.eye(ctx, wire.Topic(countyID, "+", wire.LeafAck))
	if err != nil {
		return "", err
	}
	defer eye.close()
	for _, g := range c.gates {
		if _, err := c.delivers(ctx, g); err != nil {
			return "", err
		}
	}
	var heard [][]byte
	for range 2 {
		m, err := eye.message()
		if err != nil {
			return "", fmt.Errorf("no acknowledgement comes: %w", err)
		}
		heard = append(heard, m.Payload)
	}
	return c.cutOff(ctx, func(m *client, _ string, _ uint64) (n int, err error) {
		for i := range 500 {
			for _, payload := range heard {
				for _, g := range c.gates {
					if err := m.publish(wire.Topic(countyID, g.id, wire.LeafAck), payload, i == 0); err != nil {
						return n, err
					}
					n++
				}
			}
			if err := m.acknowledged(); err != nil {
				return n, err
			}
		}
		return n, nil
	})
}
