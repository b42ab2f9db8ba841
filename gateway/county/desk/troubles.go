package desk

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/county/health"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/probe"
	"gatehouse/gateway/wire"
)

const (
	part        = "desk"
	quietFor    = time.Minute // without a commit for so long, gates that deliver nothing are the county's problem
	clocksApart = time.Minute
	fewClocks   = 3 // so many gates whose clocks differ may mean this one
)

// post posts a trouble of the desk, or with an empty text that it does not hold.
func (d *Desk) post(now time.Time, kind fact.TroubleKind, problem bool, text string) {
	if text == "" {
		d.opts.Health.Clear(part, kind)
		return
	}
	t := wire.Trouble{Kind: kind, Text: text}
	if problem {
		t = health.Problem(kind, now, text)
	}
	d.opts.Health.Set(part, t)
}

// judge posts what the desk finds: how it follows the store, and what gates say.
func (d *Desk) judge(now time.Time, agents []presence.Agent) {
	state := d.followers.loop.State()
	d.post(now, fact.TroubleDeskFault, true, state.Fault)
	behind := ""
	if state.Catching {
		behind = "the desk is catching up with the store"
	}
	d.post(now, fact.TroubleDeskBehind, false, behind)
	announced := ""
	if c := d.followers.presence.Collector(); c != nil {
		announced = c.Fault
	}
	d.post(now, fact.TroubleStoreRefuses, true, announced)
	refused := ""
	if n, _ := d.followers.refused.Lost(); n > 0 {
		refused = fmt.Sprintf("%d messages are in quarantine", n)
	}
	d.post(now, fact.TroubleQuarantine, false, refused)
	d.judgeGates(now, state.Stored, agents)
}

// judgeGates posts what the heartbeats of gates say.
func (d *Desk) judgeGates(now, stored time.Time, agents []presence.Agent) {
	var silent, online, delivering int
	var held, clocks []string
	for _, a := range agents {
		if a.State == fact.Silent || a.State == fact.Offline {
			silent++
		}
		if !a.Online() {
			continue
		}
		online++
		why := a.Stopped()
		switch {
		case why != "":
			held = append(held, a.Agent+" ("+string(why)+")")
		case a.Backlog != nil && *a.Backlog > 0:
			delivering++
		}
		if a.Skew.Abs() >= clocksApart {
			clocks = append(clocks, fmt.Sprintf("%s (%+.0f s)", a.Agent, a.Skew.Seconds()))
		}
	}
	silence, arrives, some, clock := "", "", "", ""
	if silent > 0 {
		silence = fmt.Sprintf("%d gates are silent", silent)
	}
	switch {
	case len(held) == 0:
	case delivering == 0 && now.Sub(stored) >= quietFor:
		arrives = fmt.Sprintf("%d gates live, and nothing of them is stored: may the collector receive their "+
			"records and hellos at the broker? %s", len(held), few(held))
	default:
		some = fmt.Sprintf("%d gates can't deliver: %s", len(held), few(held))
	}
	switch {
	case len(clocks) >= fewClocks && 2*len(clocks) > online:
		clock = fmt.Sprintf("the clocks of %d of %d gates differ from this one's: set this computer's clock "+
			"(timedatectl; chronyc tracking): %s", len(clocks), online, few(clocks))
	case len(clocks) > 0:
		clock = "clocks that differ from this one's, set them: " + few(clocks)
	}
	d.post(now, fact.TroubleGatesSilent, false, silence)
	d.post(now, fact.TroubleNothingArrives, true, arrives)
	d.post(now, fact.TroubleGatesHeldUp, false, some)
	d.post(now, fact.TroubleClock, false, clock)
}

// few returns the first names of a list.
func few(list []string) string {
	const most = 5
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}

// Ready implements probe.Prober: the centre is ready when it receives what comes,
// stores it and shows it.
func (d *Desk) Ready() (r probe.Ready) {
	for _, t := range d.opts.Health.Troubles() {
		r.Add(t)
	}
	return r
}

// worst returns the text of the first problem of a list, or "".
func worst(list []wire.Trouble) string {
	if len(list) > 0 && list[0].Problem {
		return list[0].Text
	}
	return ""
}
