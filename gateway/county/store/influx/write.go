package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"gatehouse/gateway/county/store"
)

// write writes points. Those that the database can't take for what they are
// come back by index with the reason; an error means that nothing was decided.
func (s *Store) write(ctx context.Context, points []*write.Point) (map[int]string, error) {
	w := &bisector{s: s, ctx: ctx, rejected: map[int]string{}, allowed: max(minOffenders, len(points)/100)}
	if len(points) == 0 {
		return w.rejected, nil
	}
	return w.rejected, w.try(points, 0)
}

// minOffenders is how many refused points are never held to be the store's
// fault, however few were written with them.
const minOffenders = 3

// bisector finds the points that a refused write was refused for. The server's
// own word about it is not believed: versions differ in what they keep of a
// partial write and in what they name.
type bisector struct {
	s        *Store
	ctx      context.Context
	rejected map[int]string
	allowed  int
}

func (w *bisector) try(points []*write.Point, first int) error {
	err := w.s.writer.WritePoint(w.ctx, points...)
	if err == nil {
		return nil
	}
	e := statusOf(err)
	switch {
	case e == nil || (e.StatusCode != http.StatusBadRequest && e.StatusCode != http.StatusRequestEntityTooLarge && e.StatusCode != http.StatusUnprocessableEntity):
		return w.s.explain(err)
	case limits(e.Error()):
		return fmt.Errorf("%w: InfluxDB refuses to take more, raise its limit or free room: %w", store.ErrFault, err)
	case len(points) > 1:
		half := len(points) / 2
		if err := w.try(points[:half], first); err != nil {
			return err
		}
		return w.try(points[half:], first+half)
	}
	w.rejected[first] = e.Error()
	if len(w.rejected) > w.allowed {
		return fmt.Errorf("%w: InfluxDB refuses more than 1 in 100 points, the last with: %w", store.ErrFault, err)
	}
	return nil
}

// limits tells refusals that are about the database's state from those about a
// point.
func limits(message string) bool {
	message = strings.ToLower(message)
	for _, word := range []string{"retention", "max-series", "max-values", "series limit", "limit exceeded", "capacity", "no space", "max_"} {
		if strings.Contains(message, word) {
			return true
		}
	}
	return false
}

func statusOf(err error) *influxhttp.Error {
	var e *influxhttp.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
