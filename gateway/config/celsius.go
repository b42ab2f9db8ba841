package config

import (
	"strings"

	"gatehouse/gateway/wire"
)

// Celsius is a temperature in a configuration file: 37.3 is 37.30 °C.
type Celsius wire.Temp

// UnmarshalYAML reads a number with at most two decimals.
func (c *Celsius) UnmarshalYAML(b []byte) error {
	number, _, _ := strings.Cut(string(b), "#") // the library hands over the line's comment, too
	t, err := wire.ParseTemp(strings.TrimSpace(number))
	*c = Celsius(t)
	return err
}

// MarshalYAML writes the number with two decimals.
func (c Celsius) MarshalYAML() ([]byte, error) { return []byte(wire.Temp(c).String()), nil }
