package fleet

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"gatehouse/firmware-bridge/geo"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

const (
	beside     = 150.0 // metres: a machine on the road around a compound works there
	placePoint = 300   // how many points of a path are looked at for its place
)

// Place returns where a run worked, for people: the compound in or beside which most
// of its path lies, or the coordinates of its middle; empty without a position. It
// reads what tx has written.
func (r *Runs) Place(ctx context.Context, tx *sql.Tx, run *wire.Run) (string, error) {
	track, err := r.track(ctx, tx, run)
	if err != nil {
		return "", err
	}
	all := path(track, run.Start.Time, work(run, track))
	var points []geo.Point
	for _, p := range all {
		if p.On {
			points = append(points, geo.Point{Lat: p.Lat, Lon: p.Lon})
		}
	}
	if len(points) == 0 && len(all) > 0 {
		points = append(points, geo.Point{Lat: all[0].Lat, Lon: all[0].Lon})
	}
	if len(points) == 0 {
		return "", nil
	}
	if name := r.compoundOf(points); name != "" {
		return name, nil
	}
	middle := points[len(points)/2]
	return fmt.Sprintf("%.5f, %.5f", middle.Lat, middle.Lon), nil
}

// compoundOf returns the name of the compound in or beside which most points lie;
// empty when that is none.
func (r *Runs) compoundOf(points []geo.Point) (name string) {
	found, most := map[string]int{}, 0
	for i := 0; i < len(points); i += max(1, len(points)/placePoint) {
		if n := r.nearest(points[i]); n != "" {
			found[n]++
			if found[n] > most {
				name, most = n, found[n]
			}
		}
	}
	return name
}

// nearest returns the name of the compound in which a point lies, or the nearest one
// beside it.
func (r *Runs) nearest(p geo.Point) (name string) {
	least := math.Inf(1)
	for _, c := range r.compounds {
		if off := geo.Outside(p, outline(c)); off < least && off <= beside {
			name, least = c.Name, off
		}
	}
	return name
}

func outline(c site.Compound) (out []geo.Point) {
	for _, pt := range c.Polygon {
		out = append(out, geo.Point{Lat: pt[1], Lon: pt[0]})
	}
	return out
}
