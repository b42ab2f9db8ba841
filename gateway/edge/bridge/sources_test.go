package bridge

import (
	"strings"
	"testing"

	"gatehouse/gateway/machine"
)

func TestWhatIsWrongWithMachinesIsReported(t *testing.T) {
	drone := machine.Config{Machine: "drone-1", Name: "1号", Type: "drone"}
	link := MAVLink{UDP: "127.0.0.1:14550", Vehicles: []Vehicle{{System: 1, Machine: "drone-1"}}}
	for want, c := range map[string]Config{
		"listed twice":      {Machines: []machine.Config{drone, drone}, MAVLink: []MAVLink{link}},
		"names it":          {Machines: []machine.Config{drone}},
		"is not listed":     {MAVLink: []MAVLink{link}},
		"name or type":      {Machines: []machine.Config{{Machine: "drone-1"}}, MAVLink: []MAVLink{link}},
		"modbus[0] unit 3":  {Modbus: []Modbus{{TCP: "h:502", Units: []ModbusUnit{{Unit: 3, Machine: "x"}}}}},
		"serial or machine": {Machines: []machine.Config{drone}, NMEA: []NMEA{{Machine: "drone-1"}}},
		"udp or serial":     {Machines: []machine.Config{drone}, MAVLink: []MAVLink{{Vehicles: link.Vehicles}}},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := registerMap("no-such-map"); err == nil || !strings.Contains(err.Error(), "plc-fogger") {
		t.Errorf("an unknown map: %v", err)
	}
	bus := Modbus{TCP: "h:502", Units: []ModbusUnit{{Unit: 1, Machine: "x", Map: "absent.yaml"}}}
	if _, err := newBus(bus, nil); err == nil || !strings.Contains(err.Error(), "absent.yaml") {
		t.Errorf("an absent map: %v", err)
	}
}
