// Package report takes the reports that machines publish by themselves. It stores
// each as a record of a journal per machine, finds the runs in them, and decides
// which messages the broker may forget.
package report

import (
	"errors"
	"fmt"

	"gatehouse/gateway/county/mapping"
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
