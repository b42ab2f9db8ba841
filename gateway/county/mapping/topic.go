// Package mapping reads the messages of machines that publish by themselves: those
// of the documented form (see WIRE.md, Report), and those of a firmware's own form,
// which the configuration maps to it. It is pure: messages and time zones come as
// arguments.
package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Topic maps the messages of one topic to the documented form.
type Topic struct {
	Topic string `yaml:"topic"` // as published, without wildcards
	// Value: the whole message is one value, such as ESPHome publishes.
	Value string `yaml:"value,omitempty"`
	// Fields: the message is JSON. They map our names to paths in it, such as
	// flow_lpm: SENSOR.Rate
	Fields map[string]string `yaml:"fields,omitempty"`
	// Scale multiplies numbers: flow_lpm: 0.0166667 for L/h
	Scale map[string]float64 `yaml:"scale,omitempty"`
	// On lists the texts that mean yes, besides true, on, 1 and yes.
	On []string `yaml:"on,omitempty"`
}

// fieldNames returns the fields of a report that a mapping may fill.
func fieldNames() []string {
	names := []string{"at"}
	for _, n := range fact.Numbers() {
		names = append(names, n.Name)
	}
	for _, f := range fact.Flags() {
		names = append(names, f.Name)
	}
	return append(names, fact.FieldFault)
}

// Faults returns what is wrong with the mapping, each fault with what to do.
func (t Topic) Faults() (out []string) {
	if t.Topic == "" || strings.ContainsAny(t.Topic, "+#") || strings.HasPrefix(t.Topic, wire.Root) {
		out = append(out, "write the firmware's own topic, without + and #")
	}
	if (t.Value == "") == (len(t.Fields) == 0) {
		out = append(out, "give value or fields, one of them")
	}
	names := slices.Concat(slices.Collect(maps.Keys(t.Fields)), slices.Collect(maps.Keys(t.Scale)))
	if t.Value != "" {
		names = append(names, t.Value)
	}
	known := fieldNames()
	for _, name := range names {
		if !slices.Contains(known, name) {
			out = append(out, fmt.Sprintf("%q is none of %s", name, strings.Join(known, ", ")))
		}
	}
	return out
}
