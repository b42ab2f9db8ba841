package baseline

import (
	"slices"

	"gatehouse/gateway/fact"
)

const (
	width     = 500 // of a range of ambient temperatures, in fact.Temp
	maxRanges = 24  // −60 to 60 °C
	// scale makes the median absolute deviation an estimate of the standard deviation
	// of a normal distribution (Rousseeuw and Croux 1993, section 1).
	scale = 1.4826
)

// Lower returns the lower end of the range that an ambient temperature is in. A range is
// 5 °C wide.
func Lower(ambient fact.Temp) fact.Temp { return ambient - (ambient%width+width)%width }

// Median returns the value in the middle; of an even number the lower of the two. There
// must be one.
func Median(values []fact.Temp) fact.Temp {
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}

// Spread returns the robust standard deviation of values around their median: 1.4826
// times the median of the distances from it.
func Spread(values []fact.Temp) fact.Temp {
	m := Median(values)
	away := make([]fact.Temp, len(values))
	for i, v := range values {
		away[i] = max(v-m, m-v)
	}
	return fact.Temp(scale*float64(Median(away)) + 0.5)
}

// Range holds what a thermometer has read while the ambient temperature was in a range.
type Range struct {
	Ambient fact.Temp   // its lower end
	Values  []fact.Temp // as the device gave them, the newest Keep, oldest first
	fresh   int         // of them, since Due has returned the range
}

// Memory is what a thermometer has read of people. Its zero value has read nothing; it is
// for one goroutine.
type Memory struct{ ranges []*Range }

// Add takes the value of a person as the device gave it: a site offset that is changed
// does not change what is usual. Nothing is added of somebody with a fever, or they would
// become usual where many have one, nor what can't be judged, because it says nothing about
// people. What is high for the gate is added: a few do not move a median, and when all
// readings are higher than before, that must become usual.
func (m *Memory) Add(ambient, object fact.Temp) {
	r := m.at(ambient)
	if r == nil {
		if len(m.ranges) == maxRanges {
			return
		}
		r = &Range{Ambient: Lower(ambient)}
		m.ranges = append(m.ranges, r)
	}
	r.Values = append(r.Values, object)
	r.Values = slices.Delete(r.Values, 0, max(0, len(r.Values)-Keep))
	r.fresh++
}

// Restore takes over a range as a record has it, in place of what the memory has of it.
func (m *Memory) Restore(r Range) {
	r.Ambient, r.fresh = Lower(r.Ambient), 0
	r.Values = slices.Clone(r.Values[max(0, len(r.Values)-Keep):])
	if x := m.at(r.Ambient); x != nil {
		*x = r
	} else if len(m.ranges) < maxRanges {
		m.ranges = append(m.ranges, &r)
	}
}

// Due returns copies of the ranges that have so many readings, 1 or more, since it returned
// them last or they were restored.
func (m *Memory) Due(fresh int) (due []Range) {
	for _, r := range m.ranges {
		if r.fresh >= fresh {
			r.fresh = 0
			due = append(due, Range{Ambient: r.Ambient, Values: slices.Clone(r.Values)})
		}
	}
	return due
}

// All returns copies of all ranges, which count as returned by Due.
func (m *Memory) All() []Range { return m.Due(0) }

// Usual is what a reading was compared with.
type Usual struct {
	Ambient  fact.Temp // lower end of the range
	Readings int       // of the range
	Median   fact.Temp // of them, as the device gave them
	Spread   fact.Temp // of them, or the least that the rules allow
	High     fact.Temp // a value at or above is high
}

// Usual returns what is usual at an ambient temperature. While there are fewer readings
// than the rules ask for that is not known.
func (m *Memory) Usual(rules Rules, ambient fact.Temp) (u Usual, known bool) {
	rules = rules.WithDefaults()
	r := m.at(ambient)
	if r == nil {
		return Usual{}, false
	}
	values := r.Values[max(0, len(r.Values)-rules.Window):]
	if len(values) < rules.Readings {
		return Usual{}, false
	}
	u = Usual{Ambient: r.Ambient, Readings: len(values), Median: Median(values),
		Spread: max(Spread(values), rules.SpreadMin)}
	u.High = u.Median + fact.Temp(rules.Spreads*float64(u.Spread)+0.5)
	return u, true
}

func (m *Memory) at(ambient fact.Temp) *Range {
	for _, r := range m.ranges {
		if r.Ambient == Lower(ambient) {
			return r
		}
	}
	return nil
}
