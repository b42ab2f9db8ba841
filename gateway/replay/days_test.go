package replay_test

import (
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/replay"
	"gatehouse/gateway/wire"
)

const everyRule = "episode: {wait: 1m, expires: 2h, second: any}\n" +
	"baseline: {readings: 20, window: 21, spreads: 1.5, spread_min_c: 0.05}\n" +
	"overrides: {verdicts: [refuse, retest, invalid, pass], reasons: [{code: known}]}\n"

func (a *agent) tap(lane, card string) {
	a.read(wire.Reading{Device: "reader " + lane, Type: fact.ReadingCard, Lane: lane, Direction: fact.DirectionOut,
		Credential: "card/" + card})
}

// aDay is what happens at a gate, and what is decided last.
type aDay struct {
	day  func(a *agent)
	want string
}

// days are those that random ones seldom have.
var days = map[string]aDay{
	"a picked person, a restart, and the second measurement": {func(a *agent) {
		a.measure("north", 3840, 2000, time.Second, true, false)
		a.pass(5 * time.Minute)
		a.pick("south")
		a.pass(20 * time.Second)
		a.start(false)
		a.measure("south", 3640, 2000, time.Second, true, false)
		a.pass(20 * time.Second)
	}, "refuse normal,no-card"},
	"a picked person, and nobody comes": {func(a *agent) {
		a.measure("north", 3840, 2000, time.Second, true, false)
		a.pass(5 * time.Minute)
		a.pick("south")
		a.pass(2 * time.Minute)
		a.start(false)
		a.measure("south", 3640, 2000, time.Second, true, false)
		a.pass(20 * time.Second)
	}, "refuse no-card"},
	"a tap, a restart, and the measurement": {func(a *agent) {
		a.tap("north", "F1")
		a.start(false)
		a.measure("north", 3640, 2000, time.Second, true, false)
		a.pass(20 * time.Second)
	}, "pass normal"},
	"a tap, another boot, and the measurement": {func(a *agent) {
		a.tap("north", "F1")
		a.start(true)
		a.measure("north", 3640, 2000, time.Second, true, false)
		a.pass(20 * time.Second)
	}, "refuse no-card"},
	"let pass, and tapped once more at once": {func(a *agent) {
		a.visit("A1", fact.DirectionOut, 3640)
		a.tap("north", "A2")
		a.pass(20 * time.Second)
		a.override("known")
		a.tap("north", "A2")
		a.pass(20 * time.Second)
		a.tap("goods", "A2")
	}, "refuse quota-used"},
	"let pass, and a restart": {func(a *agent) {
		a.tap("north", "A1")
		a.pass(10 * time.Second)
		a.override("known")
		a.start(false)
		a.pass(time.Minute)
		a.tap("goods", "A2")
	}, "refuse quota-used"},
	"a doubtful thermometer": {func(a *agent) {
		a.doubt("thermometer north", true)
		a.visit("A1", fact.DirectionOut, 3640)
		a.start(false)
		a.visit("A1", fact.DirectionOut, 3640)
	}, "invalid doubtful"},
	"one that was doubtful": {func(a *agent) {
		a.doubt("thermometer north", true)
		a.start(true)
		a.doubt("thermometer north", false)
		a.visit("A1", fact.DirectionOut, 3640)
	}, "pass normal"},
	"a checked thermometer, and a restart": {func(a *agent) {
		a.check("thermometer north", fact.CheckOpen)
		a.start(false)
		a.tap("north", "A1")
	}, "retest under-check"},
	"high after a restart": {func(a *agent) {
		a.visit("A1", fact.DirectionOut, 3640)
		a.start(false)
		a.visit("A1", fact.DirectionIn, 3690)
	}, "retest high-for-gate"},
	"a broken thermometer, and a restart": {func(a *agent) {
		a.works("thermometer north", false)
		a.tap("north", "A1")
		a.start(false)
		a.visit("A1", fact.DirectionOut, 3640)
	}, "pass normal"},
	"an answered fever, a restart, and somebody else": {func(a *agent) {
		a.measure("north", 3840, 2000, time.Second, true, false)
		r, p := a.last()
		a.append(&wire.Audit{Actor: "guard", Action: "noted", Passage: r.Seq})
		a.gate.Answered(p.Readings)
		a.start(false)
		a.tap("north", "A1")
		a.pass(20 * time.Second)
	}, "retest no-temperature"},
}

func TestReplayEqualsRecordOnSuchDays(t *testing.T) {
	for name, c := range days {
		a := newAgent(rules(t, 8*time.Second, "37.3", everyRule))
		a.history()
		c.day(a)
		if _, p := a.last(); p == nil || brief(p) != c.want {
			t.Errorf("%s: %s, want %s\n%s", name, brief(p), c.want, a)
		}
		if got := changes(a.journal, replay.Config{Rules: a.rules, Recorded: true, Lanes: lanes()}); got != nil {
			t.Errorf("%s: %q\n%s", name, got, a)
		}
		// An agent of before, or a journal whose beginning was removed, has no record of the start.
		cut := slices.DeleteFunc(slices.Clone(a.journal), func(r record) bool { return r.Kind == wire.KindClock })
		if got := outcomes(cut, replay.Config{Rules: a.rules, Lanes: lanes()}); len(got) == 0 {
			t.Errorf("%s, without starts: nothing is decided", name)
		}
	}
}

// pick lets the guard pick the oldest fever episode to be measured again.
func (a *agent) pick(lane string) {
	id := a.gate.Episodes()[0].ID
	a.append(&wire.Audit{Actor: "guard", Action: "retest-now", Lane: lane, Episode: id})
	_ = a.gate.Retest(a.now, lane, id) // what it means is seen in what follows
}
