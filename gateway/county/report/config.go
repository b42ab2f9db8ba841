// Package report takes what machines publish by themselves: it keeps each
// report as a record of a journal of its own, finds the runs in them, and says
// which messages the broker may forget.
package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// Machine is one machine that speaks MQTT by itself. One that is not listed is
// taken by the documented form, under its id.
type Machine struct {
	machine.Config `yaml:",inline"`
	// Topics are those of a firmware that does not publish on
	// gatehouse/v1/<county>/<machine>/report.
	Topics []Topic `yaml:"topics,omitempty"`
}

// Topic maps one topic of another form.
type Topic struct {
	Topic string `yaml:"topic"` // as published, without wildcards
	// Value: the whole message is one value, such as ESPHome publishes.
	Value string `yaml:"value,omitempty"`
	// Fields: the message is JSON. Ours to a path in it: flow_lpm: SENSOR.Rate
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

// Check tells what is wrong.
func (m Machine) Check() error {
	errs := []error{m.Config.Check()}
	for i, t := range m.Topics {
		add := func(text string) { errs = append(errs, fmt.Errorf("topics[%d] %s: %s", i, t.Topic, text)) }
		if t.Topic == "" || strings.ContainsAny(t.Topic, "+#") || strings.HasPrefix(t.Topic, wire.Root) {
			add("write the firmware's own topic, without + and #")
		}
		if (t.Value == "") == (len(t.Fields) == 0) {
			add("give value or fields, one of them")
		}
		names := []string{}
		if t.Value != "" {
			names = append(names, t.Value)
		}
		for name := range t.Fields {
			names = append(names, name)
		}
		for name := range t.Scale {
			names = append(names, name)
		}
		for _, name := range names {
			if known := fieldNames(); !slices.Contains(known, name) {
				add(fmt.Sprintf("%q is none of %s", name, strings.Join(known, ", ")))
			}
		}
	}
	return errors.Join(errs...)
}
