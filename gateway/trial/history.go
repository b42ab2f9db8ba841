package trial

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/policy/engine"
	"gatehouse/gateway/wire"
)

// history is what has passed before somebody comes.
type history struct {
	name  string
	steps []passed
	lanes bool // the card has passed all lanes that come first, a minute ago
}

// passed is a passage of the card itself.
type passed struct {
	way fact.Direction
	ago time.Duration
}

// histories returns those that are tried; the first is that of somebody who has not
// passed yet.
func histories() []history {
	const in, out = fact.DirectionIn, fact.DirectionOut
	return []history{
		{name: "nothing", lanes: true},
		{name: "not even the lanes that come first"},
		{name: "went out an hour ago", steps: []passed{{out, time.Hour}}, lanes: true},
		{name: "came in an hour ago", steps: []passed{{in, time.Hour}}, lanes: true},
		{name: "went out and came home an hour ago",
			steps: []passed{{out, 2 * time.Hour}, {in, time.Hour}}, lanes: true},
		{name: "went out and came home the day before",
			steps: []passed{{out, 26 * time.Hour}, {in, 25 * time.Hour}}, lanes: true},
		{name: "went out and came home three days before",
			steps: []passed{{out, 74 * time.Hour}, {in, 73 * time.Hour}}, lanes: true},
	}
}

// decide asks the rules after a history.
func decide(r *policy.Rules, h history, a engine.Ask) engine.Decision {
	var s engine.State
	seq := uint64(0)
	take := func(lane string, way fact.Direction, ago time.Duration) {
		seq++
		s.Take(r, wire.Passage{Verdict: fact.VerdictPass, Credential: a.Credential, Lane: lane, Direction: way,
			Readings: []uint64{seq}}, a.At.Add(-ago))
	}
	for _, x := range h.steps {
		take(a.Lane, x.way, x.ago)
	}
	if p, known := r.Person(a.Credential); known && h.lanes {
		for _, b := range r.Classes[p.Class].Before {
			take(b.Lane, fact.DirectionIn, time.Minute)
		}
	}
	return engine.Decide(r, &s, a)
}

// lanesOf returns the lanes that are tried with a card: those that ask for another one
// first, and any other.
func lanesOf(r *policy.Rules, card string) []string {
	lanes := []string{""}
	if p, known := r.Person(card); known {
		for _, b := range r.Classes[p.Class].Before {
			lanes = append(lanes, b.At...)
		}
	}
	slices.Sort(lanes)
	return slices.Compact(lanes)
}

// settings returns what differs and is not about one situation.
func settings(a, b policy.Policy) (out []string) {
	add := func(key, was, is string) {
		if was != is {
			out = append(out, fmt.Sprintf("%s: %s → %s", key, was, is))
		}
	}
	add("version", a.Version, b.Version)
	add("limits.fever_c", a.Limits.Fever.String(), b.Limits.Fever.String())
	add("limits.invalid_below_c", a.Limits.InvalidBelow.String(), b.Limits.InvalidBelow.String())
	add("limits.pairing", a.Limits.Pairing.String(), b.Limits.Pairing.String())
	add("baseline", usual(a), usual(b))
	add("check.every", a.CheckEvery().String(), b.CheckEvery().String())
	add("lost.pass", string(cmp.Or(a.Lost.Pass, policy.LostDeny)), string(cmp.Or(b.Lost.Pass, policy.LostDeny)))
	add("episode", episode(a), episode(b))
	add("unsynchronised", string(cmp.Or(a.Unsynchronised, policy.LastKnownDay)),
		string(cmp.Or(b.Unsynchronised, policy.LastKnownDay)))
	names := maps.Clone(a.Classes)
	maps.Copy(names, b.Classes)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := a.Classes[name]
		is, has := b.Classes[name]
		switch {
		case !had:
			out = append(out, fmt.Sprintf("classes.%s: is new", name))
		case !has:
			out = append(out, fmt.Sprintf("classes.%s: is removed", name))
		default:
			for key, x := range map[string][2]string{
				"directions":    {fmt.Sprint(was.Directions), fmt.Sprint(is.Directions)},
				"windows":       {fmt.Sprint(was.Windows), fmt.Sprint(is.Windows)},
				"quota":         {quota(was), quota(is)},
				"anti_passback": {string(was.AntiPassback), string(is.AntiPassback)},
				"amnesty":       {was.Forgets().String(), is.Forgets().String()},
				"purposes":      {fmt.Sprint(was.Purposes), fmt.Sprint(is.Purposes)},
				"before":        {fmt.Sprint(was.Before), fmt.Sprint(is.Before)},
			} {
				add("classes."+name+"."+key, x[0], x[1])
			}
			add("classes."+name+".fever", string(was.Fever), string(is.Fever))
		}
	}
	add("sealed", sealed(a), sealed(b))
	add("duty", fmt.Sprint(a.Duty), fmt.Sprint(b.Duty))
	add("escalate.after", a.Escalate.Limit().String(), b.Escalate.Limit().String())
	add("overrides", overrides(a), overrides(b))
	slices.Sort(out)
	return out
}

// sameClasses returns the classes for whose people both policies have the same rules.
func sameClasses(a, b policy.Policy) map[string]bool {
	same := map[string]bool{}
	for name, was := range a.Classes {
		is, has := b.Classes[name]
		quotas := quota(was) == quota(is)
		was.Quota, is.Quota = nil, nil
		same[name] = has && quotas && sealed(a) == sealed(b) && fmt.Sprintf("%+v", was) == fmt.Sprintf("%+v", is)
	}
	return same
}

func usual(p policy.Policy) string {
	if p.Baseline == nil {
		return "none"
	}
	r := p.Baseline.WithDefaults()
	return fmt.Sprintf("%d of %d readings, %g spreads of at least %s", r.Readings, r.Window, r.Spreads, r.SpreadMin)
}

func quota(k policy.Class) string {
	if k.Quota == nil {
		return "none"
	}
	return fmt.Sprintf("%d %s in %d days per %s", k.Quota.Times(), k.Quota.Direction(), k.Quota.Days, k.Quota.Per)
}

func episode(p policy.Policy) string {
	if p.Episode == nil {
		return "none"
	}
	return fmt.Sprintf("wait %s, expires %s, second %s", p.Episode.Wait, p.Episode.Expires,
		cmp.Or(p.Episode.Second, policy.SecondOther))
}

func sealed(p policy.Policy) string {
	if p.Sealed == nil {
		return "none"
	}
	return fmt.Sprint(*p.Sealed)
}

func overrides(p policy.Policy) string {
	if p.Overrides == nil {
		return "none"
	}
	return fmt.Sprint(*p.Overrides)
}

// Samples returns rules without a roster, with a card of each class and purpose, one of
// a sealed household, and a lost one. Of two policies the cards are the same.
func Samples(p, other policy.Policy) (*policy.Rules, error) {
	classes := maps.Clone(p.Classes)
	maps.Copy(classes, other.Classes)
	var b strings.Builder
	b.WriteString("card,class,status,household,from,until,purpose\n")
	n := 0
	card := func(class, status, purpose string) {
		n++
		k, has := p.Classes[class]
		if has && (purpose == "" || slices.Contains(k.Purposes, purpose)) {
			fmt.Fprintf(&b, "%010X,%s,%s,h%d,,,%s\n", n, class, status, n, purpose)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		purposes := slices.Concat([]string{""}, p.Classes[class].Purposes, other.Classes[class].Purposes)
		slices.Sort(purposes)
		for _, purpose := range slices.Compact(purposes) {
			card(class, "active", purpose)
		}
		card(class, "sealed", "")
		card(class, "lost", "")
	}
	return policy.ParseRoster(p, strings.NewReader(b.String()), plain{})
}
