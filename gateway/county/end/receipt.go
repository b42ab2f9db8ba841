package end

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/wire"
)

// ErrReceipt wraps why a receipt does not count.
var ErrReceipt = errors.New("a gate's receipt was refused")

// Receive keeps the receipt of a gate, once. It must be signed by the key that the gate had
// when the end began.
func (e *Ends) Receive(ctx context.Context, agent string, payload []byte) error {
	if len(payload) > wire.MaxRetiredBytes {
		return fmt.Errorf("%w: it has %d bytes", ErrReceipt, len(payload))
	}
	s, err := e.Status(ctx)
	if err != nil {
		return err
	}
	r, err := wire.Decode[wire.Retired](payload)
	if err == nil {
		err = r.Check()
	}
	if err != nil || r.ID != s.ID {
		return errors.Join(ErrReceipt, err)
	}
	for _, i := range e.opts.Identities() {
		if i.Name != agent {
			continue
		}
		key, err := enrolment.ParseKey(i.Key)
		if err == nil {
			err = wire.VerifyRetired(r, e.opts.County, agent, key)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrReceipt, err)
		}
		return e.received(ctx, agent, wire.KeySum(i.Key), payload)
	}
	return fmt.Errorf("%w: nobody knows %s", ErrReceipt, agent)
}

func (e *Ends) received(ctx context.Context, agent, key string, payload []byte) error {
	now := e.opts.Now()
	return e.opts.File.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE end_gates SET receipt = ?, received = ?
			WHERE agent = ? AND key = ? AND receipt = x''`, payload, now.UnixNano(), agent, key)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // it is here already
		}
		return audit.Append(ctx, tx, now, audit.By{Actor: agent, From: "gate"}, audit.Act{Action: audit.EndReceipt,
			Object: "gate " + agent})
	})
}

// Order returns the message for a gate.
func (e *Ends) Order(s Status, g Gate) ([]byte, error) {
	o := wire.Retire{V: 1, ID: s.ID, Key: g.Key, At: wire.At(s.Begun)}
	if len(g.Receipt) > 0 {
		sum := sha256.Sum256(g.Receipt)
		o.Receipt = hex.EncodeToString(sum[:])
	}
	return wire.Encode(wire.SignRetire(o, e.opts.County, g.Agent, e.opts.Key))
}
