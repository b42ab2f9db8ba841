package rules

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/wire"
)

// meant is the set that a gate is to decide by.
type meant struct {
	agent     string
	no        uint64
	at        time.Time
	version   string
	digest    []byte
	manifest  []byte // as it is published
	published bool   // the broker had all of it once
}

func scanMeant(r db.Row) (m meant, err error) {
	var at, published int64
	err = r.Scan(&m.agent, &m.no, &at, &m.version, &m.digest, &m.manifest, &published)
	m.at, m.published = time.Unix(0, at).UTC(), published != 0
	return m, err
}

// sets returns the newest set of each gate.
func sets(ctx context.Context, q db.Querier) (map[string]meant, error) {
	list, err := db.All(ctx, q, scanMeant, `SELECT agent, no, at, version, digest, manifest, published FROM rules_sets
		ORDER BY no`)
	out := map[string]meant{}
	for _, m := range list {
		out[m.agent] = m
	}
	return out, err
}

// former are sets of a gate that a later one has replaced, with the number of their parts.
type former struct {
	no    uint64
	parts int
}

// formers returns the replaced sets of a gate whose parts may still be at the broker.
func formers(ctx context.Context, q db.Querier, agent string, no uint64) ([]former, error) {
	return db.All(ctx, q, func(r db.Row) (f former, err error) {
		var size int
		err = r.Scan(&f.no, &size)
		f.parts = (size + wire.MaxPartBytes - 1) / wire.MaxPartBytes
		return f, err
	}, "SELECT no, size FROM rules_sets WHERE agent = ? AND no < ? ORDER BY no",
		agent, int64(no)) //nolint:gosec // below MaxSeq
}

// parts returns what is published of a set, in the parts that its manifest names.
func parts(ctx context.Context, q db.Querier, m meant) ([][]byte, error) {
	b, found, err := db.One(ctx, q, db.Value[[]byte], "SELECT sealed FROM rules_sets WHERE agent = ? AND no = ?",
		m.agent, int64(m.no)) //nolint:gosec // below MaxSeq
	if err == nil && !found {
		err = ErrGone
	}
	return slices.Collect(slices.Chunk(b, wire.MaxPartBytes)), err
}

// kept is a set that is to be kept, sealed.
type kept struct {
	meant

	sealed []byte
}

// seal makes the set of a gate ready to be published, with its number.
func seal(county string, key ed25519.PrivateKey, m meant, recipient string, files []rulebook.File) (kept, error) {
	s, err := rulebook.Gate{County: county, Agent: m.agent}.Seal(rulebook.Set{No: m.no, Version: m.version, At: m.at,
		Files: files}, recipient, key)
	if err != nil {
		return kept{}, fmt.Errorf("the set of %s: %w", m.agent, err)
	}
	m.manifest, err = json.Marshal(s.Manifest)
	return kept{m, slices.Concat(s.Parts...)}, err
}

// keep stores sets before they are published: no number is used twice.
func keep(ctx context.Context, file *db.File, list []kept) error {
	return file.Write(ctx, func(tx *sql.Tx) error {
		for _, k := range list {
			_, err := tx.ExecContext(ctx, `INSERT INTO rules_sets (agent, no, at, version, digest, manifest, size,
				sealed, published) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`,
				k.agent, int64(k.no), //nolint:gosec // below MaxSeq
				k.at.UnixNano(), k.version, k.digest, k.manifest, len(k.sealed), k.sealed)
			if err != nil {
				return err
			}
			// The size says which parts are to be cleared.
			_, err = tx.ExecContext(ctx, "UPDATE rules_sets SET sealed = x'' WHERE agent = ? AND no < ?",
				k.agent, int64(k.no)) //nolint:gosec // below MaxSeq
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// done notes that the broker had all of a set, and nothing of those before it any more.
func done(ctx context.Context, file *db.File, m meant, now time.Time) error {
	return file.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM rules_sets WHERE agent = ? AND no < ?",
			m.agent, int64(m.no)) //nolint:gosec // below MaxSeq
		if err == nil && !m.published {
			_, err = tx.ExecContext(ctx, "UPDATE rules_sets SET published = ? WHERE agent = ? AND no = ?",
				now.UnixNano(), m.agent, int64(m.no)) //nolint:gosec // below MaxSeq
		}
		return err
	})
}
