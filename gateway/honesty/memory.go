package honesty

import (
	"gatehouse/gateway/baseline"
	"gatehouse/gateway/fact"
)

const (
	newest   = 40  // readings that stand for how it reads now
	history  = 160 // readings before them, which stand for how it used to read
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
	before  []fact.Temp // oldest first
	now     []fact.Temp // those since then, oldest first
}

// Add takes the value of a settled reading of a person, as the device gave it: a site
// offset that changes does not change what the device reads. What it reads while it is
// doubtful does not become what it used to read, or a drift would be forgotten by lasting.
func (m *Memory) Add(ambient, object fact.Temp, doubtful bool) {
	b := m.band(baseline.Lower(ambient))
	if b == nil {
		if len(m.bands) == maxBands {
			return
		}
		b = &band{ambient: baseline.Lower(ambient)}
		m.bands = append(m.bands, b)
	}
	m.newest = b
	if b.now = append(b.now, object); len(b.now) <= newest {
		return
	}
	if !doubtful {
		b.before = append(b.before, b.now[0])
		b.before = b.before[max(0, len(b.before)-history):]
	}
	b.now = b.now[1:]
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
