package world

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/site"
)

type plain struct{}

func (plain) Pseudonym(kind, code string) string { return kind + code }

func TestTheCountysSizeDoesNotDependOnTheSeed(t *testing.T) {
	for _, seed := range []uint64{1, 2, 99} {
		w := New(seed)
		grids, compounds, households, residents := 0, 0, 0, 0
		names := map[string]bool{}
		for _, c := range w.Sites.Communities {
			grids += len(c.Grids)
			for _, g := range c.Grids {
				compounds += len(g.Compounds)
				for _, k := range g.Compounds {
					households += k.Households
					residents += k.Residents
					names[k.Name] = true
				}
			}
		}
		if len(w.Sites.Communities) != 6 || grids != 78 || compounds != 184 || households != 16336 ||
			residents != 55887 || len(names) != 184 || len(w.Gates) != 184 {
			t.Fatalf("seed %d: %d communities, %d grids, %d compounds, %d households, %d residents, %d names, %d gates",
				seed, len(w.Sites.Communities), grids, compounds, households, residents, len(names), len(w.Gates))
		}
	}
}

func TestTheGatewayAcceptsTheCountysFiles(t *testing.T) {
	w := New(1)
	text, err := config.Write(w.Sites)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := site.Parse(text); err != nil || c.Gates() != Compounds {
		t.Fatalf("the site file: %v", err)
	}
	p, err := policy.Parse(Policy())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range w.Gates {
		if _, err := policy.ParseRoster(p, bytes.NewReader(g.Roster()), plain{}); err != nil {
			t.Fatalf("the roster of %s: %v", g.ID, err)
		}
	}
}

func TestCompoundsDoNotOverlap(t *testing.T) {
	type box struct{ w, e, s, n float64 }
	var boxes []box
	for _, c := range New(1).Sites.Communities {
		for _, g := range c.Grids {
			for _, k := range g.Compounds {
				b := box{999, -999, 999, -999}
				for _, p := range k.Polygon {
					b = box{min(b.w, p[0]), max(b.e, p[0]), min(b.s, p[1]), max(b.n, p[1])}
				}
				for _, o := range boxes {
					if b.w < o.e && o.w < b.e && b.s < o.n && o.s < b.n {
						t.Fatalf("%s overlaps another", k.ID)
					}
				}
				boxes = append(boxes, b)
			}
		}
	}
}

func TestOneSeedMakesOneCounty(t *testing.T) {
	a, b := New(7), New(7)
	if !reflect.DeepEqual(a, b) {
		t.Fatal("two counties of one seed differ")
	}
	if reflect.DeepEqual(a, New(8)) {
		t.Fatal("two seeds make the same county")
	}
	x, y := a.Gates[3].Day(7*time.Hour), b.Gates[3].Day(7*time.Hour)
	for range 100 {
		if p, q := x.Next(), y.Next(); p != q {
			t.Fatalf("%+v and %+v", p, q)
		}
	}
}

func TestADaysArrivalsHaveTheirSharesAndPeaks(t *testing.T) {
	w := New(1)
	n, kinds, morning, night := 0, map[Kind]int{}, 0, 0
	for _, g := range w.Gates {
		last := time.Duration(0)
		for d := g.Day(0); ; {
			a := d.Next()
			if a.At >= 24*time.Hour {
				break
			}
			if a.At < last {
				t.Fatal("an arrival is earlier than the one before")
			}
			last = a.At
			n++
			kinds[a.Kind]++
			switch h := int(a.At.Hours()); {
			case h >= 7 && h < 9:
				morning++
			case h < 4:
				night++
			}
		}
	}
	if n < Residents/4 || n > Residents/2 || morning < 10*night {
		t.Errorf("%d trips, %d in the morning, %d at night", n, morning, night)
	}
	share := func(k Kind) float64 { return float64(kinds[k]) / float64(n) * 1000 }
	if f := share(KindFever); f < 1.5 || f > 5 {
		t.Errorf("fever: %.1f of 1000", f)
	}
	if u := share(KindUnknown); u < 7 || u > 13 {
		t.Errorf("unknown cards: %.1f of 1000", u)
	}
	if c := share(KindCold); c < 10 || c > 150 {
		t.Errorf("cold: %.1f of 1000", c)
	}
}

func TestAmbientInABoothAndInTheOpen(t *testing.T) {
	booth, open := Gate{Heated: true}, Gate{}
	if booth.Ambient(4*time.Hour) != 2000 || open.Ambient(3*time.Hour) > -500 || open.Ambient(15*time.Hour) < 700 {
		t.Fatalf("booth %s, open at night %s, by day %s",
			booth.Ambient(0), open.Ambient(3*time.Hour), open.Ambient(15*time.Hour))
	}
}
