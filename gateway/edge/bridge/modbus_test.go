package bridge

import (
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/machine"
)

func TestWhatIsWrongWithABusIsReported(t *testing.T) {
	fogger := machine.Config{Machine: "fogger-1", Name: "1号", Type: "fogger"}
	unit := []ModbusUnit{{Unit: 1, Machine: "fogger-1", Map: "plc-fogger"}}
	serial := Modbus{Serial: "/dev/ttyUSB0", Units: unit}
	device := Modbus{TCP: "h:502", Units: unit}
	every := func(d time.Duration) []Modbus { return []Modbus{{TCP: "h:502", Every: d, Units: unit}} }
	short := fogger
	short.Pause = time.Second
	hasty := fogger
	hasty.Idle = 5 * time.Second
	for want, c := range map[string]Config{
		"list its units there":                  {Machines: []machine.Config{fogger}, Modbus: []Modbus{serial, serial}},
		"is listed in modbus[0]":                {Modbus: []Modbus{device, device}},
		"nmea[0]: serial /dev":                  {Modbus: []Modbus{serial}, NMEA: []NMEA{{Serial: "/dev/ttyUSB0"}}},
		"not shorter than idle 15s":             {Machines: []machine.Config{fogger}, Modbus: every(15 * time.Second)},
		"not shorter than idle 5s":              {Machines: []machine.Config{hasty}, Modbus: every(5 * time.Second)},
		"every 1s is not shorter than pause 1s": {Machines: []machine.Config{short}, Modbus: []Modbus{{Units: unit}}},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	good := Config{Machines: []machine.Config{fogger}, NMEA: []NMEA{{Serial: "/dev/gps", Machine: "fogger-1"}},
		Modbus: []Modbus{serial, {TCP: "h:502", Every: 14 * time.Second, Units: unit},
			{TCP: "h:503", Units: unit}, {TCP: "g:502", Units: unit}}}
	if err := good.Check(); err != nil {
		t.Errorf("a right one: %v", err)
	}
}

func TestAMachineKnowsTheCounterOfItsRegisterMap(t *testing.T) {
	list := []machine.Config{{Machine: "a"}, {Machine: "b", RolloverL: 1e6, ResolutionL: 0.5}, {Machine: "c"}}
	got, err := withCounters(Config{Machines: list, Modbus: []Modbus{{Units: []ModbusUnit{
		{Unit: 1, Machine: "a", Map: "vfd-pump"}, {Unit: 2, Machine: "a", Map: "plc-fogger"},
		{Unit: 3, Machine: "b", Map: "plc-fogger"}}}}})
	if err != nil || got[0].RolloverL != 42949672.96 || got[0].ResolutionL != 0.01 || got[1].RolloverL != 1e6 ||
		got[1].ResolutionL != 0.5 || got[2].RolloverL != 0 || list[0].RolloverL != 0 {
		t.Errorf("%+v %v", got, err)
	}
}
