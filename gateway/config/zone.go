package config

import (
	"cmp"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // gate computers often have no time zone database
)

// DefaultZone is the time zone of a county that configures none: China has one.
const DefaultZone = "Asia/Shanghai"

// Zone returns the time zone with this IANA name, or DefaultZone when name is
// empty. It refuses "Local": a computer's own setting is not the county's.
func Zone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errors.New("a computer's own setting is not the county's: write a name such as " + DefaultZone)
	}
	z, err := time.LoadLocation(cmp.Or(name, DefaultZone))
	if err != nil {
		return nil, fmt.Errorf("%w: write a name such as %s", err, DefaultZone)
	}
	return z, nil
}
