package meter

import (
	"math"
	"testing"
	"time"
)

// sum feeds values a second apart, without a flow sensor, and returns the litres
// and what is not known of them.
func sum(k Kind, every time.Duration, values ...float64) (litres float64, unknown Unknown) {
	c := New(k)
	var at time.Duration
	for _, v := range values {
		got := c.Take(Reading{At: at, Value: v})
		litres += got.Litres
		unknown |= got.Unknown
		at += every
	}
	return litres, unknown
}

// rise returns values from a number on, each more than the one before.
func rise(from, by float64, n int) (out []float64) {
	for i := range n {
		out = append(out, from+by*float64(i))
	}
	return out
}

func join(parts ...[]float64) (out []float64) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func still(v float64, n int) []float64 { return rise(v, 0, n) }

// played are the readings of counters, a second apart, with what they count.
var played = map[string]struct {
	values  []float64
	litres  float64
	unknown Unknown
	kind    Kind
}{
	"it rises":                       {rise(100, 0.05, 61), 3, 0, Kind{}},
	"each value twice":               {[]float64{1, 1, 1.1, 1.1, 1.2, 1.2}, 0.2, 0, Kind{}},
	"old values between the new":     {[]float64{5, 5.1, 5.2, 5.1, 5.3, 5, 5.4}, 0.4, 0, Kind{}},
	"every second one is 0.2 L less": {[]float64{1, .8, 1, .8, 1.1, 1, 1.3, 1.2, 1.5, 1.4}, 0.5, 0, Kind{}},
	"the same at 8000 L":             {[]float64{8001, 8000.8, 8001, 8000.8, 8001.1, 8001}, 0.1, 0, Kind{}},
	"it flickers at zero": {join([]float64{0, .002, 0, .002, 0, 0, 0, .002, 0}, rise(0, 0.05, 61),
		[]float64{2.998, 3, 2.998}), 3, 0, Kind{}},
	"a reset":                  {join(rise(100, 0.05, 61), rise(0, 0.05, 61)), 6, Reset, Kind{}},
	"a reset of a small total": {join(rise(0, 0.05, 21), rise(0, 0.05, 61)), 4, Reset, Kind{}},
	"zero between good ones":   {join(rise(100, 0.05, 21), still(0, 2), rise(101.05, 0.05, 20)), 2, 0, Kind{}},
	"zero for a minute":        {join(rise(100, 0.05, 21), still(0, 60), rise(104, 0.05, 21)), 5, 0, Kind{}},
	"set back by 10 L":         {join(rise(8000, 0.05, 61), rise(7990, 0.05, 61)), 6, Reset, Kind{}},
	"FFFFFFFF twice": {join(rise(10, 0.05, 21), still(42949672.95, 2), rise(11.05, 0.05, 20)),
		2, 0, Kind{}},
	"FFFFFFFF for a minute": {join(rise(10, 0.05, 21), still(42949672.95, 60), rise(14, .05, 21)), 5, 0, Kind{}},
	"another meter":         {join(rise(10, 0.05, 21), rise(5000, 0.05, 21)), 2, Jump, Kind{}},
	"not a number":          {[]float64{1, math.NaN(), 1.1, math.Inf(1), 1.2}, 0.2, 0, Kind{}},
	"one digit is wrong":    {join(rise(10, 0.05, 21), still(14, 1), rise(11.1, 0.05, 19)), 2, 0, Kind{}},
	"steps of 1 L": {join(still(10, 20), still(11, 20), still(12, 20), still(13, 20)),
		3, 0, Kind{Resolution: 1}},
	"16 bits of 10 mL":   {join(rise(653, 0.5, 5), rise(0.14, 0.5, 5)), 4.5, 0, Kind{Rollover: 655.36}},
	"16 bits, not known": {join(rise(653, 0.5, 5), rise(0.14, 0.5, 5)), 4.5, 0, Kind{}},
	"a million":          {join(rise(999998, 0.5, 4), rise(0, 0.5, 5)), 4, 0, Kind{}},
	"31 bits and a sign": {join(rise(21474834, 0.5, 5), rise(-21474835.98, 0.5, 5)), 4.98, 0, Kind{}},
	"the same, known": {join(rise(21474834, 0.5, 5), rise(-21474835.98, 0.5, 5)),
		4.98, 0, Kind{Rollover: 42949672.96}},
	"late, from before it rolled over": {[]float64{654, 654.5, 655, .14, 654.5, .64, 655, 1.14},
		2.5, 0, Kind{Rollover: 655.36}},
}

func TestLitresOfACounter(t *testing.T) {
	for name, c := range played {
		litres, unknown := sum(c.kind, time.Second, c.values...)
		if math.Abs(litres-c.litres) > 1e-6 || unknown != c.unknown {
			t.Errorf("%s: %.4f L, unknown %b, want %.4f L, %b", name, litres, unknown, c.litres, c.unknown)
		}
	}
}

func TestACounterRollsOverInAGap(t *testing.T) {
	values := join(rise(600, 10, 5), rise(0, 10, 5))
	litres, unknown := sum(Kind{Rollover: 655.36}, 20*time.Second, values...)
	if math.Abs(litres-95.36) > 1e-6 || unknown != 0 {
		t.Errorf("%.4f L, unknown %b, want 95.36 L", litres, unknown)
	}
}
