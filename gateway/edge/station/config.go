package station

import (
	"errors"
	"fmt"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Config is the station's part of an agent's configuration.
type Config struct {
	Lanes   []Lane   `yaml:"lanes,omitempty"` // ways through the gate; absent: one, with all devices
	Devices []Device `yaml:"devices,omitempty"`
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
	// Language of a display's words: zh or en; absent: zh.
	Language string `yaml:"language,omitempty"`
}

// maxOffset bounds a site offset: bare skin reads 2 to 5 °C below the body, and
// a larger correction is a fault of the installation.
const maxOffset fact.Temp = 8_00

// Check returns what is wrong with the configuration, each fault with its key.
func (c Config) Check() error {
	errs := []error{c.checkLanes()}
	seen := map[string]bool{}
	for i, d := range c.Devices {
		key := fmt.Sprintf("devices[%d] %s", i, d.Name)
		if err := d.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
		if seen[d.Name] {
			errs = append(errs, fmt.Errorf("%s: the name is used twice", key))
		}
		seen[d.Name] = true
	}
	return errors.Join(errs...)
}

// reads reports whether a device reads cards or codes.
func (d Device) reads() bool {
	m, err := devices.Find(d.Model)
	return err == nil && (m.Kind == devices.KindCardReader || m.Kind == devices.KindScanner)
}

func (d Device) check() error {
	if err := wire.CheckID(d.Name); err != nil {
		return err
	}
	m, err := devices.Find(d.Model)
	if err != nil {
		return err
	}
	if !d.Direction.Valid() {
		return fmt.Errorf("direction %q: write in or out, or leave it away", d.Direction)
	}
	switch {
	case m.Kind == devices.KindThermometer && d.Offset == nil:
		return errors.New("offset_c is missing: " +
			"measure it at installation with a contact thermometer (0 if it reads body temperature)")
	case m.Kind != devices.KindThermometer && d.Offset != nil:
		return errors.New("offset_c belongs to thermometers only")
	case d.Offset != nil && (*d.Offset > maxOffset || *d.Offset < -maxOffset):
		return fmt.Errorf("offset_c %s: more than 8 °C is a fault of the installation", *d.Offset)
	case m.Kind != devices.KindDisplay && d.Language != "":
		return errors.New("language belongs to displays only")
	case d.Language != "" && d.Language != "zh" && d.Language != "en":
		return fmt.Errorf("language %q: write zh or en", d.Language)
	case m.Kind == devices.KindOutputs && len(d.Pins) == 0:
		return errors.New("pins are missing")
	case m.Kind != devices.KindOutputs && d.Port == "":
		return errors.New("port is missing")
	}
	return nil
}
