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

// write writes points. It returns those that the database refuses for what they
// are, by index, with the reason. After an error nothing is known of any point.
func (s *Store) write(ctx context.Context, points []*write.Point) (map[int]string, error) {
	w := &bisector{s: s, ctx: ctx, rejected: map[int]string{}, allowed: max(minOffenders, len(points)/100)}
	if len(points) == 0 {
		return w.rejected, nil
	}
	return w.rejected, w.try(points, 0)
}

// minOffenders is how many points may be refused before the store is taken to be
// at fault, however few were written with them.
const minOffenders = 3

// bisector finds the points because of which a write was refused. It does not
// rely on the server's message: versions differ in what they store of a partial
// write and in which point they name.
type bisector struct {
	s        *Store
	ctx      context.Context
	rejected map[int]string // reasons, by index
	allowed  int            // how many may be rejected
}

// try writes points, the first of which has index first.
func (w *bisector) try(points []*write.Point, first int) error {
	err := w.s.writer.WritePoint(w.ctx, points...)
	if err == nil {
		return nil
	}
	e := statusOf(err)
	switch {
	case e == nil || !refusesContent(e.StatusCode):
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

// refusesContent reports whether an HTTP status is about what was written.
func refusesContent(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// limits reports whether a refusal is about the state of the database, not about
// a point.
func limits(message string) bool {
	message = strings.ToLower(message)
	for _, word := range []string{"retention", "max-series", "max-values", "series limit", "limit exceeded",
		"capacity", "no space", "max_"} {
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
