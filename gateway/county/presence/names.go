package presence

import (
	"context"

	"gatehouse/gateway/county/db"
)

// Names returns the ids of agents whose heartbeats were received, at most so many, in their
// order.
func Names(ctx context.Context, file *db.File, most int) ([]string, error) {
	return db.All(ctx, file.Reader(), func(r db.Row) (id string, err error) { return id, r.Scan(&id) },
		"SELECT agent FROM lineages ORDER BY agent LIMIT ?", most)
}
