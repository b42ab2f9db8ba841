// Package site reads the tree of a county from a YAML file: communities, grids,
// compounds and their gates.
package site

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gatehouse/gateway/config"
	"gatehouse/gateway/wire"
)

// CRS is the only coordinate system that is accepted. GCJ-02 and BD-09, which
// Chinese maps use, are 0.5 to 1.4 km off and must be converted first.
const CRS = "WGS-84"

// County is the whole tree.
type County struct {
	ID          string      `yaml:"county"`
	Name        string      `yaml:"name"`
	CRS         string      `yaml:"crs"`
	Communities []Community `yaml:"communities"`

	places map[string]place // by gate
}

// Community is a residential community with its grids.
type Community struct {
	ID    string `yaml:"id"`
	Name  string `yaml:"name"`
	Grids []Grid `yaml:"grids"`
}

// Grid is the unit that one grid worker looks after.
type Grid struct {
	ID        string     `yaml:"id"`
	Name      string     `yaml:"name"`
	Compounds []Compound `yaml:"compounds"`
}

// Compound is one closed residential compound.
type Compound struct {
	ID         string   `yaml:"id"`
	Name       string   `yaml:"name"`
	Households int      `yaml:"households,omitempty"`
	Residents  int      `yaml:"residents,omitempty"`
	Polygon    []Point  `yaml:"polygon,omitempty,flow"` // its outline, without repeating the first point
	Gates      []string `yaml:"gates,flow"`             // ids of the agents at its gates
}

// Point is longitude, then latitude, in degrees: the order of GeoJSON.
type Point [2]float64

type place struct{ community, grid, compound string }

// Load reads and checks a file.
func Load(path string) (*County, error) {
	c, err := config.Load[County](path)
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &c, nil
}

// Parse reads and checks YAML text.
func Parse(text []byte) (*County, error) {
	c, err := config.Parse[County](text)
	if err != nil {
		return nil, err
	}
	return &c, c.check()
}

// Place returns where a gate is; ok is false when the county has no such gate.
func (c *County) Place(gate string) (community, grid, compound string, ok bool) {
	p, ok := c.places[gate]
	return p.community, p.grid, p.compound, ok
}

// Gates returns the number of gates.
func (c *County) Gates() int { return len(c.places) }

// Box returns the corners of the box around all compounds, south-west and
// north-east; ok is false when none has an outline.
func (c *County) Box() (low, high Point, ok bool) {
	for _, community := range c.Communities {
		for _, grid := range community.Grids {
			for _, compound := range grid.Compounds {
				for _, p := range compound.Polygon {
					if !ok {
						low, high, ok = p, p, true
					}
					low = Point{min(low[0], p[0]), min(low[1], p[1])}
					high = Point{max(high[0], p[0]), max(high[1], p[1])}
				}
			}
		}
	}
	return low, high, ok
}

func (c *County) check() error {
	var errs []error
	if err := wire.CheckID(c.ID); err != nil {
		errs = append(errs, fmt.Errorf("county: %w", err))
	}
	if _, _, drawn := c.Box(); c.CRS != CRS && (drawn || c.CRS != "") {
		errs = append(errs, fmt.Errorf("crs %q: write %s, after converting what is GCJ-02 or BD-09", c.CRS, CRS))
	}
	k := checker{c: c, ids: map[string]string{}}
	c.places = map[string]place{}
	for _, community := range c.Communities {
		k.id("community", community.ID)
		for _, grid := range community.Grids {
			k.id("grid", grid.ID)
			for _, compound := range grid.Compounds {
				k.id("compound", compound.ID)
				k.compound(compound, place{community.ID, grid.ID, compound.ID})
			}
		}
	}
	if len(c.places) == 0 {
		k.errs = append(k.errs, errors.New("no gate is listed"))
	}
	return errors.Join(append(errs, k.errs...)...)
}

// spread is how far apart two compounds of one county may be, in degrees: some
// 100 km. Swapped or wrong coordinates are further apart.
const spread = 1.0

type checker struct {
	c     *County
	ids   map[string]string
	first *Point
	errs  []error
}

func (k *checker) add(format string, args ...any) {
	k.errs = append(k.errs, fmt.Errorf(format, args...))
}

func (k *checker) id(kind, id string) {
	if err := wire.CheckID(id); err != nil {
		k.add("%s: %w", kind, err)
	}
	if k.ids[id] != "" {
		k.add("%s id %q is used twice (by a %s)", kind, id, k.ids[id])
	}
	k.ids[id] = kind
}

func (k *checker) compound(c Compound, p place) {
	for _, gate := range c.Gates {
		if err := wire.CheckID(gate); err != nil {
			k.add("compound %s: gate: %w", c.ID, err)
		}
		if gate == wire.CollectorID {
			k.add("compound %s: gate %q: that is the collector's own name", c.ID, gate)
		}
		if at, twice := k.c.places[gate]; twice {
			k.add("compound %s: gate %q is at compound %s already", c.ID, gate, at.compound)
		}
		k.c.places[gate] = p
	}
	if n := len(c.Polygon); n > 0 && n < 3 {
		k.add("compound %s: a polygon of %d points encloses nothing", c.ID, n)
	}
	for _, pt := range c.Polygon {
		if !k.point(c, pt) {
			return // one error per compound
		}
	}
}

func (k *checker) point(c Compound, pt Point) bool {
	lon, lat := pt[0], pt[1]
	switch {
	case math.IsNaN(lon) || math.IsNaN(lat) || math.Abs(lon) > 180 || math.Abs(lat) > 90:
		k.add("compound %s: point [%g, %g] is not [longitude, latitude] in degrees", c.ID, lon, lat)
		return false
	case lon == 0 && lat == 0:
		k.add("compound %s: point [0, 0] is in the Atlantic", c.ID)
		return false
	case k.first == nil:
		k.first = &pt
	case math.Abs(lon-k.first[0]) > spread || math.Abs(lat-k.first[1]) > spread:
		k.add("compound %s: point [%g, %g] is far from [%g, %g]: is it [longitude, latitude]?",
			c.ID, lon, lat, k.first[0], k.first[1])
		return false
	}
	return true
}

// TreeNode is a node of the tree, for screens.
type TreeNode struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Gates []string   `json:"gates,omitempty"` // of a compound
	Under []TreeNode `json:"under,omitempty"`
}

// Tree returns the county with its communities, their grids and compounds.
func (c *County) Tree() TreeNode {
	root := TreeNode{ID: c.ID, Name: c.Name}
	for _, community := range c.Communities {
		x := TreeNode{ID: community.ID, Name: community.Name}
		for _, grid := range community.Grids {
			y := TreeNode{ID: grid.ID, Name: grid.Name}
			for _, compound := range grid.Compounds {
				y.Under = append(y.Under, TreeNode{ID: compound.ID, Name: compound.Name, Gates: compound.Gates})
			}
			x.Under = append(x.Under, y)
		}
		root.Under = append(root.Under, x)
	}
	return root
}

// Names returns the names of the community and of the compound of a gate; empty: it is not
// in the file.
func (c *County) Names(gate string) (community, compound string) {
	for _, x := range c.Communities {
		for _, grid := range x.Grids {
			for _, y := range grid.Compounds {
				if slices.Contains(y.Gates, gate) {
					return x.Name, y.Name
				}
			}
		}
	}
	return "", ""
}

// Agents returns the ids of all gates, in the file's order.
func (c *County) Agents() []string {
	var out []string
	for _, compound := range c.Compounds() {
		out = append(out, compound.Gates...)
	}
	return out
}

// Compounds returns all compounds, in the file's order.
func (c *County) Compounds() []Compound {
	var out []Compound
	for _, community := range c.Communities {
		for _, grid := range community.Grids {
			out = append(out, grid.Compounds...)
		}
	}
	return out
}
