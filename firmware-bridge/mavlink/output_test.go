package mavlink

import (
	"testing"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
)

func TestWhereAnOutputIs(t *testing.T) {
	for _, c := range []struct {
		n    int
		px4  bool
		aux  bool // port 1 has come
		bank uint8
		i    int
	}{
		{1, false, false, 0, 0}, {16, false, true, 0, 15}, {17, false, true, 1, 0}, {32, false, true, 1, 15},
		{8, true, false, 0, 7}, {9, true, false, 0, 8}, {9, true, true, 1, 0}, {16, true, true, 1, 7},
		{17, true, true, 2, 0},
	} {
		o := output{n: c.n, px4: c.px4}
		o.ports[1] = c.aux
		if bank, i := o.place(); bank != c.bank || i != c.i {
			t.Errorf("%+v: port %d, place %d", c, bank, i)
		}
	}
	o := output{n: 18}
	for _, c := range []struct {
		m  common.MessageServoOutputRaw
		us uint16
		ok bool
	}{
		{common.MessageServoOutputRaw{Port: 1, Servo2Raw: 1700}, 1700, true},
		{common.MessageServoOutputRaw{Port: 0, Servo2Raw: 1700}, 0, false},
		{common.MessageServoOutputRaw{Port: 1, Servo2Raw: 0xFFFF}, 0xFFFF, false},
		{common.MessageServoOutputRaw{Port: 1}, 0, false},
		{common.MessageServoOutputRaw{Port: 200, Servo2Raw: 1700}, 0, false},
	} {
		if us, ok := o.pulse(&c.m); ok != c.ok || ok && us != c.us {
			t.Errorf("%+v: %d, %v", c.m, us, ok)
		}
	}
	if _, ok := (&output{}).pulse(&common.MessageServoOutputRaw{Servo1Raw: 1500}); ok {
		t.Error("no output is configured")
	}
}

// A pulse each second; armed and disarmed in capitals before it.
func TestWhenAPumpRuns(t *testing.T) {
	type step struct {
		us   uint16
		want string // on, off, or nothing: not known
		arm  string // what the heartbeat before says
	}
	for name, c := range map[string]struct {
		onUS  uint16
		steps []step
	}{
		"as configured": {1120, []step{{1120, "off", ""}, {1121, "on", ""}, {2000, "on", ""}}},
		"nothing known": {0, []step{{1201, "on", ""}, {1200, "", ""}, {1151, "", ""}, {1150, "off", ""}}},
		"slow spraying": {0, []step{{1100, "off", ""}, {1120, "off", ""}, {1121, "on", ""}, {1196, "on", ""},
			{1100, "off", ""}}},
		"a reversed output": {0, []step{{1900, "off", "disarmed"}, {1900, "off", "armed"}, {1880, "off", ""},
			{1879, "on", ""}, {1921, "on", ""}}},
		"a motor both ways": {0, []step{{1500, "off", "disarmed"}, {1500, "off", "armed"}, {1521, "on", ""},
			{1479, "on", ""}, {1480, "off", ""}}},
		"another pulse while disarmed": {0, []step{{900, "off", "disarmed"}, {1000, "off", "armed"}, {1020, "off", ""},
			{1021, "off", ""}, {1050, "on", ""}}},
		"armed long ago": {0, []step{{1000, "off", "disarmed"}, {1000, "off", "armed"}, {1000, "off", ""},
			{1000, "off", ""}, {1100, "on", ""}, {1000, "off", ""}}},
		"spraying at first": {0, []step{{1400, "on", ""}, {1400, "on", ""}, {1100, "off", ""}, {1121, "on", ""}}},
		"a glitch":          {0, []step{{1100, "off", ""}, {1000, "off", ""}, {1100, "off", ""}, {1110, "off", ""}}},
		"lower after all": {0, []step{{1140, "off", ""}, {1100, "off", ""}, {1103, "off", ""}, {1130, "on", ""},
			{1124, "on", ""}, {1123, "off", ""}}},
		"a test on the ground": {0, []step{{1900, "off", "disarmed"}, {1100, "on", ""}, {1100, "off", ""},
			{1900, "on", ""}}},
	} {
		o := output{n: 9, onUS: c.onUS}
		for i, s := range c.steps {
			now := time.Hour + time.Duration(i)*time.Second
			if s.arm != "" {
				o.arm(now, s.arm == "armed")
			}
			got := ""
			if on := o.runs(now, s.us); on != nil {
				got = map[bool]string{true: "on", false: "off"}[*on]
			}
			if got != s.want {
				t.Errorf("%s: step %d, %d µs: %q, want %q", name, i, s.us, got, s.want)
			}
		}
	}
}
