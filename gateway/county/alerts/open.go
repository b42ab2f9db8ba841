package alerts

import (
	"context"
	"fmt"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
)

// Open returns how many alerts of each type are open; types without one are left
// out.
func (a *Alerts) Open(ctx context.Context) (map[fact.AlarmType]int, error) {
	type row struct {
		kind fact.AlarmType
		n    int
	}
	scan := func(r db.Row) (x row, err error) {
		err = r.Scan(&x.kind, &x.n)
		return x, err
	}
	out := map[fact.AlarmType]int{}
	for x, err := range db.Rows(ctx, a.file.Reader(), scan,
		"SELECT type, count(*) FROM alerts WHERE "+openAlerts()+" GROUP BY type") {
		if err != nil {
			return nil, fmt.Errorf("count alerts: %w", err)
		}
		out[x.kind] = x.n
	}
	return out, nil
}
