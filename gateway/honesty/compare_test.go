package honesty

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

func pairs(n int, p Pair) []Pair {
	out := make([]Pair, n)
	for i := range out {
		out[i] = p
	}
	return out
}

// people returns ten pairs of people from 36.0 to 36.9 °C; of each the thermometer reads
// what f says.
func people(f func(contact fact.Temp) fact.Temp) (out []Pair) {
	for i := range fact.Temp(10) {
		c := 3600 + 10*i
		out = append(out, Pair{c, f(c)})
	}
	return out
}

func TestWhatAFieldCheckFinds(t *testing.T) {
	if c, known := Compare(pairs(9, Pair{3650, 3600}), 3730); known {
		t.Errorf("nine pairs: %+v", c)
	}
	wider := func(f func(fact.Temp) fact.Temp) []Pair {
		x := people(f)
		x[9] = Pair{3700, f(3700)}
		return x
	}
	half := func(c fact.Temp) fact.Temp { return 3650 + (c-3650)/2 }
	for name, x := range map[string]struct {
		pairs []Pair
		want  Comparison
	}{
		"within 0.5 °C": {pairs(10, Pair{3650, 3600}), Comparison{Mean: -50}},
		"0.51 °C low":   {pairs(10, Pair{3650, 3599}), Comparison{Mean: -51, Faults: []fact.CheckFault{fact.CheckOff}}},
		"0.5 °C high":   {pairs(10, Pair{3650, 3700}), Comparison{Mean: 50}},
		"0.51 °C high":  {pairs(10, Pair{3650, 3701}), Comparison{Mean: 51, Faults: []fact.CheckFault{fact.CheckOff}}},
		"a mean between two values": {append(pairs(5, Pair{3650, 3650}), pairs(5, Pair{3650, 3661})...),
			Comparison{Mean: 6, Spread: 6}}, // 5.5 and 5.80
		"one fever was missed": {append(pairs(9, Pair{3660, 3660}), Pair{3730, 3729}), Comparison{}},
		"two fevers were missed": {append(pairs(18, Pair{3660, 3660}), pairs(2, Pair{3730, 3729})...),
			Comparison{Faults: []fact.CheckFault{fact.CheckMisses}}},
		"fevers were found": {pairs(10, Pair{3730, 3730}), Comparison{}},
		"it follows":        {wider(func(c fact.Temp) fact.Temp { return c - 20 }), Comparison{Mean: -20}},
		"it pulls to normal": {wider(func(c fact.Temp) fact.Temp { return 3650 + (c-3650)/10 }),
			Comparison{Mean: 4, Spread: 29, Faults: []fact.CheckFault{fact.CheckFlat}}},
		"it follows by half": {wider(half), Comparison{Mean: 2, Spread: 16}},
		"people who hardly differ": {people(func(fact.Temp) fact.Temp { return 3650 }),
			Comparison{Mean: 5, Spread: 30}},
	} {
		got, known := Compare(x.pairs, 3730)
		if !known || !reflect.DeepEqual(got, x.want) || got.Passed() != (x.want.Faults == nil) {
			t.Errorf("%s: %+v %v, want %+v", name, got, known, x.want)
		}
	}
}

// The offset that a check proposes is the one with which the next check finds no error.
func TestTheProposedOffsetTakesTheErrorAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x []Pair
		for range rapid.IntRange(PairsNeeded, 20).Draw(t, "n") {
			c := fact.Temp(rapid.IntRange(3400, 4200).Draw(t, "contact"))
			x = append(x, Pair{c, c + fact.Temp(rapid.IntRange(-300, 300).Draw(t, "error"))})
		}
		first, _ := Compare(x, 3730)
		for i := range x {
			x[i].Infrared -= first.Mean
		}
		again, _ := Compare(x, 3730)
		if again.Mean > 1 || again.Mean < -1 || again.Spread != first.Spread {
			t.Fatalf("%+v, then %+v", first, again)
		}
	})
}
