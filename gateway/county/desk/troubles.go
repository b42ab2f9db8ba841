package desk

import (
	"fmt"
	"slices"
	"strconv"
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
	quietFor    = time.Minute // all gates deliver nothing for so long: it is the county's problem
	clocksApart = time.Minute
	fewClocks   = 3 // so many gates whose clocks differ may mean this one
	fewSilent   = 3 // so many gates, and no other, that are silent may mean this side
)

// judge posts what the desk finds: how it follows the store, and what gates say.
func (d *Desk) judge(now time.Time, agents []presence.Agent) {
	state := d.followers.loop.State()
	f := findings{now: now, began: d.centre.began, stopped: d.centre.stopped}
	if state.Fault != "" {
		f.add(fact.TroubleDeskFault, true, "the desk can't take in what is stored, look at the disk, the log, and "+
			"other programs that keep desk.db open: "+state.Fault, "desk-fault", "why", state.Fault)
	}
	if state.Catching {
		f.add(fact.TroubleDeskBehind, false, "the desk is catching up with the store", "desk-behind")
	}
	if c := d.followers.presence.Collector(); c != nil {
		if f.refused = c.Fault != ""; f.refused {
			f.add(fact.TroubleStoreRefuses, true, c.Fault, "store-refuses.county", "why", c.Fault)
		}
	}
	if n, _ := d.followers.refused.Lost(); n > 0 {
		f.add(fact.TroubleQuarantine, false, fmt.Sprintf("%d messages are in quarantine", n), "quarantine",
			"n", strconv.Itoa(n))
	}
	if who := d.followers.refused.Agents(); len(who) > 0 {
		f.add(fact.TroubleAgentsRefused, false, "messages are refused of "+few(who), "agents-refused",
			"agents", few(who))
	}
	f.gates(agents)
	f.rules(d.rules.Load())
	f.identities(d.centre.identities.Load())
	f.upgrades(d.Versions.Now())
	d.centre.stopped = f.stopped
	d.post(f.list)
}

// judged are the kinds that judge may find.
var judged = []fact.TroubleKind{fact.TroubleDeskFault, fact.TroubleDeskBehind, fact.TroubleStoreRefuses,
	fact.TroubleQuarantine, fact.TroubleAgentsRefused, fact.TroubleGatesSilent, fact.TroubleNothingArrives,
	fact.TroubleGatesHeldUp, fact.TroubleClock, fact.TroubleRulesBehind,
	fact.TroubleIdentities, fact.TroubleUpgradeStopped}

// post posts what was found, and that nothing else of the desk's kinds holds.
func (d *Desk) post(found []wire.Trouble) {
	for _, kind := range judged {
		i := slices.IndexFunc(found, func(t wire.Trouble) bool { return t.Kind == kind })
		if i < 0 {
			d.opts.Health.Clear(part, kind)
			continue
		}
		d.opts.Health.Set(part, found[i])
	}
}

// findings is what is found at one look.
type findings struct {
	now, began time.Time // began: when the desk began to listen
	stopped    time.Time // since when no gate at all delivers; zero: one does, or none lives
	refused    bool      // the collector says that its store takes nothing
	list       []wire.Trouble
}

// add adds a trouble with its advice; see wire.Trouble.Advise.
func (f *findings) add(kind fact.TroubleKind, problem bool, text, advice string, with ...string) {
	t := wire.Trouble{Kind: kind, Text: text}
	if problem {
		t = health.Problem(kind, f.now, text)
	}
	f.list = append(f.list, t.Advise(advice, with...))
}

// gates finds what the heartbeats of gates say.
func (f *findings) gates(agents []presence.Agent) {
	var online, silent, never, stopped int
	var held, clocks []string
	for _, a := range agents {
		switch {
		case a.State == fact.Never:
			never++
		case !a.Online():
			silent++
		default:
			online++
			why := a.Stopped()
			if ours(why) {
				stopped++
			}
			if why != "" && (!f.refused || why != fact.TroubleStoreRefuses) { // told by the collector
				held = append(held, a.Agent+" ("+string(why)+")")
			}
			if a.Skew.Abs() >= clocksApart {
				clocks = append(clocks, fmt.Sprintf("%s (%+.0f s)", a.Agent, a.Skew.Seconds()))
			}
		}
	}
	f.silence(online, silent, never)
	f.held(held, online > 0 && stopped == online)
	switch {
	case len(clocks) >= fewClocks && 2*len(clocks) > online:
		f.add(fact.TroubleClock, false, fmt.Sprintf("the clocks of %d of %d gates differ from this one's: "+
			"set this computer's clock (timedatectl; chronyc tracking): %s", len(clocks), online, few(clocks)),
			"clock-off.here", "n", strconv.Itoa(len(clocks)), "of", strconv.Itoa(online), "gates", few(clocks))
	case len(clocks) > 0:
		f.add(fact.TroubleClock, false, "clocks that differ from this one's, set them: "+few(clocks),
			"clock-off.gates", "gates", few(clocks))
	}
}

// ours reports whether a gate that is stopped for this reason says something about
// the county's side when all others are, too.
func ours(why fact.TroubleKind) bool {
	switch why {
	case fact.TroubleNoCollector, fact.TroubleNoAnswer, fact.TroubleNotAcknowledged, fact.TroubleStoreRefuses:
		return true
	}
	return false
}

// silence finds what gates say that are not heard.
func (f *findings) silence(online, silent, never int) {
	const allowed = "may the collector and its desk receive …/+/status and …/+/beat at the broker?"
	switch {
	case online == 0 && silent >= fewSilent:
		f.add(fact.TroubleNothingArrives, true, fmt.Sprintf("none of the %d gates that were here is heard: "+
			"is it the right broker, and does their network reach it? Else %s", silent, allowed),
			"nothing-arrives.unheard", "n", strconv.Itoa(silent))
	case silent > 0:
		f.add(fact.TroubleGatesSilent, false, many(silent, "is", "are")+" silent: look at the network and power",
			"gates-silent", "n", strconv.Itoa(silent))
	case online == 0 && never > 0 && f.now.Sub(f.began) >= quietFor:
		f.add(fact.TroubleGatesSilent, false, fmt.Sprintf("none of the %d gates of the site file has ever been heard: "+
			"have their agents been started, with this county and broker? Else %s", never, allowed),
			"gates-silent.never", "n", strconv.Itoa(never))
	}
}

// held finds what it means that gates deliver nothing; all: none of those that live
// does, for reasons that are the county's.
func (f *findings) held(gates []string, all bool) {
	switch {
	case !all:
		f.stopped = time.Time{}
	case f.stopped.IsZero():
		f.stopped = f.now
	}
	switch {
	case len(gates) == 0:
	case all && f.now.Sub(f.stopped) >= quietFor:
		f.add(fact.TroubleNothingArrives, true, fmt.Sprintf("%d gates live, and nothing of them is stored: may the "+
			"collector receive …/+/records and …/+/hello at the broker, and publish …/collector/status and …/+/ack? %s",
			len(gates), few(gates)), "nothing-arrives", "n", strconv.Itoa(len(gates)), "gates", few(gates))
	default:
		f.add(fact.TroubleGatesHeldUp, false, many(len(gates), "", "")+" can't deliver: "+few(gates),
			"gates-held-up", "n", strconv.Itoa(len(gates)), "gates", few(gates))
	}
}

// many returns how many gates, with the verb.
func many(n int, one, more string) string {
	if n == 1 {
		return strings.TrimSpace("1 gate " + one)
	}
	return strings.TrimSpace(fmt.Sprintf("%d gates %s", n, more))
}

// few returns the first names of a list.
func few(list []string) string {
	const most = 5
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(", … +%d", len(list)-most)
	}
	return strings.Join(list, ", ")
}

// Ready implements probe.Prober: the centre is ready when it receives what comes,
// stores it and shows it.
func (d *Desk) Ready() (r probe.Ready) {
	r.Info = map[string]string{"store": d.opts.Store}
	if keeps := d.opts.Keeps(); keeps != "" {
		r.Info["keeps"] = keeps
	}
	if at := d.opts.Backup(); !at.IsZero() {
		r.Info["backup"] = at.UTC().Format(time.RFC3339)
	}
	for _, t := range d.opts.Health.Troubles(d.opts.Now()) {
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
