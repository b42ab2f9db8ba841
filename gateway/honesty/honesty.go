// Package honesty finds thermometers that don't say what they measure: that repeat
// one value, drift, or pull every reading towards a normal one, as seven devices in use
// did (Healy 2021, doi 10.1117/1.JBO.26.4.043009). It is pure, and compares values as
// the devices gave them. Compare holds them against a contact
// thermometer.
package honesty

import (
	"maps"
	"slices"

	"gatehouse/gateway/baseline"
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
	// UnlikeSibling: another thermometer of the gate reads otherwise, and nothing says
	// that the other one is wrong.
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
	narrow = 15 // 0.15 °C
	wide   = 50 // 0.5 °C: two thermometers that are each within ±0.2 °C never differ so much
	enough = 80 // readings that say how it used to read
)

// Thermometer is one thermometer of a gate.
type Thermometer struct {
	Memory  *Memory
	Checked bool // it has passed a field check that is not overdue
}

// Look returns what is doubtful about the thermometer with a name, beside the others of
// the gate. What counts are readings at the ambient temperature of the newest one. Where
// two differ, the one is believed that has passed a field check, or that reads as it
// always did while the other does not.
func Look(name string, all map[string]Thermometer) []Finding {
	own := all[name]
	out := own.alone()
	for _, sibling := range slices.Sorted(maps.Keys(all)) {
		other := all[sibling]
		if sibling == name || own.Checked && !other.Checked || out == nil && other.alone() != nil {
			continue
		}
		if d, known := own.beside(other); known && far(d) {
			out = append(out, Finding{Doubt: UnlikeSibling, Sibling: sibling, Readings: newest, Value: d})
		}
	}
	return out
}

// alone returns what is doubtful about a thermometer by itself.
func (t Thermometer) alone() (out []Finding) {
	b := t.Memory.newest
	if b == nil || len(b.now) < newest {
		return nil
	}
	if w := width(b.now); w < narrow {
		out = append(out, Finding{Doubt: Collapsed, Readings: newest, Value: w})
	}
	if len(b.before) >= enough {
		if d := baseline.Median(b.now) - baseline.Median(b.before); far(d) {
			out = append(out, Finding{Doubt: Drifted, Readings: len(b.before) + len(b.now), Value: d})
		}
	}
	return out
}

// beside returns how far it reads from another thermometer at the same ambient temperature.
func (t Thermometer) beside(other Thermometer) (d fact.Temp, known bool) {
	b := t.Memory.newest
	if b == nil || len(b.now) < newest {
		return 0, false
	}
	x := other.Memory.band(b.ambient)
	if x == nil || len(x.now) < newest {
		return 0, false
	}
	return baseline.Median(b.now) - baseline.Median(x.now), true
}

func far(d fact.Temp) bool { return d > wide || d < -wide }

// width returns how far apart the tenth and the ninetieth of a hundred values are.
func width(values []fact.Temp) fact.Temp {
	s := slices.Sorted(slices.Values(values))
	return s[len(s)*9/10-1] - s[len(s)/10]
}
