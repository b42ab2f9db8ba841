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

// OpenOf returns how many alerts are open, by agent; agents without one are left out.
func (a *Alerts) OpenOf(ctx context.Context) (map[string]int, error) {
	type row struct {
		agent string
		n     int
	}
	scan := func(r db.Row) (x row, err error) {
		err = r.Scan(&x.agent, &x.n)
		return x, err
	}
	out := map[string]int{}
	for x, err := range db.Rows(ctx, a.file.Reader(), scan,
		"SELECT agent, count(*) FROM alerts WHERE "+openAlerts()+" GROUP BY agent") {
		if err != nil {
			return nil, fmt.Errorf("count the alerts of gates: %w", err)
		}
		out[x.agent] = x.n
	}
	return out, nil
}
