package registry

import (
	"context"
	"database/sql"
	"fmt"

	"gatehouse/gateway/county/db"
)

// SchemaRecipients creates the table of those to whom gates' rules are encrypted.
const SchemaRecipients = `
CREATE TABLE recipients (
	name        TEXT PRIMARY KEY,         -- id of the agent
	recipient   TEXT NOT NULL             -- age
) WITHOUT ROWID;`

// Recipient returns to whom (age) the rules of an agent are encrypted. ok is false when it has
// no identity that counts, or has not said: a gate that was enrolled by a version without says
// it at its next renewal.
func (r *Registry) Recipient(agent string) (to string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, enrolled := r.identities[agent]
	to, ok = r.recipients[agent]
	return to, ok && enrolled && i.Revoked.IsZero()
}

// keepRecipient keeps to whom the rules of an agent are encrypted from now on.
func keepRecipient(ctx context.Context, tx *sql.Tx, agent, to string) error {
	return exec(ctx, tx, "INSERT OR REPLACE INTO recipients (name, recipient) VALUES (?, ?)", agent, to)
}

// newRecipient keeps what an agent says at a renewal, if it is new.
func (r *Registry) newRecipient(ctx context.Context, agent, to string) error {
	if was, ok := r.Recipient(agent); to == "" || ok && was == to {
		return nil
	}
	err := r.opts.File.Write(ctx, func(tx *sql.Tx) error { return keepRecipient(ctx, tx, agent, to) })
	if err != nil {
		return fmt.Errorf("keep to whom the rules of %s are encrypted: %w", agent, err)
	}
	r.opts.Log.Info("a gate has said to whom its rules are encrypted", "agent", agent)
	return r.load(context.WithoutCancel(ctx))
}

// readRecipients reads the table.
func readRecipients(ctx context.Context, q db.Querier) (map[string]string, error) {
	list, err := db.All(ctx, q, func(row db.Row) (x [2]string, err error) {
		err = row.Scan(&x[0], &x[1])
		return x, err
	}, "SELECT name, recipient FROM recipients")
	if err != nil {
		return nil, fmt.Errorf("read to whom rules are encrypted: %w", err)
	}
	out := map[string]string{}
	for _, x := range list {
		out[x[0]] = x[1]
	}
	return out, nil
}
