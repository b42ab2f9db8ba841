package books

import (
	"context"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
)

// Position returns how far a journal is stored; only the JID is set when the
// journal is not known.
func (b *Books) Position(ctx context.Context, jid string) (store.Position, error) {
	if err := b.check(); err != nil {
		return store.Position{}, err
	}
	p, found, err := db.One(ctx, b.queries, scanPosition, selectPosition, jid)
	if err != nil {
		return p, b.failed("position of journal "+jid, err)
	}
	if !found {
		p.JID = jid
	}
	return p, nil
}

const selectPosition = "SELECT jid, agent, through, community, grid, compound FROM journals WHERE jid = ?"

// Positions returns how far every journal is stored, by agent.
func (b *Books) Positions(ctx context.Context) ([]store.Position, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	all, err := db.All(ctx, b.file.Reader(), scanPosition,
		"SELECT jid, agent, through, community, grid, compound FROM journals ORDER BY agent, first_seen")
	if err != nil {
		return nil, b.failed("positions of the journals", err)
	}
	return all, nil
}

func scanPosition(r db.Row) (p store.Position, err error) {
	err = r.Scan(&p.JID, &p.Agent, &p.Through, &p.Place.Community, &p.Place.Grid, &p.Place.Compound)
	return p, err
}

// Holes returns all recorded holes, by agent.
func (b *Books) Holes(ctx context.Context) ([]store.RecordedHole, error) {
	all, err := db.All(ctx, b.file.Reader(), scanHole,
		`SELECT agent, jid, first, last, reason, at FROM holes JOIN journals ON id = journal
		ORDER BY agent, jid, first`)
	if err != nil {
		return nil, b.failed("read holes", err)
	}
	return all, nil
}

func scanHole(r db.Row) (h store.RecordedHole, err error) {
	var at int64
	err = r.Scan(&h.Agent, &h.JID, &h.From, &h.To, &h.Reason, &at)
	h.At, h.Count = time.Unix(0, at).UTC(), h.To-h.From+1
	return h, err
}

// Losses returns how many rows are in quarantine, and for how many lost records
// holes stand. Holes of renewed journals, of records that were acknowledged before
// the agent deleted them, and of repeated records are no losses.
func (b *Books) Losses(ctx context.Context) (quarantined, lost int, err error) {
	if err := b.check(); err != nil {
		return 0, 0, err
	}
	err = b.file.Reader().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM quarantine),
		(SELECT coalesce(sum(last - first + 1), 0) FROM holes WHERE reason NOT IN ('renewed', 'trimmed', 'repeated'))`).
		Scan(&quarantined, &lost)
	if err != nil {
		return 0, 0, b.failed("count losses", err)
	}
	return quarantined, lost, nil
}
