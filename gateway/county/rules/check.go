package rules

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/trial"
)

// Check tries a version with all that is in force for its gates, and compares.
func (r *Rules) Check(ctx context.Context, id int64) (*Report, error) {
	now, err := r.now(ctx)
	if err != nil {
		return nil, err
	}
	text, err := now.text(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("check version %d: %w", id, err)
	}
	v := now.names[id]
	report := &Report{Version: v, instead: now.force[v.Key], seen: now.force}
	gates := r.gates(v.Scope)
	if len(gates) == 0 {
		report.fault(ErrScope)
	}
	next := now.with(v.Key, id)
	switch v.Kind {
	case Policy:
		_, err = next.policy(ctx, id)
		report.fault(err)
	case Roster:
		roster, err := next.roster(ctx, id)
		report.fault(err)
		report.People = len(roster.lines)
		if empty := roster.without(gates); err == nil && len(empty) > 0 {
			report.warn("it lists nobody for %s", few(empty))
		}
		if err == nil {
			r.twice(ctx, next, report)
		}
	case Guards:
		report.fault(next.tryGuards(ctx, id, nil))
	case Contacts:
		report.fault(next.tryContacts(ctx, id))
	case Cases:
		report.fault(masked(v, trial.Check(text)))
	}
	if len(report.Faults) == 0 {
		r.compare(ctx, report, now, next, gates)
	}
	return report, nil
}

// group are gates that decide by the same versions, before and after.
type group struct {
	old, new book
	gates    []string
}

// groups returns the gates of a version, by what they decide by.
func groups(before, after *world, gates []string) (out []group) {
	at := map[[2]book]int{}
	for _, gate := range gates {
		g := group{old: before.of(gate), new: after.of(gate)}
		key := [2]book{g.old, g.new}
		i, known := at[key]
		if !known {
			i = len(out)
			at[key], out = i, append(out, g)
		}
		out[i].gates = append(out[i].gates, gate)
	}
	return out
}

// compare tries what gates would decide by, and compares it with what they do.
func (r *Rules) compare(ctx context.Context, report *Report, before, after *world, gates []string) {
	y, m, d := r.opts.Now().In(r.opts.Zone).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, r.opts.Zone)
	compared := 0
	for _, g := range groups(before, after, gates) {
		if report.concerns(g) {
			report.Gates += len(g.gates)
		} else {
			continue
		}
		if !g.new.whole() {
			report.incomplete(g)
			continue
		}
		now, err := after.try(ctx, g.new, g.gates)
		report.fault(err)
		if err != nil {
			continue
		}
		report.cases(ctx, after, now, g)
		if compared++; compared > mostGroups {
			continue
		}
		r.differ(ctx, report, before, now, g, day)
	}
	if compared > mostGroups {
		report.warn("%d more kinds of gates were checked, and not compared with what is in force",
			compared-mostGroups)
	}
	if report.Gates == 0 && report.Kind != Cases {
		report.warn("all gates of %s have versions of their own: nothing changes", report.Scope)
	}
}

// concerns reports whether the gates of a group would decide by the version.
func (r *Report) concerns(g group) bool {
	switch r.Kind {
	case Policy:
		return g.new.policy == r.ID
	case Roster:
		return g.new.roster == r.ID
	case Guards:
		return g.new.guards == r.ID
	case Contacts:
		return g.new.contacts == r.ID
	}
	return true // cases are about whatever is in force
}

// incomplete says what gates need before they can decide by the version.
func (r *Report) incomplete(g group) {
	if r.Kind == Roster && g.new.policy == 0 {
		r.fault(fmt.Errorf("no policy is in force for %s, by which its classes could be checked: approve one first "+
			"(gatehouse rules import --approve puts that into force with which gates are enrolled)", few(g.gates)))
		return
	}
	if r.Kind == Policy {
		r.warn("no roster is in force for %s: they get this policy when one is", few(g.gates))
	} else {
		r.warn("policy or roster is missing for %s: they get this when both are in force", few(g.gates))
	}
}

// differ compares what the gates of a group decide by.
func (r *Rules) differ(
	ctx context.Context, report *Report, before *world, now *policy.Rules, g group, day time.Time,
) {
	for _, why := range trial.Locked(now, []fact.Direction{fact.DirectionIn, fact.DirectionOut}, day) {
		report.warn("%s: %s", few(g.gates), why)
	}
	if !g.old.whole() {
		add(&report.Changes, fmt.Sprintf("%s: nothing of the county was in force before", few(g.gates)))
		return
	}
	old, err := before.try(ctx, g.old, g.gates)
	if err != nil {
		report.warn("what is in force now can't be read, and nothing is compared: %s", firstLine(err))
		return
	}
	c := trial.Compare(old, now, day)
	for _, way := range c.Locked {
		add(&report.Locked, fmt.Sprintf("%s: %s", few(g.gates), way))
	}
	for _, text := range c.Words(false) {
		add(&report.Changes, text)
	}
}

func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return redact(text)
}

// cases tries the cases in force for the gates of a group.
func (r *Report) cases(ctx context.Context, w *world, now *policy.Rules, g group) {
	id := w.pick(Cases, g.gates[0])
	if id == 0 {
		return
	}
	text, err := w.text(ctx, id)
	if err != nil {
		r.warn("the cases can't be read: %s", firstLine(err))
		return
	}
	roster, err := w.roster(ctx, g.new.roster)
	if err != nil {
		return // said already
	}
	suite, err := trial.Parse(text, now.Policy, roster.text(g.gates))
	if err != nil {
		r.fault(masked(w.names[id], err))
		return
	}
	outcomes := suite.Run()
	r.Tried = max(r.Tried, len(outcomes))
	for _, o := range outcomes {
		for _, wrong := range o.Wrong {
			r.fault(fmt.Errorf("%s, line %d, %s: %s", w.names[id], o.Line, o.Name, wrong))
		}
	}
}

// twice warns of cards that rosters of other gates list, too.
func (r *Rules) twice(ctx context.Context, w *world, report *Report) {
	own, err := w.roster(ctx, report.ID)
	if err != nil {
		return
	}
	at := map[string]int{}
	for _, l := range own.lines {
		card := strings.ToUpper(strings.TrimSpace(l.fields[0]))
		if before, listed := at[card]; listed {
			report.fault(fmt.Errorf("%s: line %d: the card is on line %d already", report.Version, l.no, before))
			continue
		}
		at[card] = l.no
	}
	keys := slices.SortedFunc(maps.Keys(w.force), func(a, b Key) int { return cmp.Compare(a.Scope, b.Scope) })
	for _, k := range keys {
		if k.Kind != Roster || k == report.Key {
			continue
		}
		other, err := w.roster(ctx, w.force[k])
		if err != nil {
			continue
		}
		var lines []int
		for _, l := range other.lines {
			if no := at[strings.ToUpper(strings.TrimSpace(l.fields[0]))]; no != 0 {
				lines = append(lines, no)
			}
		}
		if len(lines) > 0 {
			slices.Sort(lines)
			report.warn("the roster of %s lists cards of this one, too: %s", k.Scope, trial.Headcount(lines))
		}
	}
}
