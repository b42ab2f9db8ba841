// Package world makes up the county that the simulator simulates: its sites,
// its people's cards and their days, all from one seed, and with what is true of
// each arrival. Names are invented; people are known only by their cards.
package world

import (
	"fmt"
	"math/rand/v2"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/site"
)

// The county that gatehouse is built for.
const (
	Communities = 6
	Grids       = 78
	Compounds   = 184
	Households  = 16336
	Residents   = 55887
)

// CountyID is the county's first topic level.
const CountyID = "qinghe"

// The county's centre, degrees.
const (
	latitude  = 35.90
	longitude = 115.11
)

// World is one county.
type World struct {
	Sites site.County
	Gates []Gate // in the order of their ids
}

// Gate is one gate with its hardware and its people.
type Gate struct {
	ID          string
	Compound    string    // the compound's name
	Heated      bool      // in a heated booth; otherwise in the open
	Thermometer string    // model
	Scanner     bool      // has a QR scanner for visitors besides its card reader
	Stage       bool      // scenes play here: it has a card reader at its way out, too, and the Cast in its roster
	Offset      fact.Temp // site offset of its thermometer
	Residents   int
	Cards       []Card
	seed        uint64
}

// New returns the county of a seed.
func New(seed uint64) *World {
	rnd := rand.New(rand.NewPCG(seed, 1))
	w := &World{Sites: site.County{ID: CountyID, Name: "清和县", CRS: site.CRS}}
	grids := split(rnd, Grids, Communities, 9)
	compounds := split(rnd, Compounds, Grids, 1)
	households := split(rnd, Households, Compounds, 20)
	residents := spread(rnd, households)
	names := placeNames(rnd, Compounds)
	g, c := 0, 0
	for i := range Communities {
		community := site.Community{ID: fmt.Sprintf("community-%d", i+1), Name: communityNames[i] + "社区"}
		for range grids[i] {
			grid := site.Grid{ID: fmt.Sprintf("grid-%02d", g+1), Name: fmt.Sprintf("第%d网格", g+1)}
			for range compounds[g] {
				id := fmt.Sprintf("gate-%03d", c+1)
				grid.Compounds = append(grid.Compounds, site.Compound{
					ID:         fmt.Sprintf("compound-%03d", c+1),
					Name:       names[c],
					Households: households[c],
					Residents:  residents[c],
					Polygon:    outline(rnd, c),
					Gates:      []string{id},
				})
				w.Gates = append(w.Gates, newGate(rnd, id, names[c], households[c], residents[c]))
				c++
			}
			community.Grids = append(community.Grids, grid)
			g++
		}
		w.Sites.Communities = append(w.Sites.Communities, community)
	}
	return w
}

func newGate(rnd *rand.Rand, id, name string, households, residents int) Gate {
	g := Gate{ID: id, Compound: name, Residents: residents, seed: rnd.Uint64(),
		Heated:      rnd.IntN(10) < 8,
		Thermometer: "gy-mcu90614",
		Scanner:     rnd.IntN(4) == 0,
		Offset:      fact.Temp(260 + 2*rnd.IntN(61)),
	}
	if rnd.IntN(5) == 0 {
		g.Thermometer = "mlx90614"
	}
	g.Cards = newCards(rnd, households, residents)
	return g
}

// split divides total unevenly into n parts, each at least least.
func split(rnd *rand.Rand, total, n, least int) []int {
	parts := make([]int, n)
	weights, sum := make([]float64, n), 0.0
	for i := range weights {
		weights[i] = 0.4 + rnd.Float64()
		sum += weights[i]
	}
	left := total - least*n
	given := 0
	for i := range parts {
		extra := int(float64(left) * weights[i] / sum)
		parts[i] = least + extra
		given += extra
	}
	for i := 0; given < left; i = (i + 1) % n {
		parts[i]++
		given++
	}
	return parts
}

// spread returns the residents of compounds with the given households; they add
// up to Residents.
func spread(rnd *rand.Rand, households []int) []int {
	out := make([]int, len(households))
	given := 0
	for i, h := range households {
		out[i] = h * (310 + rnd.IntN(60)) / 100
		given += out[i]
	}
	for i := 0; given != Residents; i = (i + 1) % len(out) {
		if given < Residents {
			out[i]++
			given++
		} else if out[i] > households[i] {
			out[i]--
			given--
		}
	}
	return out
}

// The compounds are in a grid of cells of some 270 by 280 metres.
const (
	columns    = 16
	cellWidth  = 0.003  // degrees of longitude
	cellHeight = 0.0025 // degrees of latitude
)

// outline returns a quadrilateral inside the cell of the nth compound.
func outline(rnd *rand.Rand, n int) []site.Point {
	rows := (Compounds + columns - 1) / columns
	west := longitude + (float64(n%columns)-columns/2.0)*cellWidth
	south := latitude + (float64(n/columns)-float64(rows)/2)*cellHeight
	corner := func(x, y float64) site.Point {
		jitter := func() float64 { return (rnd.Float64() - 0.5) * 0.15 }
		lon, lat := west+(x+jitter())*cellWidth, south+(y+jitter())*cellHeight
		return site.Point{round(lon), round(lat)}
	}
	return []site.Point{corner(0.2, 0.2), corner(0.8, 0.2), corner(0.8, 0.8), corner(0.2, 0.8)}
}

// round rounds degrees to six decimals, a tenth of a metre.
func round(v float64) float64 { return float64(int64(v*1e6+0.5)) / 1e6 }
