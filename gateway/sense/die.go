package sense

import (
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
)

// The temperature of the sensor itself may move by steadyWithin in steadyFor. The data
// sheet of the MLX90614 (Melexis 3901090614) promises its accuracy "under settled
// isothermal conditions only": in the sun or in a draught one side of its can is warmer
// than the other, and what it reads of people is wrong. The numbers are ours: air in a
// room moves a sensor by some 0.1 °C in 20 s, sun on a black housing by more than 1 °C.
const (
	steadyFor              = 20 * time.Second
	steadyWithin fact.Temp = 50
	dieEvery               = time.Second // one value is kept per second
)

// die is what the sensor's own temperature was lately, oldest first.
type die struct{ past []devices.Sample }

// observe takes a sample.
func (d *die) observe(s devices.Sample) {
	if n := len(d.past); n > 0 && s.At.Sub(d.past[n-1].At) < dieEvery {
		return
	}
	d.past = append(d.past, s)
	for s.At.Sub(d.past[0].At) > steadyFor {
		d.past = d.past[1:]
	}
}

// drifts reports whether the sensor's own temperature has not settled at s.
func (d *die) drifts(s devices.Sample) bool {
	low, high := s.Ambient, s.Ambient
	for _, x := range d.past {
		low, high = min(low, x.Ambient), max(high, x.Ambient)
	}
	return high-low > steadyWithin
}
