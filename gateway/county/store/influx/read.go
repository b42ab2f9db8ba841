package influx

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// always is the range of all times a record can have, which end with endOfTime.
const (
	always    = "|> range(start: 1970-01-01T00:00:00Z, stop: " + endOfTime + ")"
	endOfTime = "2262-01-01T00:00:00Z"
)

// since is the range from t on.
func since(t time.Time) string {
	return fmt.Sprintf("|> range(start: %s, stop: %s)", t.UTC().Format(time.RFC3339Nano), endOfTime)
}

// query calls each with the records of a Flux query until it returns false.
func (s *Store) query(ctx context.Context, flux string, each func(*query.FluxRecord) bool) error {
	res, err := s.client.QueryAPI(s.opts.Org).Query(ctx, flux)
	if err != nil {
		return err
	}
	defer res.Close()
	for res.Next() {
		if !each(res.Record()) {
			return nil
		}
	}
	return res.Err()
}

// Rows implements store.Store.
func (s *Store) Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		filter := fmt.Sprintf("r.county == %q and (r._field == %q or r._field == %q)",
			s.opts.County, fieldRaw, fieldSeq)
		if q.JID != "" {
			filter += fmt.Sprintf(` and r.journal == %q`, q.JID)
		}
		if q.Kind != "" {
			filter += fmt.Sprintf(` and r.kind == %q`, q.Kind)
		}
		flux := fmt.Sprintf(`from(bucket: %q) %s |> filter(fn: (r) => %s)
			|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
			|> filter(fn: (r) => r.seq > %d) |> group() |> sort(columns: ["journal", "seq"])`,
			s.opts.Bucket, always, filter, q.After)
		stopped := false
		err := s.query(ctx, flux, func(r *query.FluxRecord) bool {
			row, err := rowOf(r)
			stopped = !yield(row, err)
			return !stopped && err == nil
		})
		if err != nil && !stopped {
			yield(store.Row{}, fmt.Errorf("read rows: %w", s.explain(err)))
		}
	}
}

func rowOf(r *query.FluxRecord) (store.Row, error) {
	text := func(key string) string { v, _ := r.ValueByKey(key).(string); return v }
	seq, ok := r.ValueByKey(fieldSeq).(int64)
	if !ok || seq < 0 {
		return store.Row{}, fmt.Errorf("a point at %s has no seq", r.Time())
	}
	return store.Row{
		Agent: text("agent"),
		JID:   text("journal"),
		Place: store.Place{Community: text("community"), Grid: text("grid"), Compound: text("compound")},
		Seq:   uint64(seq),
		At:    r.Time(),
		Kind:  wire.Kind(text("kind")),
		Raw:   []byte(text(fieldRaw)),
	}, nil
}
