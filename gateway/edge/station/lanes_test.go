package station

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
)

// gateOf is a configuration with these lanes and devices.
func gateOf(lanes []Lane, list ...Device) Config {
	return Config{Lanes: lanes, Devices: list}
}

func thermometer(name, lane string) Device {
	return Device{Name: name, Lane: lane, Model: "gy-mcu90614", Port: "x", Offset: new(fact.Temp)}
}

func reader(name, lane string, d fact.Direction) Device {
	return Device{Name: name, Lane: lane, Model: "rdm6300", Port: "x", Direction: d}
}

func lamps(name, lane, pin string) Device {
	return Device{Name: name, Lane: lane, Model: "gpio-outputs", Pins: map[string]string{pin: "GPIO1"}}
}

func TestDevicesBelongToLanes(t *testing.T) {
	no := false
	in, out := Lane{Name: "in", Direction: "in"}, Lane{Name: "out", Direction: "out", Measures: &no}
	for name, c := range map[string]struct {
		cfg  Config
		want string // the lanes
	}{
		"no lanes are listed": {
			gateOf(nil, thermometer("t", ""), reader("a", "", "in"), reader("b", "", "out")),
			"[{ true [t] [a b]}]",
		},
		"one lane": {
			gateOf([]Lane{in}, thermometer("t", ""), reader("a", "", "")),
			"[{in true [t] [a]}]",
		},
		"two lanes": {
			gateOf([]Lane{in, out}, thermometer("t", "in"), reader("a", "in", ""), reader("b", "out", "out")),
			"[{in true [t] [a]} {out false [] [b]}]",
		},
		"a shared lamp": {
			gateOf([]Lane{in, out}, thermometer("t", "in"), reader("a", "in", ""), reader("b", "out", ""),
				lamps("o", "", devices.PinRed)),
			"[{in true [t] [a]} {out false [] [b]}]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.cfg.Check(); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(c.cfg.lanes()); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestFaultsOfLanesAreReported(t *testing.T) {
	no := false
	in, out := Lane{Name: "in", Direction: "in"}, Lane{Name: "out", Direction: "out", Measures: &no}
	both := []Lane{in, out}
	complete := []Device{thermometer("t", ""), reader("a", "", "")}
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"a barrier without a lane": {
			gateOf(both, thermometer("t", "in"), reader("a", "in", ""), reader("b", "out", ""),
				lamps("o", "", devices.PinBarrier)),
			"devices[3] o: lane is missing: write which of the 2"},
		"a reader without a lane": {
			gateOf(both, thermometer("t", "in"), reader("a", "in", ""), reader("b", "", "")),
			"devices[2] b: lane is missing"},
		"a lane without devices": {
			gateOf(both, thermometer("t", "in"), reader("a", "in", "")),
			"lanes[1] out: no reader"},
		"a lane without a thermometer": {
			gateOf([]Lane{in}, reader("a", "", "")),
			"lanes[0] in: no thermometer belongs to it: nobody could pass; write measures: false"},
		"a thermometer where nobody is measured": {
			gateOf([]Lane{out}, complete...),
			"lanes[0] out: it does not measure, and thermometer t"},
		"an unknown lane": {
			gateOf([]Lane{in}, thermometer("t", ""), reader("a", "up", "")),
			`devices[1] a: lane "up" is not listed`},
		"a lane where none are listed": {
			gateOf(nil, thermometer("t", ""), reader("a", "in", "")),
			`devices[1] a: lane "in" is not listed`},
		"a direction against that of the lane": {
			gateOf([]Lane{in}, thermometer("t", ""), reader("a", "", "out")),
			"devices[1] a: direction out contradicts that of its lane in, in"},
		"a name twice": {
			gateOf([]Lane{in, in}, thermometer("t", "in"), reader("a", "in", "")),
			"lanes[1] in: the name is used twice"},
		"a direction that does not exist": {
			gateOf([]Lane{{Name: "in", Direction: "up"}}, complete...),
			`lanes[0] in: direction "up"`},
		"no name": {
			gateOf([]Lane{{}}, complete...),
			"lanes[0] : "},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.cfg.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}
