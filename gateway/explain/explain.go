// Package explain says in sentences why a passage was decided as it was: what was shown
// and measured, which rule decided on which inputs, and what would have let the person
// pass. It is pure. A sentence is a code with values; its text stands in the words of the
// screens, explain.* of ../web/src/words, so that terminal and desk say the same.
// Cards and households are pseudonyms, and shortened.
package explain

import (
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Part says what a sentence is about.
type Part string

// The parts of an explanation, in their order.
const (
	PartVerdict Part = "verdict" // what was decided; one sentence
	PartInputs  Part = "inputs"  // what was shown and measured, and by which rules it was judged
	PartBecause Part = "because" // a sentence a reason
	PartPass    Part = "pass"    // what would have let the person pass: all of it; none: they passed
	PartRecord  Part = "record"  // other passages of the same visit
)

// Sentence is one sentence of an explanation.
type Sentence struct {
	Part  Part              `json:"part"`
	Code  string            `json:"code"`            // of its text
	With  map[string]string `json:"with,omitempty"`  // values in the text, by name
	Words map[string]string `json:"words,omitempty"` // the same; each is a code, whose own text stands there
}

// layout is how a time is written, to the minute, in the county's time.
const layout = "2006-01-02 15:04"

// explained is a passage that is explained.
type explained struct {
	*wire.Passage

	zone *time.Location
	out  []Sentence
}

// Passage explains a passage. Times are in the given zone, the county's.
func Passage(p *wire.Passage, zone *time.Location) []Sentence {
	x := explained{Passage: p, zone: zone}
	x.say(PartVerdict, "verdict."+string(p.Verdict))
	x.person()
	x.measurement()
	x.rule()
	for _, r := range p.Reasons {
		x.because(r)
	}
	if p.Verdict != fact.VerdictPass {
		x.wouldPass()
	}
	return x.out
}

// say adds a sentence with the named values. A sentence is said once.
func (x *explained) say(part Part, code string, names ...string) {
	s := Sentence{Part: part, Code: "explain." + code}
	for _, name := range names {
		v := x.value(name)
		into := &s.With
		switch {
		case v.text == "":
			v.text, into = "explain.unknown", &s.Words
		case v.isCode:
			into = &s.Words
		}
		if *into == nil {
			*into = map[string]string{}
		}
		(*into)[name] = v.text
	}
	for _, said := range x.out {
		if said.Part == part && said.Code == s.Code {
			return
		}
	}
	x.out = append(x.out, s)
}

// person says who came.
func (x *explained) person() {
	switch {
	case x.Basis != nil && x.Basis.Pass != "":
		x.say(PartInputs, "shown.pass", "pass", "class")
	case x.Credential == "":
		x.say(PartInputs, "shown.nothing")
	case x.Class == "":
		x.say(PartInputs, "shown.unlisted", "card")
	default:
		x.say(PartInputs, "shown.card", "card", "class")
	}
	if x.Direction != fact.DirectionNone {
		x.say(PartInputs, "way", "direction")
	}
	if x.Lane != "" {
		x.say(PartInputs, "lane", "lane")
	}
}

// measurement says what was measured and entered.
func (x *explained) measurement() {
	if x.Entered != nil {
		x.say(PartInputs, "entered", "entered", "with")
	}
	switch {
	case x.Temperature != nil && x.Entered != nil:
		x.say(PartInputs, "measured.beside", "measured", "ambient")
	case x.Temperature != nil:
		x.say(PartInputs, "measured", "measured", "object", "offset", "ambient")
	case x.Entered == nil:
		x.say(PartInputs, "measured.nothing")
	}
	if x.Episode != nil {
		x.say(PartInputs, "episode", "first", "since", "ready", "until")
	}
}

// rule says by which rule the card was judged, and what the rule looked at.
func (x *explained) rule() {
	if x.Basis == nil {
		x.say(PartInputs, "policy", "policy")
		return
	}
	x.say(PartInputs, "rule", "rule", "what", "policy")
	if x.Basis.At != nil {
		x.say(PartInputs, "judged", "at")
	}
	switch b := x.Basis; {
	case b.Times == 0:
	case RuleOf(b.Rule) == "classes.quota" && b.Household != "":
		x.say(PartInputs, "used.household", "household", "used", "times")
	default:
		x.say(PartInputs, "used", "used", "times")
	}
	if x.Basis.Last != nil {
		x.say(PartInputs, "last", "last")
	}
}

// RuleOf returns what the words call a rule of a Basis: its path without the name of the
// class and without the index, such as classes.quota.
func RuleOf(path string) string {
	rest, isClass := strings.CutPrefix(path, "classes.")
	if !isClass {
		return path
	}
	rest, _, _ = strings.Cut(rest, "[")
	if i := strings.LastIndexByte(rest, '.'); i >= 0 {
		return "classes" + rest[i:]
	}
	return "classes"
}
