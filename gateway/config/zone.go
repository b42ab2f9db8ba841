package config

import (
	"errors"
	"fmt"
	"time"
)

// Zone returns the time zone of an IANA name, such as Asia/Shanghai. "Local"
// and the empty name are refused: a computer's own setting is not the county's.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errors.New("write the county's time zone, such as Asia/Shanghai")
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%w: write a name such as Asia/Shanghai", err)
	}
	return z, nil
}
