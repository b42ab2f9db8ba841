package influx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/influxdata/influxdb-client-go/v2/api/query"
)

// markerMeasurement has one point, the marker, whose id shows that this is the
// database which the books are about. It is written again from time to time, so
// that no retention policy removes it.
const (
	markerMeasurement = "gatehouse_store"
	markerRenew       = 12 * time.Hour
)

// errMarker means that the database did not give back what was written to it.
var errMarker = errors.New("the marker point was written and can't be read back: reads and writes reach different " +
	"databases (a proxy, a replica), or the clock of this computer is wrong; nothing is acknowledged until it can")

// marker is a marker point as the database has it.
type marker struct {
	id      string
	written time.Time
}

// checkDatabase checks that the database still holds the marker. One that was
// wiped or replaced does not: it is given a new marker, and when that can be read
// back the books begin a new term, which checkDatabase reports.
func (s *Store) checkDatabase(ctx context.Context) (began bool, err error) {
	now := s.opts.Now()
	want, err := s.books.Marker(ctx)
	if err != nil {
		return false, err
	}
	have, err := s.readMarker(ctx)
	if err != nil {
		return false, err
	}
	switch {
	case want == "" || have.id != want:
		// The point first: after a crash in between the database has a marker that
		// the books do not know, and the next check does this again.
		want = uuid.NewString()
		if err := s.renewMarker(ctx, want, now, have); err != nil {
			return false, err
		}
		if err := s.books.Reset(ctx, want); err != nil {
			return false, err
		}
		began = true
	case now.Sub(have.written) > markerRenew:
		if err := s.renewMarker(ctx, want, now, have); err != nil {
			return false, err
		}
	}
	s.checked = now
	return began, nil
}

// renewMarker writes a marker that is newer than the one before, whatever the
// clock shows, and reads it back.
func (s *Store) renewMarker(ctx context.Context, id string, now time.Time, before marker) error {
	if !now.After(before.written) {
		now = before.written.Add(1)
	}
	var l lines
	h, err := headOf(markerMeasurement, tag{"county", s.opts.County})
	if err != nil {
		return err
	}
	l.add(h, now, func(p *point) { p.text("id", id) })
	if err := s.poster.post(ctx, l.bytes(0, 1)); err != nil {
		return fmt.Errorf("write the marker point: %w", s.explain(ctx, err))
	}
	have, err := s.readMarker(ctx)
	if err != nil {
		return err
	}
	if have.id != id {
		return fmt.Errorf("InfluxDB at %s, bucket %s: %w", s.opts.URL, s.opts.Bucket, errMarker)
	}
	return nil
}

// readMarker returns the newest marker. It looks where the marker was last, which
// costs little however many years the database holds, and then everywhere.
func (s *Store) readMarker(ctx context.Context) (m marker, err error) {
	if !s.marked.IsZero() {
		if m, err = s.markerIn(ctx, since(s.marked)); err != nil || m.id != "" {
			return m, err
		}
	}
	return s.markerIn(ctx, always)
}

func (s *Store) markerIn(ctx context.Context, span string) (m marker, err error) {
	q := fmt.Sprintf(`from(bucket: %q) %s
		|> filter(fn: (r) => r._measurement == %q and r.county == %q and r._field == "id") |> last()`,
		s.opts.Bucket, span, markerMeasurement, s.opts.County)
	err = s.query(ctx, q, func(r *query.FluxRecord) error {
		m.id, _ = r.Value().(string)
		m.written = r.Time()
		return nil
	})
	if err != nil {
		return marker{}, fmt.Errorf("read the marker point: %w", err)
	}
	s.marked = m.written
	return m, nil
}
