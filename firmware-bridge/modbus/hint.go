package modbus

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// other is another way to read registers.
type other struct {
	say string // as in a map
	Part
}

// others returns the other ways to read the registers of a part, the likelier ones
// first. A plausible float is seldom one by chance, so floats come before whole
// numbers.
func (p Part) others() (out []other) {
	n := registers[p.Type]
	types := []string{p.Type}
	for t := range strings.SplitSeq(Types, ", ") {
		switch {
		case registers[t] != n || t == p.Type:
		case strings.HasPrefix(t, "float"):
			types = slices.Insert(types, 0, t)
		default:
			types = append(types, t)
		}
	}
	for _, t := range types {
		for _, bytes := range []string{highFirst, lowFirst} {
			for _, words := range []string{highFirst, lowFirst} {
				if n > 1 || words == highFirst {
					say := "word_order: " + words + ", byte_order: " + bytes
					if t != p.Type {
						say = "type: " + t + ", " + say
					}
					out = append(out, other{say, Part{p.Address, t, words, bytes, p.Scale}})
				}
			}
		}
	}
	return out
}

// least is the smallest number above zero that another reading may give: smaller
// ones are what a wrong reading gives, too.
const least = 1e-3

// mostHints is how many other readings a message names.
const mostHints = 3

// hint says what to look for in the map: which other reading of the registers is
// plausible.
func (v Value) hint(cells [][]uint16) string {
	parts := v.parts()
	if len(parts) > 1 {
		return ": are type, word_order and scale of its parts right in the map?"
	}
	is := parts[0].raw(cells[0])
	var found []string
	told := map[float64]bool{} // numbers
	for _, o := range parts[0].others() {
		raw := o.raw(cells[0])
		if o.Type == parts[0].Type && raw == is { // the reading that is not plausible
			continue
		}
		f, err := o.number(raw)
		if v.Scale != 0 {
			f *= v.Scale
		}
		f = (f + v.Offset) * units[v.Means][v.Unit]
		if err == nil && len(found) < mostHints && v.plausible(f) && math.Abs(f) >= least && !told[f] {
			told[f] = true
			found = append(found, fmt.Sprintf("with %s it is %.6g", o.say, f))
		}
	}
	switch {
	case len(found) > 0:
		return ": " + strings.Join(found, "; ")
	case registers[parts[0].Type] > 1:
		return ": is word_order right in the map? If the number can be so high, give max"
	}
	return ": are type, scale and unit right in the map?"
}
