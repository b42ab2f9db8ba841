package agent

import (
	"errors"
	"fmt"

	"gatehouse/devices"
	"gatehouse/gateway/config"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/web"
	"gatehouse/gateway/wire"
)

// Config is the agent's configuration file. Relative paths in it count from
// the file's own folder.
type Config struct {
	County       string           `yaml:"county"`              // id of the county, first level of the topics
	Agent        string           `yaml:"agent"`               // id of this gate, unique in the county
	Dir          string           `yaml:"dir"`                 // journal and state; must outlive restarts
	Broker       mqtt.Broker      `yaml:"broker"`              //
	CollectorKey string           `yaml:"collector_key"`       // file: the collector's public key (collector.pub)
	SiteKey      string           `yaml:"site_key,omitempty"`  // file: the county's key for pseudonyms
	Policy       string           `yaml:"policy,omitempty"`    // YAML file: rules and limits
	Roster       string           `yaml:"roster,omitempty"`    // CSV file: who lives here
	TimeZone     string           `yaml:"time_zone,omitempty"` // of the county; default Asia/Shanghai
	Lanes        []Lane           `yaml:"lanes,omitempty"`     // ways through the gate; absent: one, with all devices
	Devices      []Device         `yaml:"devices,omitempty"`   //
	Machines     []machine.Config `yaml:"machines,omitempty"`  // drones and fogging machines that this agent bridges
	MAVLink      []MAVLink        `yaml:"mavlink,omitempty"`   // links to drones
	Modbus       []Modbus         `yaml:"modbus,omitempty"`    // buses of fogging machines
	NMEA         []NMEA           `yaml:"nmea,omitempty"`      // receivers of positions
	KeepDays     int              `yaml:"keep_days"`           // acknowledged records stay on disk; default 7
	Kiosk        Kiosk            `yaml:"kiosk,omitempty"`     // the guard's screen; absent: none
}

// Kiosk is the guard's screen.
type Kiosk struct {
	Listen string `yaml:"listen"` // 127.0.0.1:8090; the browser runs on this computer
	Title  string `yaml:"title"`  // compound and gate, as the guard knows them
}

// Device is one piece of hardware at the gate.
type Device struct {
	Name      string         `yaml:"name"`                // unique at this gate
	Model     string         `yaml:"model"`               // a row of the catalogue: gatehouse devices
	Port      string         `yaml:"port,omitempty"`      // serial device or I²C bus
	Baud      int            `yaml:"baud,omitempty"`      // serial only; the catalogue's where absent
	Address   uint16         `yaml:"address,omitempty"`   // I²C only; the catalogue's where absent
	Lane      string         `yaml:"lane,omitempty"`      // that it belongs to, where there are several
	Direction fact.Direction `yaml:"direction,omitempty"` // of a reader: in, out or absent for its lane's
	// Offset is added to the surface temperature to give the screening
	// temperature, in °C; measured at installation against a contact
	// thermometer. A thermometer must state it, 0 included.
	Offset *fact.Temp        `yaml:"offset_c,omitempty"`
	Pins   map[string]string `yaml:"pins,omitempty"`       // outputs: barrier, red, amber, green, buzzer
	Low    []string          `yaml:"active_low,omitempty"` // outputs that are on when their pin is low
}

// Paths are all paths in it.
func (c *Config) Paths() []*string {
	paths := []*string{&c.Dir, &c.CollectorKey, &c.SiteKey, &c.Policy, &c.Roster,
		&c.Broker.PasswordFile, &c.Broker.CA, &c.Broker.Cert, &c.Broker.Key}
	for i := range c.MAVLink {
		paths = append(paths, &c.MAVLink[i].KeyFile)
	}
	for i := range c.Modbus {
		for j := range c.Modbus[i].Units {
			if u := &c.Modbus[i].Units[j]; IsFile(u.Map) {
				paths = append(paths, &u.Map)
			}
		}
	}
	return paths
}

// maxOffset bounds a site offset: bare skin reads 2 to 5 °C below the body, and
// a larger correction is a fault of the installation.
const maxOffset = 800

// Check tells what is wrong with the configuration, each fault with the key to
// mend.
func (c Config) Check() error {
	var errs []error
	add := func(key string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	add("county", wire.CheckID(c.County))
	add("agent", wire.CheckID(c.Agent))
	if c.Agent == wire.CollectorID {
		add("agent", fmt.Errorf("%q is the collector's own name", c.Agent))
	}
	add("broker", c.Broker.Check())
	needed := map[string]string{"dir": c.Dir, "collector_key": c.CollectorKey}
	if len(c.Devices) > 0 {
		needed["site_key"], needed["policy"], needed["roster"] = c.SiteKey, c.Policy, c.Roster
	}
	for key, v := range needed {
		if v == "" {
			add(key, errors.New("is missing"))
		}
	}
	_, err := config.Zone(c.TimeZone)
	add("time_zone", err)
	if err := c.checkLanes(); err != nil {
		errs = append(errs, err)
	}
	if err := c.checkMachines(); err != nil {
		errs = append(errs, err)
	}
	if c.KeepDays < 0 || c.KeepDays > 365 {
		add("keep_days", errors.New("must be 1 to 365"))
	}
	if len(c.Devices) == 0 && len(c.Machines) == 0 {
		add("devices", errors.New("none are listed, and no machines"))
	}
	if l := c.Kiosk.Listen; l != "" && !web.Loopback(l) {
		add("kiosk.listen", fmt.Errorf("%q: the guard's screen has no password and is for this computer only: write 127.0.0.1:8090", l))
	}
	seen := map[string]bool{}
	for i, d := range c.Devices {
		key := fmt.Sprintf("devices[%d] %s", i, d.Name)
		add(key, d.check())
		if seen[d.Name] {
			add(key, errors.New("the name is used twice"))
		}
		seen[d.Name] = true
	}
	return errors.Join(errs...)
}

func (d Device) check() error {
	if err := wire.CheckID(d.Name); err != nil {
		return err
	}
	m, err := devices.Find(d.Model)
	if err != nil {
		return err
	}
	if d.Direction != fact.DirectionNone && d.Direction != fact.DirectionIn && d.Direction != fact.DirectionOut {
		return fmt.Errorf("direction %q: write in or out, or leave it away", d.Direction)
	}
	switch {
	case m.Kind == devices.KindThermometer && d.Offset == nil:
		return errors.New("offset_c is missing: measure it at installation with a contact thermometer (0 if it reads body temperature)")
	case m.Kind != devices.KindThermometer && d.Offset != nil:
		return errors.New("offset_c belongs to thermometers only")
	case d.Offset != nil && (*d.Offset > maxOffset || *d.Offset < -maxOffset):
		return fmt.Errorf("offset_c %s: more than 8 °C is a fault of the installation", *d.Offset)
	case m.Kind == devices.KindOutputs && len(d.Pins) == 0:
		return errors.New("pins are missing")
	case m.Kind != devices.KindOutputs && d.Port == "":
		return errors.New("port is missing")
	}
	return nil
}
