// Package baseline knows what a thermometer usually reads of the people who come to its
// gate, at the ambient temperature that it has. A reading that is far above what is usual
// asks for a retest, though it is below the fever limit. It is pure, and holds nothing
// that tells who a value is of.
package baseline

import (
	"cmp"
	"errors"
	"fmt"

	"gatehouse/gateway/fact"
)

// Rules say when a reading is high for its gate. What is 0 has its default.
type Rules struct {
	Window    int       `yaml:"window,omitempty"`       // newest readings that count, of a range; default 200
	Readings  int       `yaml:"readings,omitempty"`     // that a range must have before it judges; default 50
	Spreads   float64   `yaml:"spreads,omitempty"`      // so many spreads above the median is high; default 3
	SpreadMin fact.Temp `yaml:"spread_min_c,omitempty"` // a smaller spread counts as this; default 0.20 °C
}

// Keep is how many readings of a range of ambient temperatures are kept, the newest.
const Keep = 200

const fewest = 20 // readings that a median and a spread can be told from

// WithDefaults returns the rules with the defaults of what they do not say.
func (r Rules) WithDefaults() Rules {
	r.Window, r.Spreads = cmp.Or(r.Window, Keep), cmp.Or(r.Spreads, 3)
	r.Readings, r.SpreadMin = cmp.Or(r.Readings, min(50, r.Window)), cmp.Or(r.SpreadMin, 20)
	return r
}

// Check returns what is out of its range, each with its key.
func (r Rules) Check() error {
	r = r.WithDefaults()
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if r.Window < fewest || r.Window > Keep {
		add("window %d: must be %d to %d readings", r.Window, fewest, Keep)
	}
	if r.Readings < fewest || r.Readings > r.Window {
		add("readings %d: must be %d to window, which is %d", r.Readings, fewest, r.Window)
	}
	if !(r.Spreads >= 1.5 && r.Spreads <= 10) {
		add("spreads %g: must be 1.5 to 10", r.Spreads)
	}
	if r.SpreadMin < 5 || r.SpreadMin > 100 {
		add("spread_min_c %s: must be 0.05 to 1 °C", r.SpreadMin)
	}
	return errors.Join(errs...)
}
