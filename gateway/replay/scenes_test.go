package replay_test

import (
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// moreRules draws what a policy says besides limits and classes.
func moreRules(t *rapid.T) (more string) {
	for _, choices := range [][]string{
		{"", "unsynchronised: own-clock\n"},
		{"", "lost: {pass: identify}\n", "sealed: {in: allow}\n"},
		{"", "episode: {wait: 1m, expires: 10m, second: any}\n", "episode: {wait: 1m, expires: 10m}\n",
			"episode: {wait: 1m, expires: 10m, second: contact}\n"},
		{"", "baseline: {readings: 20, window: 21, spreads: 1.5, spread_min_c: 0.05}\n"},
		{"", "overrides: {verdicts: [refuse, retest, invalid, pass], reasons: [{code: known}, " +
			"{code: medical, emergency: true}]}\n"},
	} {
		more += rapid.SampledFrom(choices).Draw(t, "more")
	}
	return more
}

// history records what the thermometers have read before, so that what is usual is known.
func (a *agent) history() {
	if a.rules.Baseline == nil {
		return
	}
	for _, lane := range []string{"north", "south"} {
		b := &wire.Baseline{Device: "thermometer " + lane, Ambient: 2000}
		for i := range fact.Temp(21) {
			b.Values = append(b.Values, 3640+i)
		}
		a.append(b)
	}
	a.start(false)
}

// scene lets something happen at a gate.
func (a *agent) scene(t *rapid.T) {
	a.keepUsual()
	lane := rapid.SampledFrom([]string{"north", "south"}).Draw(t, "lane")
	switch rapid.SampledFrom([]string{"tap", "tap", "tap", "measure", "measure", "measure", "goods", "wait", "works",
		"answer", "enter", "retest", "override", "doubt", "check", "sync", "start", "boot", "cut"}).Draw(t, "what") {
	case "tap", "goods":
		if rapid.IntRange(0, 7).Draw(t, "goods") == 0 {
			lane = "goods"
		}
		card := rapid.SampledFrom([]string{"A1", "A2", "B1", "C1", "D1", "E1", "F1", "77"}).Draw(t, "card")
		way := rapid.SampledFrom([]fact.Direction{fact.DirectionIn, fact.DirectionOut}).Draw(t, "way")
		a.read(wire.Reading{Device: "reader " + lane, Type: fact.ReadingCard, Lane: lane, Direction: way,
			Credential: "card/" + card})
	case "measure":
		value := rapid.SampledFrom([]fact.Temp{3650, 3650, 3660, 3729, 3730, 3810, 3400}).Draw(t, "value")
		ambient := rapid.SampledFrom([]fact.Temp{2000, 2000, 1500, 3600}).Draw(t, "ambient")
		took := time.Duration(rapid.IntRange(0, 5000).Draw(t, "took")) * time.Millisecond
		a.measure(lane, value, ambient, took, rapid.IntRange(0, 5).Draw(t, "settled") > 0,
			rapid.IntRange(0, 5).Draw(t, "supersedes") == 0)
	case "wait":
		a.pass(time.Duration(rapid.SampledFrom([]int{1, 500, 8000, 61_000, 3600_000, 20 * 3600_000}).
			Draw(t, "ms")) * time.Millisecond)
	case "works":
		device := rapid.SampledFrom([]string{"thermometer ", "reader "}).Draw(t, "device") + lane
		a.works(device, rapid.Bool().Draw(t, "works"))
	case "answer":
		if r, p := a.last(); p != nil {
			a.append(&wire.Audit{Actor: "guard", Action: "noted", Passage: r.Seq})
			a.gate.Answered(p.Readings)
		}
	case "enter":
		a.enter(rapid.SampledFrom([]fact.Temp{3650, 3800, 3450}).Draw(t, "entered"))
	case "retest":
		a.retest(t, lane)
	case "override":
		a.override(rapid.SampledFrom([]string{"known", "medical"}).Draw(t, "why"))
	case "doubt":
		a.doubt("thermometer "+lane, rapid.Bool().Draw(t, "doubted"))
	case "check":
		a.check("thermometer "+lane, rapid.SampledFrom([]fact.CheckState{fact.CheckOpen, fact.CheckDone,
			fact.CheckGivenUp}).Draw(t, "state"))
	case "sync":
		a.unsync = rapid.IntRange(0, 2).Draw(t, "unsync") == 0
		a.gate.SetSynchronised(a.now, !a.unsync)
	case "start":
		a.start(false)
	case "boot":
		a.start(true)
	case "cut": // what was decided last did not get onto the disk
		if n := len(a.journal); a.journal[n-1].Kind == wire.KindPassage {
			a.journal = a.journal[:n-1]
		}
		a.start(rapid.Bool().Draw(t, "computer"))
	}
	a.pass(time.Duration(rapid.SampledFrom([]int{1, 300, 2000, 7999, 12_000}).Draw(t, "then")) * time.Millisecond)
}

// enter enters a value for the person of the newest passage, if that is possible.
func (a *agent) enter(value fact.Temp) {
	_, p := a.last()
	if p == nil || a.gate.Enterable(a.now, p.Lane, p.Readings) != nil {
		return
	}
	a.read(wire.Reading{Device: "contact", Type: fact.ReadingEntered, Lane: p.Lane,
		Entered: &wire.Entered{Value: value, With: fact.HandHeldContact, Of: p.Readings}})
}

// keepUsual records what is usual at the gate, where that is due.
func (a *agent) keepUsual() {
	for _, b := range a.gate.Baselines(a.now) {
		a.append(b)
	}
}

// retest lets the guard pick somebody with a fever episode to be measured again.
func (a *agent) retest(t *rapid.T, lane string) {
	all := a.gate.Episodes()
	if len(all) == 0 {
		return
	}
	id := rapid.SampledFrom(all).Draw(t, "episode").ID
	if a.gate.Retestable(a.now, lane, id) == nil {
		a.append(&wire.Audit{Actor: "guard", Action: "retest-now", Lane: lane, Episode: id})
		_ = a.gate.Retest(a.now, lane, id) // Retestable says that it can be
	}
}

// override decides against the newest passage, if the policy lets a guard do so.
func (a *agent) override(reason string) {
	r, p := a.last()
	if p == nil || a.now.Wall.Sub(r.At.Time) > 10*time.Minute {
		return
	}
	e, err := a.gate.Override(a.now, *p, "guard", reason)
	if err == nil {
		a.append(&e.Passage)
		a.append(&wire.Audit{Actor: "guard", Action: "let-pass", Passage: r.Seq, Reason: reason})
		a.gate.Answered(p.Readings)
	}
}

// doubt records that a thermometer is doubtful, or no longer.
func (a *agent) doubt(device string, doubted bool) {
	state := fact.AlarmCleared
	if doubted {
		state = fact.AlarmRaised
	}
	a.append(&wire.Alarm{ID: fact.AlarmDeviceDoubtful.ID(device), Type: fact.AlarmDeviceDoubtful, Device: device,
		State: state})
	a.gate.SetDoubted(device, doubted)
	a.keepUsual()
}

// check records a step of a field check.
func (a *agent) check(device string, state fact.CheckState) {
	a.append(&wire.FieldCheck{Device: device, Began: wire.At(a.now.Wall), State: state})
	a.keep(a.gate.SetChecked(device, state == fact.CheckOpen), 0)
}
