package modbus

import (
	"fmt"
	"math"
	"strings"
)

// other is another way to read registers.
type other struct {
	say string // as in a map
	Part
}

// others returns the other ways to read the registers of a part, the likelier ones
// first: another order, then another type.
func (p Part) others() (out []other) {
	add := func(say string, p Part) { out = append(out, other{say: say, Part: p}) }
	n := registers[p.Type]
	for _, bytes := range []string{highFirst, lowFirst} {
		for _, words := range []string{highFirst, lowFirst} {
			q := p
			q.Words, q.Bytes = words, bytes
			if n > 1 || words == highFirst {
				add("word_order: "+words+", byte_order: "+bytes, q)
			}
		}
	}
	for _, t := range strings.Split(Types, ", ") {
		if q := p; registers[t] == n && t != p.Type {
			q.Type = t
			add("type: "+t, q)
		}
	}
	return out
}

// least is the smallest number above zero that another reading may give: smaller
// ones are what a wrong reading gives, too.
const least = 1e-3

// hint says what to look for in the map: which other reading of the registers is
// plausible.
func (v Value) hint(cells [][]uint16) string {
	parts := v.parts()
	if len(parts) > 1 {
		return ": are type, word_order and scale of its parts right in the map?"
	}
	is := parts[0].raw(cells[0])
	var found []string
	for _, o := range parts[0].others() {
		raw := o.raw(cells[0])
		if o.Type == parts[0].Type && raw == is {
			continue
		}
		f, err := o.number(raw)
		if v.Scale != 0 {
			f *= v.Scale
		}
		f = (f + v.Offset) * units[v.Means][v.Unit]
		if err == nil && len(found) < 2 && v.plausible(f) && math.Abs(f) >= least {
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
