// Package honesty finds thermometers that don't say what they measure: that repeat
// one value, drift, or pull every reading towards a normal one, as seven devices in use
// did (Healy 2021, doi 10.1117/1.JBO.26.4.043009). It is pure, and compares values as
// the devices gave them.
package honesty

import (
	"maps"
	"slices"

	"gatehouse/gateway/fact"
)

// Doubt says what is wrong with a thermometer.
type Doubt string

// The doubts.
const (
	// Collapsed: people read alike who can't be. Foreheads of people without a fever
	// differ by 0.6 °C between the tenth and the ninetieth of a hundred even indoors.
	Collapsed Doubt = "collapsed"
	// Drifted: it reads otherwise than it used to at the same ambient temperature.
	Drifted Doubt = "drifted"
	// UnlikeSibling: another thermometer of the gate reads otherwise. Which of the
	// two is wrong is not known.
	UnlikeSibling Doubt = "unlike-sibling"
)

// Finding is a doubt about a thermometer and what it rests on.
type Finding struct {
	Doubt    Doubt
	Sibling  string    // that it is compared with, of UnlikeSibling
	Readings int       // that it rests on
	Value    fact.Temp // of Collapsed the width of the readings, of the others how far off it is
}

const (
	newest = 40 // readings that stand for how it reads now
	narrow = 15 // 0.15 °C
	wide   = 50 // 0.5 °C: two thermometers that are each within ±0.2 °C never differ so much
	oldest = 80 // readings that stand for how it used to read
)

// Look returns what is doubtful about a thermometer that has read own, beside others of
// the same gate, by name. What counts are readings at the ambient temperature of the
// newest one.
func Look(own *Memory, siblings map[string]*Memory) []Finding {
	b := own.newest
	if b == nil || len(b.values) < newest {
		return nil
	}
	var out []Finding
	now := latest(b)
	if w := width(now); w < narrow {
		out = append(out, Finding{Doubt: Collapsed, Readings: newest, Value: w})
	}
	if before := b.values[:len(b.values)-newest]; len(before) >= oldest {
		if d := median(now) - median(before); far(d) {
			out = append(out, Finding{Doubt: Drifted, Readings: len(b.values), Value: d})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(siblings)) {
		other := siblings[name].band(b.ambient)
		if other == nil || len(other.values) < newest {
			continue
		}
		if d := median(now) - median(latest(other)); far(d) {
			out = append(out, Finding{Doubt: UnlikeSibling, Sibling: name, Readings: newest, Value: d})
		}
	}
	return out
}

func latest(b *band) []fact.Temp { return b.values[len(b.values)-newest:] }

func far(d fact.Temp) bool { return d > wide || d < -wide }

// width returns how far apart the tenth and the ninetieth of a hundred values are.
func width(values []fact.Temp) fact.Temp {
	s := slices.Sorted(slices.Values(values))
	return s[len(s)*9/10-1] - s[len(s)/10]
}
