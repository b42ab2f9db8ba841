package honesty

import (
	"maps"
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
		m.Add(ambient, v, false)
	}
	return &m
}

// sibling is a thermometer b beside a.
func sibling(m *Memory) map[string]Thermometer { return map[string]Thermometer{"b": {Memory: m}} }

func TestWhatIsDoubtful(t *testing.T) {
	unlike := func(d fact.Temp) []Finding {
		return []Finding{{Doubt: UnlikeSibling, Sibling: "b", Readings: 40, Value: d}}
	}
	for _, c := range []struct {
		name   string
		own    *Memory
		others map[string]Thermometer
		want   []Finding
	}{
		{"nothing was read", &Memory{}, sibling(read(values(40, 3600, 40))), nil},
		{"people differ", read(values(200, 3600, 40)), nil, nil},
		{"too few to say", read(values(39, 3600, 0)), nil, nil},
		{"it repeats 33.4", read(values(40, 3340, 0)), nil, []Finding{{Doubt: Collapsed, Readings: 40}}},
		{"everybody is 36.5 within 0.06 °C", read(values(40, 3650, 6)), nil,
			[]Finding{{Doubt: Collapsed, Readings: 40, Value: 12}}},
		{"0.15 °C is wide enough", read(values(5, 3640, 0), values(30, 3650, 0), values(5, 3655, 0)), nil, nil},
		{"it repeats itself since lately", read(values(160, 3600, 40), values(40, 3600, 0)), nil,
			[]Finding{{Doubt: Collapsed, Readings: 40}}},
		{"it has risen by 0.6 °C", read(values(80, 3600, 40), values(40, 3660, 40)), nil,
			[]Finding{{Doubt: Drifted, Readings: 120, Value: 60}}},
		{"it has fallen by 0.6 °C", read(values(80, 3600, 40), values(40, 3540, 40)), nil,
			[]Finding{{Doubt: Drifted, Readings: 120, Value: -60}}},
		{"0.5 °C is allowed", read(values(80, 3600, 40), values(40, 3650, 40)), nil, nil},
		{"-0.5 °C is allowed", read(values(80, 3600, 40), values(40, 3550, 40)), nil, nil},
		{"it is not known how it used to read", read(values(79, 3600, 40), values(40, 3660, 40)), nil, nil},
		{"the other one reads 0.8 °C more", read(values(40, 3600, 40)), sibling(read(values(40, 3680, 40))),
			unlike(-80)},
		{"0.5 °C more", read(values(40, 3600, 40)), sibling(read(values(40, 3650, 40))), nil},
		{"the other one has read too little", read(values(40, 3600, 40)), sibling(read(values(39, 3680, 40))), nil},
		{"it has read too little itself", read(values(39, 3600, 40)), sibling(read(values(40, 3680, 40))), nil},
		{"the other one has read in the warm only", readAt(1999, values(40, 3600, 40)),
			sibling(read(values(40, 3680, 40))), nil},
		{"the other one has drifted", read(values(120, 3600, 40)),
			sibling(read(values(80, 3600, 40), values(40, 3680, 40))), nil},
		{"it has drifted itself", read(values(80, 3600, 40), values(40, 3680, 40)),
			sibling(read(values(120, 3600, 40))),
			append([]Finding{{Doubt: Drifted, Readings: 120, Value: 80}}, unlike(80)...)},
		{"both have", read(values(80, 3600, 40), values(40, 3660, 40)),
			sibling(read(values(80, 3600, 40), values(40, 3540, 40))),
			append([]Finding{{Doubt: Drifted, Readings: 120, Value: 60}}, unlike(120)...)},
		{"the other one was checked", read(values(40, 3600, 40)),
			map[string]Thermometer{"b": {Memory: read(values(40, 3680, 40)), Checked: true}}, unlike(-80)},
	} {
		all := map[string]Thermometer{"a": {Memory: c.own}}
		maps.Copy(all, c.others)
		if got := Look("a", all); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	all := map[string]Thermometer{"a": {read(values(40, 3600, 40)), true}, "b": {read(values(40, 3680, 40)), false}}
	if got := Look("a", all); got != nil {
		t.Errorf("it was checked, and the other one was not: %+v", got)
	}
	all["b"] = Thermometer{all["b"].Memory, true}
	if got := Look("a", all); len(got) != 1 {
		t.Errorf("both were checked: %+v", got)
	}
}

// A thermometer that has drifted stays doubtful however long it lasts, and is not when it
// reads as before.
func TestADriftIsNotForgottenByLasting(t *testing.T) {
	m := read(values(80, 3600, 40))
	all := map[string]Thermometer{"a": {Memory: m}}
	doubtful := false
	add := func(n int, middle fact.Temp) {
		for _, v := range values(n, middle, 40) {
			m.Add(2000, v, doubtful)
			doubtful = Look("a", all) != nil
		}
	}
	if add(1000, 3660); !doubtful {
		t.Error("after a thousand readings it is forgotten")
	}
	if add(40, 3610); doubtful {
		t.Errorf("it reads as before, and is doubtful: %+v", Look("a", all))
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
			honest.Add(2000, v, false)
			pulled.Add(2000, 3650+(v-3650)/10, false)
		}
		if got := Look("a", map[string]Thermometer{"a": {Memory: &honest}}); got != nil {
			t.Fatalf("honest: %+v", got)
		}
		got := Look("a", map[string]Thermometer{"a": {Memory: &pulled}})
		if len(got) != 1 || got[0].Doubt != Collapsed {
			t.Fatalf("pulled: %+v", got)
		}
	})
}

func TestOldReadingsAndFurtherBandsAreDropped(t *testing.T) {
	var m Memory
	for i := range 500 {
		m.Add(-1, fact.Temp(i), false)
	}
	if b := m.band(-500); len(b.now) != newest || b.now[0] != 460 || len(b.before) != history || b.before[0] != 300 {
		t.Errorf("%d values, from %s, and %d, from %s", len(b.now), b.now[0], len(b.before), b.before[0])
	}
	for i := range fact.Temp(100) {
		m.Add(i*500, 3500, false)
	}
	if len(m.bands) != maxBands {
		t.Errorf("%d bands", len(m.bands))
	}
}

// What it read at another temperature, such as before it was replaced, does not count.
func TestOnlyTheAmbientTemperatureOfNowCounts(t *testing.T) {
	m := read(values(40, 3340, 0))
	m.Add(1900, 3600, false)
	if got := Look("a", map[string]Thermometer{"a": {Memory: m}}); got != nil {
		t.Errorf("%+v", got)
	}
}

func BenchmarkLook(b *testing.B) {
	all := sibling(read(values(200, 3600, 40)))
	all["a"] = Thermometer{Memory: read(values(200, 3600, 40))}
	for b.Loop() {
		Look("a", all)
	}
}
