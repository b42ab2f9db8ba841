package world

import (
	"math"
	"math/rand/v2"
	"time"

	"gatehouse/gateway/fact"
)

// Kind is what is true of an arrival.
type Kind string

// The kinds of arrivals.
const (
	KindNormal  Kind = "normal"
	KindFever   Kind = "fever"
	KindCold    Kind = "cold" // skin too cold to judge, from the frost
	KindUnknown Kind = "unknown-card"
	KindNoCard  Kind = "no-card"
)

// How many of 1000 arrivals are of each kind.
const (
	feverShare   = 3
	unknownShare = 10
	noCardShare  = 5
	coldShare    = 500 // of 1000 at unheated gates while it is cold
)

// Arrival is one person at a gate.
type Arrival struct {
	At        time.Duration // simulated time since midnight of the first day
	Kind      Kind
	Card      string // ten hex digits; empty: no card
	Code      string // a visitor's QR code; empty: none
	Direction fact.Direction
	Screening fact.Temp // what the thermometer should read, its offset added
}

// hourly are the weights by which a day's trips spread over its hours.
var hourly = [24]float64{0.2, 0.1, 0.1, 0.1, 0.3, 1, 3, 7, 8, 6, 5, 5, 5, 3, 4, 5, 6, 8, 7, 4, 3, 2, 1, 0.5}

// tripsADay is how often a resident of a closed compound passes its gate in a day.
const tripsADay = 0.3

// Ambient returns the air temperature at the gate at a simulated time: 20 °C in
// a heated booth, outside that of a February day, -6 to 8 °C.
func (g Gate) Ambient(at time.Duration) fact.Temp {
	if g.Heated {
		return 2000
	}
	hour := math.Mod(at.Hours(), 24)
	return fact.Temp(100 - 700*math.Cos((hour-3)/24*2*math.Pi))
}

// Day is the endless sequence of arrivals at one gate. It is not safe for use by
// several goroutines.
type Day struct {
	g   Gate
	rnd *rand.Rand
	at  time.Duration
}

// Day returns the gate's arrivals from a simulated time of day on.
func (g Gate) Day(from time.Duration) *Day {
	return &Day{g: g, rnd: rand.New(rand.NewPCG(g.seed, 2)), at: from}
}

// Next returns the next arrival.
func (d *Day) Next() Arrival {
	sum := 0.0
	for _, h := range hourly {
		sum += h
	}
	// A Poisson process whose rate changes by the hour: a step that leaves the
	// hour is drawn again from the hour's end.
	for {
		hour := int(d.at.Hours())
		rate := float64(d.g.Residents) * tripsADay * hourly[hour%24] / sum // an hour
		step := time.Duration(d.rnd.ExpFloat64() / rate * float64(time.Hour))
		end := time.Duration(hour+1) * time.Hour
		if d.at+step < end {
			d.at += step
			return d.arrival()
		}
		d.at = end
	}
}

func (d *Day) arrival() Arrival {
	a := Arrival{
		At:        d.at,
		Kind:      KindNormal,
		Direction: fact.DirectionOut,
		Screening: fact.Temp(3620 + 2*d.rnd.IntN(40)),
	}
	if d.rnd.IntN(2) == 0 {
		a.Direction = fact.DirectionIn
	}
	c := d.g.Cards[d.rnd.IntN(len(d.g.Cards))]
	if code, isCode := cutCode(c.Code); isCode && d.g.Scanner {
		a.Code = code
	} else if !isCode {
		a.Card = c.Code
	} else {
		a.Card = d.g.Cards[0].Code
	}
	switch n := d.rnd.IntN(1000); {
	case n < feverShare:
		a.Kind, a.Screening = KindFever, fact.Temp(3740+2*d.rnd.IntN(75))
	case n < feverShare+unknownShare:
		a.Kind, a.Card, a.Code = KindUnknown, unknownCard(d.rnd), ""
	case n < feverShare+unknownShare+noCardShare:
		a.Kind, a.Card, a.Code = KindNoCard, "", ""
	case d.g.Ambient(d.at) < 300 && d.rnd.IntN(1000) < coldShare:
		a.Kind, a.Screening = KindCold, fact.Temp(3320+2*d.rnd.IntN(80))
	}
	return a
}

func cutCode(s string) (string, bool) {
	const prefix = "code:"
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):], true
	}
	return s, false
}

// unknownCard returns a card that is in no roster: cards of rosters begin with 62.
func unknownCard(rnd *rand.Rand) string {
	const hex = "0123456789ABCDEF"
	b := []byte("99")
	for range 8 {
		b = append(b, hex[rnd.IntN(16)])
	}
	return string(b)
}

// UnknownCard returns a card that is in no roster of the county.
func UnknownCard(seed uint64) string { return unknownCard(rand.New(rand.NewPCG(seed, 3))) }
