package honesty

import (
	"slices"

	"gatehouse/gateway/fact"
)

const (
	keep     = 200 // readings of a band, the newest
	bandWide = 500 // of ambient temperatures, in fact.Temp
	maxBands = 24  // −60 to 60 °C
)

// Memory holds what a thermometer has read of people, apart by the ambient temperature,
// because foreheads read lower in the cold. It holds nothing that tells who a value is
// of. Its zero value is empty; it is for one goroutine.
type Memory struct {
	bands  []*band
	newest *band // that the newest reading went into
}

// band holds the readings taken in a range of ambient temperatures.
type band struct {
	ambient fact.Temp   // its lower end
	values  []fact.Temp // oldest first
}

// Add takes the value of a settled reading of a person, as the device gave it: a site
// offset that changes does not change what the device reads.
func (m *Memory) Add(ambient, object fact.Temp) {
	lower := ambient - (ambient%bandWide+bandWide)%bandWide
	b := m.band(lower)
	if b == nil {
		if len(m.bands) == maxBands {
			return
		}
		b = &band{ambient: lower}
		m.bands = append(m.bands, b)
	}
	m.newest = b
	b.values = append(b.values, object)
	if over := len(b.values) - keep; over > 0 {
		b.values = slices.Delete(b.values, 0, over)
	}
}

// band returns the readings of the band with this lower end, or nil.
func (m *Memory) band(lower fact.Temp) *band {
	for _, b := range m.bands {
		if b.ambient == lower {
			return b
		}
	}
	return nil
}

// median returns the value in the middle; of an even number the lower of the two. There
// must be one.
func median(values []fact.Temp) fact.Temp {
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}
