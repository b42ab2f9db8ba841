package baseline

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

var rules = Rules{Window: 100, Readings: 30, Spreads: 3, SpreadMin: 20}

// add adds n values that go up and down by spread around middle, at an ambient temperature.
func add(m *Memory, n int, ambient, middle, spread fact.Temp) {
	for i := range n {
		m.Add(ambient, middle+spread*fact.Temp(i%5-2)/2)
	}
}

func TestAReadingIsComparedWithThoseOfItsRange(t *testing.T) {
	var m Memory
	add(&m, 29, 2200, 3320, 20)
	if u, known := m.Usual(rules, 2200); known {
		t.Errorf("with 29 readings: %+v", u)
	}
	m.Add(2200, 3320)
	// Distances of 0, 0.10 and 0.20 °C: their median is 0.10, the spread 0.148, below the least.
	want := Usual{Ambient: 2000, Readings: 30, Median: 3320, Spread: 20, High: 3380}
	for ambient, known := range map[fact.Temp]bool{2000: true, 2200: true, 2499: true, 1999: false, 2500: false} {
		u, is := m.Usual(rules, ambient)
		if is != known || known && u != want {
			t.Errorf("at %s: %+v, %v", ambient, u, is)
		}
	}
}

func TestTheRangesAre5DegreesWideBelowZeroToo(t *testing.T) {
	for ambient, want := range map[fact.Temp]fact.Temp{0: 0, 499: 0, 500: 500, -1: -500, -500: -500, -501: -1000} {
		if got := Lower(ambient); got != want {
			t.Errorf("%s: %s, want %s", ambient, got, want)
		}
	}
}

func TestMedianAndSpread(t *testing.T) {
	for _, c := range []struct {
		values         []fact.Temp
		median, spread fact.Temp
	}{
		{[]fact.Temp{3600}, 3600, 0},
		{[]fact.Temp{3700, 3600}, 3600, 0},
		{[]fact.Temp{3700, 3600, 3650}, 3650, 74}, // 1.4826 x 0.50
		{[]fact.Temp{3550, 3600, 3650, 3700, 3750}, 3650, 74},
		{[]fact.Temp{3549, 3599, 3650, 3701, 4200}, 3650, 76}, // 1.4826 x 0.51 = 0.756
	} {
		if m, s := Median(c.values), Spread(c.values); m != c.median || s != c.spread {
			t.Errorf("%v: %s and %s, want %s and %s", c.values, m, s, c.median, c.spread)
		}
	}
}

func TestScatteredReadingsAllowMore(t *testing.T) {
	var m Memory
	add(&m, 40, 2000, 3600, 100)
	u, _ := m.Usual(rules, 2000) // the median of the distances is 0.50 °C
	if u.Spread != 74 || u.High != 3822 {
		t.Errorf("%+v", u)
	}
}

func TestOnlyTheNewestReadingsCount(t *testing.T) {
	var m Memory
	add(&m, 100, 2000, 3600, 0)
	add(&m, 51, 2000, 3650, 0)
	if u, _ := m.Usual(rules, 2000); u.Median != 3650 || u.Readings != 100 {
		t.Errorf("%+v", u)
	}
	add(&m, 2*Keep, 2000, 3660, 0)
	if got := m.All()[0].Values; len(got) != Keep || slices.Min(got) != 3660 {
		t.Errorf("%d values, from %s", len(got), slices.Min(got))
	}
	for i := range fact.Temp(100) {
		m.Add(i*width, 3500)
		m.Restore(Range{Ambient: i * width, Values: []fact.Temp{3500}})
	}
	if n := len(m.All()); n != maxRanges {
		t.Errorf("%d ranges", n)
	}
	if n := len(m.at(2000).Values); n != 1 {
		t.Errorf("a range that is restored has %d values", n)
	}
}

func TestARangeIsDueAfterSoManyReadings(t *testing.T) {
	var m Memory
	add(&m, 49, 2000, 3600, 20)
	add(&m, 3, 2500, 3600, 20)
	if due := m.Due(50); due != nil {
		t.Errorf("after 49: %+v", due)
	}
	m.Add(2000, 3600)
	due := m.Due(50)
	if len(due) != 1 || due[0].Ambient != 2000 || len(due[0].Values) != 50 {
		t.Fatalf("after 50: %+v", due)
	}
	due[0].Values[0] = 0
	if again := m.Due(50); again != nil || m.at(2000).Values[0] == 0 {
		t.Error("it is due again, or shares its values")
	}
	m.Restore(Range{Ambient: 2123, Values: due[0].Values})
	due[0].Values[1] = 0
	if m.at(2000).Values[1] == 0 {
		t.Error("a restored range shares its values")
	}
	m.Due(1)
	m.Add(2000, 3600)
	if m.Due(2) != nil || len(m.Due(1)) != 1 || len(m.All()) != 2 {
		t.Error("the readings since are not counted")
	}
}

// Others with a fever, as long as they are fewer than half, move the limit no further than
// people without one could: of these, who differ by 0.40 °C, the spread is 0.59 °C at most.
func TestOthersWithAFeverDoNotHideOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Memory
		values := rapid.SliceOfN(rapid.IntRange(3580, 3620), 40, 60).Draw(t, "normal")
		for range len(values) / 3 {
			values = append(values, rapid.IntRange(3720, 4200).Draw(t, "fever"))
		}
		for _, v := range rapid.Permutation(values).Draw(t, "order") {
			m.Add(2000, fact.Temp(v))
		}
		if u, known := m.Usual(rules, 2000); !known || u.Median > 3620 || u.High > 3620+3*59 {
			t.Fatalf("35.8 to 36.2, and a third as many fevers: %+v", u)
		}
	})
}

// A memory that is restored from its records, and has then read the same, knows the same.
func TestARestoredMemoryKnowsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m, again Memory
		for range rapid.IntRange(0, 400).Draw(t, "n") {
			ambient := fact.Temp(rapid.IntRange(1500, 3600).Draw(t, "ambient"))
			v := fact.Temp(rapid.IntRange(3500, 3730).Draw(t, "value"))
			m.Add(ambient, v)
			again.Add(ambient, v)
			for _, r := range m.Due(rapid.IntRange(1, 60).Draw(t, "every")) {
				again = Memory{ranges: again.ranges}
				again.Restore(r)
			}
		}
		for ambient := fact.Temp(1500); ambient < 3700; ambient += 500 {
			a, knownA := m.Usual(rules, ambient)
			b, knownB := again.Usual(rules, ambient)
			if a != b || knownA != knownB {
				t.Fatalf("at %s: %+v, restored %+v", ambient, a, b)
			}
		}
	})
}

func TestRulesOutOfRangeAreNamed(t *testing.T) {
	if got := (Rules{}).WithDefaults(); got != (Rules{Window: 200, Readings: 50, Spreads: 3, SpreadMin: 20}) {
		t.Errorf("defaults %+v", got)
	}
	if got := (Rules{Window: 30}).WithDefaults(); got.Readings != 30 {
		t.Errorf("defaults of a short window %+v", got)
	}
	for _, r := range []Rules{{}, rules, {Window: 20, Readings: 20, Spreads: 1.5, SpreadMin: 5},
		{Window: 200, Readings: 200, Spreads: 10, SpreadMin: 100}} {
		if err := r.Check(); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
	for key, bad := range map[string][]Rules{
		"window":       {{Window: 19, Readings: 20}, {Window: 201}},
		"readings":     {{Readings: 19}, {Readings: 101, Window: 100}},
		"spreads":      {{Spreads: 1.4}, {Spreads: 10.1}, {Spreads: -1}},
		"spread_min_c": {{SpreadMin: 4}, {SpreadMin: 101}},
	} {
		for _, r := range bad {
			if err := r.Check(); err == nil || !reflect.DeepEqual(err.Error()[:len(key)+1], key+" ") {
				t.Errorf("%+v: %v", r, err)
			}
		}
	}
}

func BenchmarkUsual(b *testing.B) {
	var m Memory
	add(&m, Keep, 2000, 3600, 20)
	for b.Loop() {
		m.Usual(Rules{}, 2000)
	}
}
