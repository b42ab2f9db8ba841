package policy

import (
	"errors"
	"slices"
	"strings"

	"gatehouse/gateway/identity"
)

// between stands between the names of one card, or household, in a roster of pseudonyms.
const between = "|"

// Pseudonymer returns the keyed pseudonym of a credential.
type Pseudonymer interface {
	Pseudonym(kind, code string) string
}

// ring is a Pseudonymer of which one key is in force.
type ring interface {
	KeyID() string // of the key in force
}

// manifold is a Pseudonymer with several keys: people are known by any of them.
type manifold interface {
	// Others returns the pseudonyms by the keys that are not in force.
	Others(kind, code string) []string
}

// namer gives names to what a roster lists.
type namer struct {
	key  Pseudonymer
	same map[string]string // the name in force, by each other one
}

// name returns the name in force of a number, and its other names.
func (n namer) name(kind, code string) (name string, others []string) {
	if r, is := n.key.(manifold); is {
		others = r.Others(kind, code)
	}
	return n.key.Pseudonym(kind, code), others
}

// card returns the names of a card, which a roster lists by its number or by its
// pseudonyms.
func (n namer) card(field string) (name string, others []string, err error) {
	if names, are := pseudonyms(field); are {
		return n.choose(names)
	}
	kind, code, err := credential(field)
	if err != nil {
		return "", nil, err
	}
	name, others = n.name(kind, code)
	return name, others, nil
}

// household returns the names of a household.
func (n namer) household(field string) (name string, others []string, err error) {
	if names, are := pseudonyms(field); are {
		return n.choose(names)
	}
	name, others = n.name("household", field)
	return name, others, nil
}

// choose returns of several pseudonyms the one by the key in force, or else the first.
func (n namer) choose(names []string) (name string, others []string, err error) {
	at := 0
	if r, is := n.key.(ring); is {
		at = max(0, slices.IndexFunc(names, func(p string) bool { return identity.KeyOf(p) == r.KeyID() }))
	}
	others = slices.Delete(slices.Clone(names), at, at+1)
	if slices.Contains(others, names[at]) {
		return "", nil, errors.New("it has the same pseudonym twice")
	}
	return names[at], others, nil
}

// pseudonyms returns the pseudonyms of a field, and whether it holds some.
func pseudonyms(field string) (names []string, are bool) {
	names = strings.Split(field, between)
	for _, p := range names {
		if !identity.IsPseudonym(p) {
			return nil, false
		}
	}
	return names, true
}

// Same returns the name in force of a card or household that goes by any of its names; of
// others the name itself.
func (r *Rules) Same(name string) string {
	if s, other := r.same[name]; other {
		return s
	}
	return name
}

// Renamed reports whether people or households go by more than one name.
func (r *Rules) Renamed() bool { return len(r.same) > 0 }
