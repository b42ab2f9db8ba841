package influx

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/influxdata/influxdb-client-go/v2/api/query"
	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// always is the range of all times a record can have.
const always = "|> range(start: 1970-01-01T00:00:00Z, stop: 2261-01-01T00:00:00Z)"

// markerMeasurement has one point, the marker, whose id shows that this is the
// database which the books are about. It is written again from time to time, so
// that no retention policy removes it.
const (
	markerMeasurement = "gatehouse_store"
	markerRenew       = 12 * time.Hour
)

// checkDatabase checks, every CheckEvery, that the database still holds the
// marker. One that was wiped or replaced does not: the books begin a new term.
func (s *Store) checkDatabase(ctx context.Context) error {
	now := s.opts.Now()
	if !s.checked.IsZero() && now.Sub(s.checked) < s.opts.CheckEvery {
		return nil
	}
	want, err := s.books.Marker(ctx)
	if err != nil {
		return err
	}
	have, written, err := s.readMarker(ctx)
	if err != nil {
		return err
	}
	if want == "" || have != want {
		// The point first: after a crash in between the database has a marker that
		// the books do not know, and the next check does this again.
		want = uuid.NewString()
		if err := s.writeMarker(ctx, want, now); err != nil {
			return err
		}
		if err := s.books.Reset(ctx, want); err != nil {
			return err
		}
	} else if now.Sub(written) > markerRenew {
		if err := s.writeMarker(ctx, want, now); err != nil {
			return err
		}
	}
	s.checked = now
	return nil
}

func (s *Store) writeMarker(ctx context.Context, id string, now time.Time) error {
	p := write.NewPointWithMeasurement(markerMeasurement).
		AddTag("county", s.opts.County).AddField("id", id).SetTime(now)
	if err := s.writer.WritePoint(ctx, p); err != nil {
		return s.explain(err)
	}
	return nil
}

func (s *Store) readMarker(ctx context.Context) (id string, written time.Time, err error) {
	q := fmt.Sprintf(`from(bucket: %q) %s
		|> filter(fn: (r) => r._measurement == %q and r.county == %q and r._field == "id") |> last()`,
		s.opts.Bucket, always, markerMeasurement, s.opts.County)
	err = s.query(ctx, q, func(r *query.FluxRecord) bool {
		id, _ = r.Value().(string)
		written = r.Time()
		return true
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("read the marker point: %w", s.explain(err))
	}
	return id, written, nil
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
