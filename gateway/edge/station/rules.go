package station

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
)

// CheckRules returns what a policy asks for that the gate can't tell: a direction that
// its readers do not have, or a lane that is not there.
func (c Config) CheckRules(p policy.Policy) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(p.Classes)) {
		k := p.Classes[name]
		if reader := c.bothWays(k); reader != "" && (k.Quota != nil || k.Passback()) {
			errs = append(errs, fmt.Errorf("classes.%s counts who goes in and out, and device %s is for both ways: "+
				"write its direction, in or out", name, reader))
		}
		for i, b := range k.Before {
			for _, lane := range append([]string{b.Lane}, b.At...) {
				if !slices.ContainsFunc(c.Lanes, func(l Lane) bool { return l.Name == lane }) {
					errs = append(errs, fmt.Errorf("classes.%s.before[%d]: the gate has no lane %q", name, i, lane))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// bothWays returns the name of a reader without a direction at which a class goes in or
// out; empty: there is none.
func (c Config) bothWays(k policy.Class) string {
	for _, d := range c.Devices {
		l := c.laneOf(d)
		first := slices.ContainsFunc(k.Before, func(b policy.Before) bool { return b.Lane == l.Name })
		switch {
		case first || !d.reads():
		case d.Direction == fact.DirectionNone && l.Direction == fact.DirectionNone:
			return d.Name
		}
	}
	return ""
}
