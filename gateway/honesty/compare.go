package honesty

import (
	"math"

	"gatehouse/gateway/fact"
)

const (
	// PairsNeeded is how many people a field check needs.
	PairsNeeded = 10
	// MeanAllowed is how far the mean of the errors may be from 0, in °C/100: the field
	// check that the National Institute of Metrology published in February 2020.
	MeanAllowed fact.Temp = 50
	// missesAllowed: a fever that reads normal once may be a cold forehead.
	missesAllowed = 1
	// A thermometer that says what it measures follows a contact thermometer about one to
	// one. With people who differ by this much it is flat if it follows by less than half.
	flatRange fact.Temp = 100
	flatSlope float64   = 0.5
)

// Pair is what a contact thermometer and an infrared one read of the same person within
// minutes; the infrared one with the site offset.
type Pair struct{ Contact, Infrared fact.Temp }

// Comparison is what a field check found.
type Comparison struct {
	Mean   fact.Temp // of infrared minus contact, rounded: what the site offset has too much
	Spread fact.Temp // standard deviation of it
	Faults []fact.CheckFault
}

// Passed reports whether the thermometer may go on.
func (c Comparison) Passed() bool { return len(c.Faults) == 0 }

// Compare returns what pairs of readings say; known is false while there are fewer than
// PairsNeeded. fever is the limit.
func Compare(pairs []Pair, fever fact.Temp) (c Comparison, known bool) {
	if len(pairs) < PairsNeeded {
		return Comparison{}, false
	}
	n, missed := float64(len(pairs)), 0
	least, most := pairs[0].Contact, pairs[0].Contact
	var mean, contact float64
	for _, p := range pairs {
		mean += float64(p.Infrared-p.Contact) / n
		contact += float64(p.Contact) / n
		least, most = min(least, p.Contact), max(most, p.Contact)
		if p.Contact >= fever && p.Infrared < fever {
			missed++
		}
	}
	var squares, along, across float64
	for _, p := range pairs {
		off, from := float64(p.Infrared-p.Contact)-mean, float64(p.Contact)-contact
		squares += off * off
		along, across = along+from*from, across+from*(off+from)
	}
	c = Comparison{Mean: fact.Temp(math.Round(mean)), Spread: fact.Temp(math.Round(math.Sqrt(squares / (n - 1))))}
	if c.Mean > MeanAllowed || c.Mean < -MeanAllowed {
		c.Faults = append(c.Faults, fact.CheckOff)
	}
	if missed > missesAllowed {
		c.Faults = append(c.Faults, fact.CheckMisses)
	}
	if most-least >= flatRange && across < flatSlope*along {
		c.Faults = append(c.Faults, fact.CheckFlat)
	}
	return c, true
}
