package influx

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
	"github.com/klauspost/compress/zstd"

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

// query calls each with the records of a Flux query until it returns an error.
func (s *Store) query(ctx context.Context, flux string, each func(*query.FluxRecord) error) error {
	res, err := s.client.QueryAPI(s.opts.Org).Query(ctx, flux)
	if err != nil {
		return s.explain(ctx, err)
	}
	defer res.Close()
	for res.Next() {
		if err := each(res.Record()); err != nil {
			return err
		}
	}
	if err := res.Err(); err != nil {
		return s.explain(ctx, err)
	}
	return nil
}

// Rows implements store.Store. It reads one journal after the other, each in
// pages, so that neither side holds more than a page of records.
func (s *Store) Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		if err := s.rows(ctx, q, func(r store.Row) bool { return yield(r, nil) }); err != nil {
			yield(store.Row{}, fmt.Errorf("read rows: %w", err))
		}
	}
}

// rows calls each with rows until it returns false.
func (s *Store) rows(ctx context.Context, q store.Query, each func(store.Row) bool) error {
	jids := []string{q.JID}
	if q.JID == "" {
		positions, err := s.books.Positions(ctx)
		if err != nil {
			return err
		}
		jids = nil
		for _, p := range positions {
			jids = append(jids, p.JID)
		}
		slices.Sort(jids)
	}
	zip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostUnpacked))
	if err != nil {
		return fmt.Errorf("unpack records: %w", err)
	}
	defer zip.Close()
	for _, jid := range jids {
		r := reading{s: s, zip: zip, jid: jid, last: q.After}
		more, err := r.run(ctx, func(row store.Row) bool {
			return q.Kind != "" && row.Kind != q.Kind || !q.Spans(row.At) || each(row)
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// spot is where in the database a point with records of a journal is.
type spot struct {
	to uint64    // the last seq in it
	at time.Time // the point's
}

// mostSpots is how many points are read at once.
const mostSpots = 512

// reading reads the rows of one journal. Points hold 1 to 256 records each, and may
// overlap: rows wait until no later point can have one before them.
type reading struct {
	s     *Store
	zip   *zstd.Decoder
	jid   string
	last  uint64      // seq of the last row passed on
	ready []store.Row // read, and not passed on
}

// run reports whether each returned true for all rows.
func (r *reading) run(ctx context.Context, each func(store.Row) bool) (more bool, err error) {
	spots, err := r.spots(ctx)
	for err == nil && len(spots) > 0 {
		n := 1 // a page: points that rise in time as they do in seq
		for n < len(spots) && n < mostSpots && spots[n].at.After(spots[n-1].at) {
			n++
		}
		if err = r.page(ctx, spots[:n]); err != nil {
			break
		}
		spots = spots[n:]
		safe := uint64(wire.MaxSeq) + 1
		if len(spots) > 0 {
			safe = spots[0].to - min(spots[0].to, wire.MaxBatchRecords-1)
		}
		if !r.pass(safe, each) {
			return false, nil
		}
	}
	return err == nil, err
}

// pass passes on the rows with a seq below safe, each seq once.
func (r *reading) pass(safe uint64, each func(store.Row) bool) bool {
	slices.SortStableFunc(r.ready, func(a, b store.Row) int { return cmp.Compare(a.Seq, b.Seq) })
	n := 0
	for _, row := range r.ready {
		if row.Seq >= safe {
			break
		}
		n++
		if row.Seq <= r.last {
			continue
		}
		r.last = row.Seq
		if !each(row) {
			return false
		}
	}
	r.ready = slices.Delete(r.ready, 0, n)
	return true
}

// spots returns the points with records after r.last, by the seq of the last one:
// those of records, and those that an earlier version has written, which hold one
// record each. Other points have no journal.
func (r *reading) spots(ctx context.Context) (all []spot, err error) {
	flux := fmt.Sprintf(`from(bucket: %q) %s |> filter(fn: (r) => r.county == %q and r.journal == %q and
		((r._measurement == %q and r._field == %q) or (r._measurement != %q and r._field == %q)))
		|> filter(fn: (r) => r._value > %d) |> keep(columns: ["_time", "_value"])`,
		r.s.opts.Bucket, always, r.s.opts.County, r.jid,
		recordsMeasurement, fieldTo, recordsMeasurement, fieldSeq, r.last)
	err = r.s.query(ctx, flux, func(x *query.FluxRecord) error {
		to, ok := x.Value().(int64)
		if !ok || to <= 0 {
			return fmt.Errorf("a point of journal %s at %s has no seq", r.jid, x.Time())
		}
		all = append(all, spot{uint64(to), x.Time()})
		return nil
	})
	slices.SortFunc(all, func(a, b spot) int { return cmp.Or(cmp.Compare(a.to, b.to), a.at.Compare(b.at)) })
	return all, err
}

// page reads the points at spots.
func (r *reading) page(ctx context.Context, spots []spot) error {
	wanted := make(map[int64]bool, len(spots))
	for _, x := range spots {
		wanted[x.at.UnixNano()] = true
	}
	n := len(wanted)
	flux := fmt.Sprintf(`from(bucket: %q) |> range(start: %s, stop: %s)
		|> filter(fn: (r) => r.county == %q and r.journal == %q and r._field == %q)
		|> keep(columns: ["_time", "_value", "_measurement", "agent", "community", "grid", "compound"])`,
		r.s.opts.Bucket, stamp(spots[0].at), stamp(spots[len(spots)-1].at.Add(1)), r.s.opts.County, r.jid, fieldRaw)
	err := r.s.query(ctx, flux, func(x *query.FluxRecord) error {
		at := x.Time().UnixNano()
		if _, is := wanted[at]; !is {
			return nil // of another era of the clock
		}
		if wanted[at] {
			wanted[at] = false
			n--
		}
		if err := r.take(x); err != nil {
			return fmt.Errorf("the point of journal %s at %s: %w", r.jid, x.Time(), err)
		}
		return nil
	})
	if err == nil && n > 0 {
		return fmt.Errorf("%d points of journal %s went away meanwhile", n, r.jid)
	}
	return err
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// take reads the records of a point.
func (r *reading) take(x *query.FluxRecord) (err error) {
	text := func(key string) string { v, _ := x.ValueByKey(key).(string); return v }
	var rows []store.Row
	if x.Measurement() == recordsMeasurement {
		rows, err = unpack(r.zip, text("_value"))
	} else {
		rows = make([]store.Row, 1)
		rows[0], err = rowOf([]byte(text("_value")))
	}
	for _, row := range rows {
		row.Agent, row.JID = text("agent"), r.jid
		row.Place = store.Place{Community: text("community"), Grid: text("grid"), Compound: text("compound")}
		r.ready = append(r.ready, row)
	}
	return err
}
