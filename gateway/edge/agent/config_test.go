package agent

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/bridge"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
)

func TestTheTimeZoneIsChecked(t *testing.T) {
	c := Config{
		County: "qinghe", Agent: "gate-001", Dir: "d", Broker: mqtt.Broker{URL: "tcp://127.0.0.1:1883"},
		CollectorKey: "k", SiteKey: "s", Policy: "p", Roster: "r",
		Station: station.Config{Devices: []station.Device{
			{Name: "t", Model: "gy-mcu90614", Port: "x", Offset: new(fact.Temp)},
			{Name: "a", Model: "rdm6300", Port: "x"},
		}},
	}
	for zone, want := range map[string]string{
		"":            "",
		"Asia/Urumqi": "",
		"Local":       "time_zone: ",
		"Peking":      "time_zone: unknown time zone Peking",
	} {
		c.TimeZone = zone
		if err := c.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", zone, err)
		}
	}
}

func TestTheExampleOfMachinesIsRight(t *testing.T) {
	const deploy = "../../../deploy"
	c, err := config.Load[Config](filepath.Join(deploy, "machines.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	for _, p := range c.Bridge.Paths() {
		if *p != "" {
			*p = filepath.Join(deploy, *p)
		}
	}
	b, err := bridge.New(c.Bridge, bridge.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Bridge.Machines {
		if !b.Has(m.Machine) {
			t.Errorf("the bridge has no %s", m.Machine)
		}
	}
}

// Programs that run agents write their configurations.
func TestAConfigurationIsReadAsItWasWritten(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	r.addDrone()
	text, err := config.Write(r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	got, err := config.Parse[Config](text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if !reflect.DeepEqual(got, r.cfg) {
		t.Errorf("written\n%s\nread %+v\nwant %+v", text, got, r.cfg)
	}
	for _, key := range []string{"\ndevices:", "\nmachines:", "\nmavlink:"} {
		if !strings.Contains(string(text), key) {
			t.Errorf("%q is no key of the file:\n%s", key, text)
		}
	}
}
