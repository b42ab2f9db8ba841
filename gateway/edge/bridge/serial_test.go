package bridge

import (
	"slices"
	"testing"
)

func TestTheSerialPortsOfMachinesAreListed(t *testing.T) {
	c := Config{MAVLink: []MAVLink{{UDP: "127.0.0.1:14550"}, {Serial: "/dev/ttyUSB0"}},
		Modbus: []Modbus{{TCP: "10.0.0.5:502"}, {Serial: "/dev/ttyUSB1"}}, NMEA: []NMEA{{Serial: "/dev/ttyACM0"}}}
	if got := c.Serial(); !slices.Equal(got, []string{"/dev/ttyUSB0", "/dev/ttyUSB1", "/dev/ttyACM0"}) {
		t.Error(got)
	}
}
