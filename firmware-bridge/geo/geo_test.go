package geo

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestDistanceIsThatOfTheMeanSphere(t *testing.T) {
	const degree = 2 * math.Pi * radius / 360
	for name, c := range map[string]struct {
		a, b   Point
		metres float64
	}{
		"one point":               {Point{35.9, 115.1}, Point{35.9, 115.1}, 0},
		"a degree north":          {Point{35, 115}, Point{36, 115}, degree},
		"a degree on the equator": {Point{0, 179.5}, Point{0, -179.5}, degree},
		"pole to pole":            {Point{90, 0}, Point{-90, 0}, 180 * degree},
		"100 m at 36 degrees":     {Point{36, 115}, Point{36, 115.001}, degree / 1000 * math.Cos(36*math.Pi/180)},
	} {
		if d := Distance(c.a, c.b); math.Abs(d-c.metres) > 1e-6*c.metres+1e-9 {
			t.Errorf("%s: %f m, want %f", name, d, c.metres)
		}
	}
}

func TestOppositePointsAreHalfACircleApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lat, lon := rapid.Float64Range(-90, 90).Draw(t, "lat"), rapid.Float64Range(-180, 0).Draw(t, "lon")
		d := Distance(Point{lat, lon}, Point{-lat, lon + 180})
		if !(math.Abs(d-math.Pi*radius) < 1) {
			t.Fatalf("%g m", d)
		}
	})
}

// offLine returns the metres between p and the line from a to b, on a plane
// that touches the earth at a.
func offLine(p, a, b Point) float64 {
	scale := math.Cos(a.Lat * math.Pi / 180)
	px, py := (p.Lon-a.Lon)*scale*perDegree, (p.Lat-a.Lat)*perDegree
	bx, by := (b.Lon-a.Lon)*scale*perDegree, (b.Lat-a.Lat)*perDegree
	along := 0.0
	if l := bx*bx + by*by; l > 0 {
		along = math.Max(0, math.Min(1, (px*bx+py*by)/l))
	}
	return math.Hypot(px-along*bx, py-along*by)
}

func TestAThinnedLineKeepsItsEndsAndLiesWithinTheTolerance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var line []Point
		p := Point{35.9, 115.1}
		step := rapid.Float64Range(-5, 5)
		for range rapid.IntRange(1, 300).Draw(t, "n") {
			if !rapid.Bool().Draw(t, "stays") {
				p.Lat += step.Draw(t, "north") / 111_000
				p.Lon += step.Draw(t, "east") / 90_000
			}
			line = append(line, p)
		}
		const tolerance = 2.0
		keep := Thin(line, tolerance)
		if keep[0] != 0 || keep[len(keep)-1] != len(line)-1 {
			t.Fatal("an end is gone")
		}
		for k := 1; k < len(keep); k++ {
			for i := keep[k-1] + 1; i < keep[k]; i++ {
				if d := offLine(line[i], line[keep[k-1]], line[keep[k]]); d > tolerance+0.01 {
					t.Fatalf("point %d lies %.2f m off", i, d)
				}
			}
		}
	})
}

func TestAnEmptyLineStaysEmpty(t *testing.T) {
	if keep := Thin(nil, 1); len(keep) != 0 {
		t.Error(keep)
	}
}

func TestOutsideIsTheDistanceFromAnOutline(t *testing.T) {
	const metre = 360 / (2 * math.Pi * radius)
	square := []Point{{35, 115}, {35, 115.002}, {35.002, 115.002}, {35.002, 115}} // 182 by 222 m
	wide := 1 / math.Cos(35*math.Pi/180)
	for name, c := range map[string]struct {
		p      Point
		metres float64
	}{
		"within":              {Point{35.001, 115.001}, 0},
		"beside":              {Point{35.001, 115 - 40*metre*wide}, 40},
		"above":               {Point{35.002 + 25*metre, 115.001}, 25},
		"beside the last":     {Point{35.001, 115 - 7*metre*wide}, 7},
		"outside of a corner": {Point{35 - 30*metre, 115 - 40*metre*wide}, 50},
	} {
		if got := Outside(c.p, square); math.Abs(got-c.metres) > 0.01*c.metres {
			t.Errorf("%s: %f m, want %f", name, got, c.metres)
		}
	}
	if got := Outside(Point{35, 115}, nil); !math.IsInf(got, 1) {
		t.Errorf("of no outline: %f", got)
	}
}
