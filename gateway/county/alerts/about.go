package alerts

import (
	"context"
	"encoding/json"
	"fmt"

	"gatehouse/gateway/county/db"
)

// OfPassages returns the alerts in the desk's file about passages of a journal, the oldest
// first. The collector may run.
func OfPassages(ctx context.Context, file *db.File, jid string, passages []uint64) ([]Alert, error) {
	list, err := json.Marshal(passages)
	if err != nil {
		return nil, fmt.Errorf("list passages: %w", err)
	}
	a := &Alerts{file: file}
	return a.read(ctx, "jid = ? AND passage IN (SELECT value FROM json_each(?)) ORDER BY at, id", jid, string(list))
}
