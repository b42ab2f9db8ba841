// Package help is how the guard of one gate gets somebody: whom the configuration lists, the
// calls that the guard has made, what the county's desk has answered, and its notices.
package help

import (
	"errors"
	"fmt"
	"slices"

	"gatehouse/gateway/fact"
)

// Contact is an office that the guard can telephone. It names a role, no person.
type Contact struct {
	Role  fact.Role `yaml:"role"`  // doctor, grid, community, county or it
	Phone string    `yaml:"phone"` // as the guard dials it
}

// Check returns what is wrong with the contacts of a configuration, each with its key.
func Check(contacts []Contact) error {
	var errs []error
	for i, c := range contacts {
		key := fmt.Sprintf("contacts[%d] %s", i, c.Role)
		if !c.Role.Valid() {
			errs = append(errs, fmt.Errorf("%s: the role is none of doctor, grid, community, county and it; "+
				"write an office, never a person", key))
		}
		if err := fact.CheckPhone(c.Phone); err != nil {
			errs = append(errs, fmt.Errorf("%s: phone %.40q: %w", key, c.Phone, err))
		}
		if slices.ContainsFunc(contacts[:i], func(x Contact) bool { return x.Role == c.Role }) {
			errs = append(errs, fmt.Errorf("%s: the role is listed twice", key))
		}
	}
	return errors.Join(errs...)
}
