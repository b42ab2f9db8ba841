package honesty

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

// values returns n values that go up and down by spread around middle, at 20 °C.
func values(n int, middle, spread fact.Temp) (out []fact.Temp) {
	for i := range n {
		out = append(out, middle+spread*fact.Temp(i%5-2)/2)
	}
	return out
}

// read returns a thermometer that has read values at 20 °C.
func read(parts ...[]fact.Temp) *Memory { return readAt(2000, parts...) }

func readAt(ambient fact.Temp, parts ...[]fact.Temp) *Memory {
	var m Memory
	for _, v := range slices.Concat(parts...) {
		m.Add(ambient, v)
	}
	return &m
}

func TestWhatIsDoubtful(t *testing.T) {
	for _, c := range []struct {
		name     string
		own      *Memory
		siblings map[string]*Memory
		want     []Finding
	}{
		{"nothing was read", &Memory{}, nil, nil},
		{"people differ", read(values(200, 3600, 40)), nil, nil},
		{"too few to say", read(values(39, 3600, 0)), nil, nil},
		{"it repeats 33.4", read(values(40, 3340, 0)), nil, []Finding{{Doubt: Collapsed, Readings: 40}}},
		{"everybody is 36.5 within 0.06 °C", read(values(40, 3650, 6)), nil,
			[]Finding{{Doubt: Collapsed, Readings: 40, Value: 12}}},
		{"it repeats itself since lately", read(values(160, 3600, 40), values(40, 3600, 0)), nil,
			[]Finding{{Doubt: Collapsed, Readings: 40}}},
		{"it has risen by 0.6 °C", read(values(80, 3600, 40), values(40, 3660, 40)), nil,
			[]Finding{{Doubt: Drifted, Readings: 120, Value: 60}}},
		{"it has fallen by 0.6 °C", read(values(80, 3600, 40), values(40, 3540, 40)), nil,
			[]Finding{{Doubt: Drifted, Readings: 120, Value: -60}}},
		{"0.5 °C is allowed", read(values(80, 3600, 40), values(40, 3650, 40)), nil, nil},
		{"it is not known how it used to read", read(values(79, 3600, 40), values(40, 3660, 40)), nil, nil},
		{"the other one reads 0.8 °C more", read(values(40, 3600, 40)),
			map[string]*Memory{"b": read(values(40, 3680, 40))},
			[]Finding{{Doubt: UnlikeSibling, Sibling: "b", Readings: 40, Value: -80}}},
		{"the other one has read too little", read(values(40, 3600, 40)),
			map[string]*Memory{"b": read(values(39, 3680, 40))}, nil},
		{"the other one has read in the warm only", readAt(1999, values(40, 3600, 40)),
			map[string]*Memory{"b": read(values(40, 3680, 40))}, nil},
	} {
		if got := Look(c.own, c.siblings); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// A device that reports 36.5 °C plus a tenth of the difference is found; one that says
// what it measures is not.
func TestADeviceThatPullsToNormalIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var honest, pulled Memory
		for i := range 60 {
			// Uniform over 1.0 °C, in any order.
			v := fact.Temp(3600 + (i*37+rapid.IntRange(0, 5).Draw(t, "noise"))%100)
			honest.Add(2000, v)
			pulled.Add(2000, 3650+(v-3650)/10)
		}
		if got := Look(&honest, nil); got != nil {
			t.Fatalf("honest: %+v", got)
		}
		if got := Look(&pulled, nil); len(got) != 1 || got[0].Doubt != Collapsed {
			t.Fatalf("pulled: %+v", got)
		}
	})
}

func TestOldReadingsAndFurtherBandsAreDropped(t *testing.T) {
	var m Memory
	for i := range 500 {
		m.Add(-1, fact.Temp(i))
	}
	if b := m.band(-500); len(b.values) != keep || b.values[0] != 300 {
		t.Errorf("%d values, from %s", len(b.values), b.values[0])
	}
	for i := range fact.Temp(100) {
		m.Add(i*bandWide, 3500)
	}
	if len(m.bands) != maxBands {
		t.Errorf("%d bands", len(m.bands))
	}
}

// What it read at another temperature, such as before it was replaced, does not count.
func TestOnlyTheAmbientTemperatureOfNowCounts(t *testing.T) {
	m := read(values(40, 3340, 0))
	m.Add(1900, 3600)
	if got := Look(m, nil); got != nil {
		t.Errorf("%+v", got)
	}
}

func BenchmarkLook(b *testing.B) {
	own, other := read(values(200, 3600, 40)), read(values(200, 3600, 40))
	for b.Loop() {
		Look(own, map[string]*Memory{"b": other})
	}
}
