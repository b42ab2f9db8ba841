// Package report takes the reports that machines publish by themselves. It stores
// each as a record of a journal per machine, finds the runs in them, and decides
// which messages the broker may forget.
package report

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
)

// Machine is one machine that publishes over MQTT by itself. One that is not
// configured may report in the documented form, under its id.
type Machine struct {
	machine.Config `yaml:",inline"`
	// Topics are those of a firmware that does not publish on
	// gatehouse/v1/<county>/<machine>/report.
	Topics []mapping.Topic `yaml:"topics,omitempty"`
}

// Check returns what is wrong, each fault with the key to mend.
func (m Machine) Check() error {
	errs := []error{m.Config.Check()}
	for i, t := range m.Topics {
		for _, fault := range t.Faults() {
			errs = append(errs, fmt.Errorf("topics[%d] %s: %s", i, t.Topic, fault))
		}
	}
	return errors.Join(errs...)
}

// held is for how long the command of a relay holds by default.
const held = 30 * time.Minute

// holds returns for how long a command holds that is not repeated: a topic that has
// nothing else is a relay's, which speaks only at its changes.
func (m Machine) holds() time.Duration {
	for _, t := range m.Topics {
		_, mapped := t.Fields["command"]
		for name := range t.Fields {
			mapped = mapped && slices.Contains([]string{"at", "command", "armed", fact.FieldFault}, name)
		}
		if t.Value == "command" || mapped {
			return held
		}
	}
	return 0
}
