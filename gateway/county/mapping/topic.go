// Package mapping reads the messages of machines that publish by themselves: those
// of the documented form (see WIRE.md, Report), and those of a firmware's own form,
// which the configuration maps to it. It is pure: messages and time zones come as
// arguments.
//
// A value that says that there is none (nan, null, unavailable, …) is absent: it is
// neither zero nor off, and the rest of the message counts. A word or number that
// can't be understood is an error, and so is the whole message then.
package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Topic maps the messages of one topic to the documented form.
type Topic struct {
	Topic string `yaml:"topic"` // as published, without wildcards
	// Value: the whole message is one value, such as ESPHome publishes.
	Value string `yaml:"value,omitempty"`
	// Fields: the message is JSON. They map our names to paths in it, such as
	// flow_lpm: SENSOR.Rate. See path for what a path may contain.
	Fields map[string]string `yaml:"fields,omitempty"`
	// JSON is the path of a string that holds JSON. Fields are looked for in that
	// first, then in the message around it.
	JSON string `yaml:"json,omitempty"`
	// Scale multiplies numbers: flow_lpm: 0.0166667 for L/h
	Scale map[string]float64 `yaml:"scale,omitempty"`
	// On and Off list the words that mean yes and no, besides true, on, 1, yes and
	// false, off, 0, no. They come first: on: [0] and off: [1] turn a relay around.
	On  []string `yaml:"on,omitempty"`
	Off []string `yaml:"off,omitempty"`
	// Zone is the time zone of times that name none: Asia/Shanghai, UTC or +08:00.
	Zone string `yaml:"zone,omitempty"` // absent: the county's
}

// Mapping is a Topic that is ready to read messages. It is not changed by use:
// any goroutine may use it.
type Mapping struct {
	topic  string
	fields []field // in the order of the wire; of a value: one, without a path
	value  bool    // the whole message is one value
	inner  path    // of the string that holds JSON; nil: there is none
	words  words
	zone   *time.Location
}

// field is one of our names and where a message has it.
type field struct {
	name  string
	path  path
	text  string  // of the path, as configured
	scale float64 // 0: none is configured
}

// names returns the fields of a report that a mapping may fill, in the order of
// the wire.
func names() []string {
	out := []string{fieldAt}
	for _, n := range fact.Numbers() {
		out = append(out, n.Name)
	}
	for _, f := range fact.Flags() {
		out = append(out, f.Name)
	}
	return append(out, fact.FieldFault)
}

// fieldAt is the name of the time in a report.
const fieldAt = "at"

// New returns the mapping of a topic. county is the zone of times that name none,
// if the topic has no zone; nil is UTC. faults say what is wrong, each with what to do; the
// mapping is nil then.
func (t Topic) New(county *time.Location) (m *Mapping, faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if t.Topic == "" || strings.ContainsAny(t.Topic, "+#") || strings.HasPrefix(t.Topic, wire.Root) {
		fault("write the firmware's own topic, without + and #")
	}
	if (t.Value == "") == (len(t.Fields) == 0) {
		fault("give value or fields, one of them")
	}
	if t.JSON != "" && t.Value != "" {
		fault("json belongs to fields: give fields instead of value")
	}
	m = &Mapping{topic: t.Topic, value: t.Value != "", words: newWords(t.On, t.Off), zone: county}
	var err error
	if t.JSON != "" {
		if m.inner, err = parsePath(t.JSON); err != nil {
			fault("json: %v", err)
		}
	}
	if m.zone, err = zoneOf(t.Zone, county); err != nil {
		fault("zone: %v", err)
	}
	if both := m.words.both(); both != "" {
		fault("%q is in on: and in off:", both)
	}
	paths := t.Fields
	if t.Value != "" {
		paths = map[string]string{t.Value: ""}
	}
	faults = append(faults, m.add(paths, t.Scale)...)
	if len(faults) > 0 {
		return nil, faults
	}
	return m, nil
}

// add adds fields with the paths and scales of a topic; faults say what is wrong
// with them.
func (m *Mapping) add(paths map[string]string, scales map[string]float64) (faults []string) {
	known := names()
	for _, name := range slices.Sorted(maps.Keys(scales)) {
		_, mapped := paths[name]
		scale := scales[name]
		if _, number := fact.NumberNamed(name); slices.Contains(known, name) && (!mapped || !number) {
			faults = append(faults, fmt.Sprintf("scale: %s is no number that this topic maps", name))
		}
		if scale == 0 || math.IsNaN(scale) || math.IsInf(scale, 0) {
			faults = append(faults, fmt.Sprintf("scale: %s can't be multiplied by %g", name, scale))
		}
	}
	unknown := maps.Clone(paths)
	for name := range scales {
		if _, mapped := paths[name]; !mapped && !slices.Contains(known, name) {
			unknown[name] = ""
		}
	}
	for _, name := range known {
		delete(unknown, name)
		text, mapped := paths[name]
		if !mapped {
			continue
		}
		f := field{name: name, text: text, scale: scales[name]}
		if !m.value {
			var err error
			if f.path, err = parsePath(text); err != nil {
				faults = append(faults, fmt.Sprintf("%s: %v", name, err))
			}
		}
		if twin := m.twin(f); twin != "" {
			faults = append(faults, fmt.Sprintf("%s: it is the value of %s, and one reading confirms nothing twice: "+
				"leave one of the two out", name, twin))
		}
		m.fields = append(m.fields, f)
	}
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		faults = append(faults, fmt.Sprintf("%q is none of %s", name, strings.Join(known, ", ")))
	}
	return faults
}

// twin returns the field that is read from the same value of a message as f, if one
// of the two is a number; empty: there is none.
func (m *Mapping) twin(f field) string {
	_, number := fact.NumberNamed(f.name)
	for _, other := range m.fields {
		_, otherNumber := fact.NumberNamed(other.name)
		if other.text == f.text && (number || otherNumber) {
			return other.name
		}
	}
	return ""
}

// Faults returns what is wrong with the mapping, each fault with what to do.
func (t Topic) Faults() []string {
	_, faults := t.New(time.UTC)
	return faults
}

// zoneOf returns the time zone of a name or of an offset such as +08:00; empty:
// that of the county.
func zoneOf(name string, county *time.Location) (*time.Location, error) {
	if name == "" {
		return cmp.Or(county, time.UTC), nil
	}
	offset := strings.TrimPrefix(strings.TrimPrefix(strings.ToUpper(name), "UTC"), "GMT")
	if len(offset) == len("+8") {
		offset = offset[:1] + "0" + offset[1:]
	}
	for _, layout := range []string{"Z07:00", "Z0700", "Z07"} {
		if at, err := time.Parse(layout, offset); err == nil {
			_, seconds := at.Zone()
			return time.FixedZone(name, seconds), nil
		}
	}
	z, err := config.Zone(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w, or an offset such as +08:00", strconv.Quote(name), err)
	}
	return z, nil
}
