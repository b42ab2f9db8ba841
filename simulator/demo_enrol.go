package main

import (
	"os"
	"path/filepath"

	"gatehouse/gateway/county/centre"
	"gatehouse/simulator/world"
)

// enrolment lets the desk of the demo make codes, and writes what a gate gets with one: a
// reader that is not plugged in, and rules.
func (d *demo) enrolment() (*centre.Enrol, error) {
	dir := filepath.Join(d.flags.dir, "enrol", "default")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"agent.yaml":   "broker: {url: \"tcp://" + d.listen + "\"}\n",
		"devices.yaml": "devices: [{name: reader, model: rdm6300, port: /dev/serial/by-id/reader}]\n",
		"policy.yaml":  string(world.Policy()),
		"roster.csv":   "card,class,status,household,from,until\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return &centre.Enrol{URLs: []string{"http://" + d.desk}, Files: "enrol"}, nil
}
