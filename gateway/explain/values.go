package explain

import (
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// value is a value in a sentence; an empty text says that it is not known.
type value struct {
	text   string
	isCode bool // its words stand in the sentence
}

// value returns a value of the passage by its name.
func (x *explained) value(name string) value {
	switch name {
	case "card":
		return value{text: Short(x.Credential)}
	case "class":
		return word("class.", x.Class)
	case "direction":
		return word("direction.", string(x.Direction))
	case "lane":
		return value{text: x.Lane}
	case "policy":
		return value{text: x.Policy}
	case "fever":
		return degrees(x.Limits.Fever)
	case "low":
		return degrees(x.Limits.InvalidBelow)
	case "pairing":
		return value{text: strconv.FormatFloat(float64(x.Limits.PairingMS)/1000, 'f', -1, 64)}
	case "value":
		return celsius(x.Screening())
	case "entered":
		return celsius(&x.Entered.Value)
	case "with":
		if x.Entered != nil {
			return word("explain.with.", string(x.Entered.With))
		}
		return value{}
	}
	if t := x.episode(name); t.text != "" {
		return t
	}
	if o := x.Override; o != nil && name == "guard" {
		return value{text: o.Guard}
	} else if o != nil && name == "why" {
		return value{text: o.Reason, isCode: fact.OverrideReason(o.Reason).Known()}.of("override.")
	}
	if u := x.usual(name); u.text != "" {
		return u
	}
	if t := x.measured(name); t.text != "" {
		return t
	}
	return x.basis(name)
}

// usual returns a value of what the measurement was compared with.
func (x *explained) usual(name string) value {
	u := x.Limits.Usual
	if u == nil {
		return value{}
	}
	switch name {
	case "high":
		return degrees(u.High)
	case "median":
		return degrees(u.Median)
	case "readings":
		return value{text: strconv.Itoa(u.Readings)}
	}
	return value{}
}

// episode returns a value of the person's fever episode.
func (x *explained) episode(name string) value {
	e := x.Episode
	if e == nil {
		return value{}
	}
	switch name {
	case "first":
		return degrees(e.First)
	case "since":
		return x.time(&e.Since)
	case "ready":
		return x.time(&e.Ready)
	case "until":
		return x.time(&e.Until)
	}
	return value{}
}

// measured returns a value of the measurement.
func (x *explained) measured(name string) value {
	t := x.Temperature
	if t == nil {
		return value{}
	}
	switch name {
	case "measured":
		return degrees(t.Screening)
	case "object":
		return degrees(t.Object)
	case "offset":
		return degrees(t.Offset)
	case "ambient":
		return degrees(t.Ambient)
	case "background":
		return degrees(t.Background)
	case "min":
		return degrees(t.RatedMin)
	case "max":
		return degrees(t.RatedMax)
	case "samples":
		return value{text: strconv.Itoa(t.Samples)}
	case "seconds":
		return value{text: strconv.FormatFloat(float64(t.DurationMS)/1000, 'f', 1, 64)}
	}
	return value{}
}

// basis returns a value of what was decided about the card.
func (x *explained) basis(name string) value {
	b := x.Basis
	if b == nil {
		return value{}
	}
	switch name {
	case "rule":
		return value{text: b.Rule}
	case "what":
		return word("explain.rule.", RuleOf(b.Rule))
	case "at":
		return x.time(b.At)
	case "last":
		return x.time(b.Last)
	case "next":
		return x.time(b.Next)
	case "end":
		return x.end(b)
	case "household":
		return value{text: Short(b.Household)}
	case "pass":
		return value{text: Short(b.Pass)}
	case "used":
		return value{text: strconv.Itoa(b.Used)}
	case "times":
		return value{text: strconv.Itoa(b.Times)}
	}
	return value{}
}

// end returns the last day of a card, or the time at which a pass ended.
func (x *explained) end(b *wire.Basis) value {
	if b.Until == nil || b.Pass != "" {
		return x.time(b.Until)
	}
	return value{text: b.Until.In(x.zone).AddDate(0, 0, -1).Format(time.DateOnly)}
}

// time returns a time in the county's zone.
func (x *explained) time(t *wire.Time) value {
	if t == nil {
		return value{}
	}
	return value{text: t.In(x.zone).Format(layout)}
}

// of puts a prefix before a value that is a code.
func (v value) of(prefix string) value {
	if v.isCode {
		v.text = prefix + v.text
	}
	return v
}

// word returns a code whose own words stand in the sentence.
func word(prefix, code string) value {
	if code == "" {
		return value{}
	}
	return value{text: prefix + code, isCode: true}
}

// degrees returns a temperature without a zero at its end: 37.3.
func degrees(t fact.Temp) value { return value{text: strings.TrimSuffix(t.String(), "0")} }

func celsius(t *fact.Temp) value {
	if t == nil {
		return value{}
	}
	return degrees(*t)
}

// shortest is how much of a pseudonym is shown: enough to tell people of a day apart.
const shortest = 8

// Short returns the beginning of a pseudonym, without the id of the key that is the same
// for everybody.
func Short(pseudonym string) string {
	if _, own, keyed := strings.Cut(pseudonym, "-"); keyed {
		pseudonym = own
	}
	r := []rune(pseudonym)
	if len(r) <= shortest {
		return pseudonym
	}
	return string(r[:shortest]) + "…"
}
