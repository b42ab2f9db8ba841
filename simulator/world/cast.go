package world

import (
	"fmt"
	"strings"
)

// castHouseholds is how many households a gate has for scenes: each play of a scene
// takes another one, because a quota that was used up stays used up.
const castHouseholds = 60

// Cast are cards of a gate that come in scenes only, not in its timetable.
type Cast struct {
	Households [castHouseholds][2]string // two residents each
	Sealed     string                    // a resident of a sealed household
	Visitors   [castHouseholds]string
	Guard      string // signs in, and passes nowhere
}

// Cast returns the cards that scenes at the gate use.
func (g Gate) Cast() (c Cast) {
	number := func(kind, n int) string { return fmt.Sprintf("61%02X%04X%02X", kind, uint16(g.seed), n) }
	for i := range c.Households {
		c.Households[i] = [2]string{number(0, i), number(1, i)}
		c.Visitors[i] = number(2, i)
	}
	c.Sealed, c.Guard = number(3, 0), number(4, 0)
	return c
}

// Roster returns the rows of the cast for the gate's roster.
func (c Cast) Roster() []byte {
	var b strings.Builder
	row := func(card, class, status, household string) {
		fmt.Fprintf(&b, "%s,%s,%s,%s,,,%s\n", card, class, status, household,
			Card{Class: class}.shown(strings.Count(b.String(), "\n")))
	}
	for i, household := range c.Households {
		for _, card := range household {
			row(card, "resident", "active", fmt.Sprintf("C-%d", i+1))
		}
		row(c.Visitors[i], "visitor", "active", "")
	}
	row(c.Sealed, "resident", "sealed", "C-sealed")
	return []byte(b.String())
}

// GuardID is the id of the guard who signs in where the rules are those of MannedPolicy.
const GuardID = "east-1"

// MannedPolicy returns the policy of a gate at which scenes play and a guard signs in: the
// screen asks whether they are still there, after a time that somebody can wait for.
func MannedPolicy() []byte {
	return append(StagePolicy(), "duty: {check: 20s, answer: 20s}\n"...)
}

// StagePolicy returns the policy of a gate at which scenes play: the county's, with the
// rules that scenes show and times that somebody can wait for.
func StagePolicy() []byte {
	return []byte(`version: 2020-02-14.1-scenes
limits:
  fever_c: 37.3
  invalid_below_c: 35.0
  pairing: 8s
classes:
  resident:
    fever: go-home
    directions: [in, out]
    quota: {exits: 1, days: 1, per: household}
  visitor: {fever: turn-away, directions: [in, out]}
  worker: {fever: turn-away, directions: [in, out]}
sealed: {in: allow}
episode: {wait: 10s, expires: 2m}
escalate: {after: 10s}
`)
}
