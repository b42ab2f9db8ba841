package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/fact"
)

// The ranges of what is configured.
const (
	feverMin, feverMax     = 3600, 4200
	invalidMin, invalidMax = 3000, 3650
	pairingMin, pairingMax = time.Second, time.Minute
	daysMax, timesMax      = 31, 100
	spanMin, spanMax       = time.Minute, 7 * 24 * time.Hour // of amnesty and within
	classesMax, listMax    = 100, 50
)

// check returns what is wrong with the policy, each fault with its key, and with its
// line when the text is given.
func (p Policy) check(text []byte) error {
	c := checker{text: text}
	if p.Version == "" {
		c.add("version: is missing")
	}
	c.oneOf("default", p.Default, "deny")
	c.limits(p.Limits)
	if n := len(p.Classes); n == 0 || n > classesMax {
		c.at("classes").add("classes: none are given, or more than %d", classesMax)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Classes)) {
		c.at("classes", name).class(p.Classes[name])
	}
	if p.Sealed != nil {
		c.at("sealed").sealed(p)
	}
	if p.Passes != nil && (p.Passes.Days < 1 || p.Passes.Days > daysMax) {
		c.at("passes").add("passes.days %d: must be 1 to %d", p.Passes.Days, daysMax)
	}
	if p.Episode != nil {
		c.at("episode").episode(*p.Episode)
	}
	c.at("lost").oneOf("pass", string(p.Lost.Pass), string(LostDeny), string(LostIdentify))
	c.oneOf("unsynchronised", string(p.Unsynchronised), string(LastKnownDay), string(OwnClock))
	c.post(p.Post)
	c.thermometers(p.Thermometers)
	return errors.Join(c.errs...)
}

// checker collects the faults of one part of a policy.
type checker struct {
	text []byte
	keys []string // that lead to the part
	errs []error
	root *checker
}

// at returns a checker of a part, whose faults are added to those of the whole.
func (c *checker) at(keys ...string) *checker {
	root := c.root
	if root == nil {
		root = c
	}
	return &checker{text: c.text, keys: slices.Concat(c.keys, keys), root: root}
}

// add adds a fault, with the line of the part or of the nearest part around it. As of a
// roster, at most ten are listed.
func (c *checker) add(format string, args ...any) {
	root := c.root
	if root == nil {
		root = c
	}
	if len(root.errs) >= maxErrors {
		return
	}
	err := fmt.Errorf(format, args...)
	for n := len(c.keys); n > 0 && c.text != nil; n-- {
		if line := config.Line(c.text, c.keys[:n]...); line > 0 {
			err = fmt.Errorf("line %d: %w", line, err)
			break
		}
	}
	root.errs = append(root.errs, err)
}

// fault adds a fault of a key of the part.
func (c *checker) fault(key, format string, args ...any) {
	x := c.at(key)
	x.add("%s"+format, append([]any{strings.Join(x.keys, ".")}, args...)...)
}

// oneOf demands that a value is absent or one of several.
func (c *checker) oneOf(key, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		c.fault(key, " %q: write %s, or leave it away", value, strings.Join(allowed, " or "))
	}
}

func (c *checker) limits(l Limits) {
	c = c.at("limits")
	if l.Fever < feverMin || l.Fever > feverMax {
		c.fault("fever_c", " %s: must be 36 to 42 °C", l.Fever)
	}
	if l.InvalidBelow < invalidMin || l.InvalidBelow > invalidMax || l.InvalidBelow >= l.Fever {
		c.fault("invalid_below_c", " %s: must be 30 to 36.5 °C and below fever_c", l.InvalidBelow)
	}
	if l.Pairing < pairingMin || l.Pairing > pairingMax {
		c.fault("pairing", " %s: must be 1s to 60s", l.Pairing)
	}
}

func (c *checker) class(k Class) {
	if k.Fever != fact.InstructGoHome && k.Fever != fact.InstructTurnAway {
		c.fault("fever", " %q: write go-home or turn-away", k.Fever)
	}
	if len(k.Directions) == 0 {
		c.fault("directions", ": write in, out or both")
	}
	c.directions(k.Directions, nil)
	if len(k.Windows) > listMax || len(k.Purposes) > listMax || len(k.Before) > listMax {
		c.add("%s: a list is longer than %d", strings.Join(c.keys, "."), listMax)
		return
	}
	for i, w := range k.Windows {
		c.at(fmt.Sprintf("windows[%d]", i)).window(w, k)
	}
	if k.Quota != nil {
		c.at("quota").quota(*k.Quota, k)
	}
	c.oneOf("anti_passback", string(k.AntiPassback), string(PassbackOff), string(PassbackSoft), string(PassbackHard))
	if k.Amnesty != 0 && (k.Amnesty < spanMin || k.Amnesty > spanMax) {
		c.fault("amnesty", " %s: must be 1m to 168h", k.Amnesty)
	}
	if k.Amnesty != 0 && !k.Passback() {
		c.fault("amnesty", ": write anti_passback: soft or hard, too")
	}
	for i, x := range k.Purposes {
		if strings.TrimSpace(x) == "" || slices.Contains(k.Purposes[:i], x) {
			c.fault("purposes", " %q: is empty or there twice", x)
		}
	}
	c.before(k)
}

// directions demands that each is in or out, and one of those that the class may go.
func (c *checker) directions(list, may []fact.Direction) {
	for _, d := range list {
		if d != fact.DirectionIn && d != fact.DirectionOut {
			c.fault("directions", ": %q is neither in nor out", d)
		} else if may != nil && !slices.Contains(may, d) {
			c.fault("directions", ": the class may not go %s at all", d)
		}
	}
}

func (c *checker) window(w Window, k Class) {
	for _, d := range w.Days {
		if weekday(d) < 0 {
			c.fault("days", ": %q is no day: write mon, tue, wed, thu, fri, sat or sun", d)
		}
	}
	from, until := minutes(w.From), minutes(w.Until)
	switch {
	case from < 0 || from == minutesADay:
		c.fault("from", " %q: write a time such as \"06:00\"", w.From)
	case until < 0:
		c.fault("until", " %q: write a time such as \"22:00\" or \"24:00\"", w.Until)
	case from == until:
		c.fault("until", " %q: is the same as from; all day is \"00:00\" to \"24:00\"", w.Until)
	}
	c.directions(w.Directions, k.Directions)
}

func (c *checker) quota(q Quota, k Class) {
	d := q.Direction()
	switch {
	case (q.Exits == 0) == (q.Entries == 0):
		c.fault("exits", ": write either exits or entries, 1 or more")
	case q.Times() < 0 || q.Times() > timesMax:
		c.fault("exits", " %d: must be 1 to %d", q.Times(), timesMax)
	case !slices.Contains(k.Directions, d):
		c.fault("exits", ": the class may not go %s at all", d)
	}
	if q.Days < 1 || q.Days > daysMax {
		c.fault("days", " %d: must be 1 to %d", q.Days, daysMax)
	}
	if q.Per != PerHousehold && q.Per != PerCard {
		c.fault("per", " %q: write household or card", q.Per)
	}
}

// before checks the lanes that must be passed before others. They must not wait for
// each other in a circle: nobody could pass any of them.
func (c *checker) before(k Class) {
	after := map[string][]string{} // by lane: those that must be passed before it
	for i, b := range k.Before {
		c := c.at(fmt.Sprintf("before[%d]", i))
		if b.Lane == "" {
			c.fault("lane", ": is missing")
		}
		if b.Within < spanMin || b.Within > spanMax {
			c.fault("within", " %s: must be 1m to 168h", b.Within)
		}
		c.directions(b.Directions, k.Directions)
		for _, at := range b.At {
			after[at] = append(after[at], b.Lane)
		}
	}
	for _, lane := range slices.Sorted(maps.Keys(after)) {
		if way := back(after, []string{lane}, map[string]bool{}); way != nil {
			c.fault("before", ": lanes wait for each other: %s", strings.Join(way, " after "))
			return
		}
	}
}

// back returns a way that leads back to its first lane; nil: there is none.
func back(after map[string][]string, way []string, seen map[string]bool) []string {
	for _, next := range after[way[len(way)-1]] {
		if next == way[0] {
			return append(way, next)
		}
		if seen[next] {
			continue
		}
		seen[next] = true
		if found := back(after, append(slices.Clone(way), next), seen); found != nil {
			return found
		}
	}
	return nil
}

func (c *checker) sealed(p Policy) {
	c.oneOf("in", string(p.Sealed.In), string(EntryAllow), string(EntryDeny))
	c.oneOf("openings", string(p.Sealed.Openings), string(OpeningsNone), string(OpeningsDeclared))
	for _, v := range p.Sealed.Visits {
		if _, ok := p.Classes[v]; !ok && !p.purpose(v) {
			c.fault("visits", ": %q is neither a class nor a purpose of one", v)
		}
	}
}

// purpose reports whether a class lists a purpose.
func (p Policy) purpose(name string) bool {
	for _, k := range p.Classes {
		if slices.Contains(k.Purposes, name) {
			return true
		}
	}
	return false
}
