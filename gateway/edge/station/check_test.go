package station

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// step takes a step of a field check.
func (g *rig) step(do honesty.CheckDo, value fact.Temp) error {
	g.wait(10)
	return g.st.checkStep(g.h.now, honesty.CheckStep{Device: "thermometer", Do: do, Value: value})
}

// stand lets somebody be measured during a check.
func (g *rig) stand(screening fact.Temp) {
	g.wait(10)
	x := g.measured(screening)
	seq := g.st.keep(g.h.now, x)
	in := g.in["thermometer"]
	g.st.learn(in, x.Temperature)
	g.st.checkReading(g.h.now, in, seq, x.Temperature)
	g.st.apply(g.h.now, time.Time{}, g.st.gate.Observe(g.h.now, seq, *x))
}

// check lets people from 36.0 °C on be checked, of whom the thermometer reads off too much.
func (g *rig) check(people int, off fact.Temp) {
	g.t.Helper()
	for i := range fact.Temp(people) {
		g.stand(3600 + 5*i + off)
		if err := g.step(honesty.CheckContact, 3600+5*i); err != nil {
			g.t.Fatal(err)
		}
	}
}

// holds returns what is posted about the thermometer.
func (g *rig) holds(t fact.AlarmType) string { return g.board.Conditions()[t.ID("thermometer")].Detail }

// checks returns the field checks in the journal: state, pairs and result.
func (g *rig) checks() (out []string) {
	for _, body := range g.bodies() {
		if c, is := body.(*wire.FieldCheck); is {
			s := fmt.Sprintf("%s %d", c.State, len(c.Pairs))
			if r := c.Result; r != nil {
				s += fmt.Sprintf(" mean %s spread %s offset %s->%s passed=%v %v due %s", r.Mean, r.Spread, c.Offset,
					r.Proposed, r.Passed, r.Faults, r.Due.Format(time.DateTime))
			}
			out = append(out, s)
		}
	}
	return out
}

func TestAFieldCheckProposesTheOffset(t *testing.T) {
	g := newRig(t)
	if err := g.step(honesty.CheckBegin, 0); err != nil {
		t.Fatal(err)
	}
	g.check(4, -30)
	g.restart() // it goes on
	g.check(6, -30)
	got := g.checks()
	want := "done 10 mean -0.30 spread 0.00 offset 3.20->3.50 passed=true [] due 2020-02-28 06:00:10"
	if len(got) != 11 || got[0] != "open 0" || got[4] != "open 4" || got[10] != want {
		t.Errorf("%q, want the last %q", got, want)
	}
	if c := g.board.Snapshot().Checks; len(c) != 1 || c[0].State != fact.CheckDone {
		t.Errorf("the screen has %+v", c)
	}
	if err := g.step(honesty.CheckEnd, 0); err != nil || g.board.Snapshot().Checks != nil {
		t.Errorf("after the guard has read it: %+v, %v", g.board.Snapshot().Checks, err)
	}
	if len(g.passages) != 1 || g.holds(fact.AlarmDeviceDoubtful) != "" {
		t.Errorf("people who are checked have passed, or it is doubtful: %q", g.passages)
	}
	g.observe(g.tapped(cardA))
	if g.observe(g.measured(3650)); !strings.HasPrefix(g.last(), "pass [normal]") {
		t.Error(g.last())
	}
}

func TestDuringACheckNobodyPassesByTheThermometer(t *testing.T) {
	g := newRig(t)
	g.observe(g.tapped(cardA))
	if err := g.step(honesty.CheckBegin, 0); err != nil || !strings.Contains(g.last(), "retest [under-check]") {
		t.Fatalf("%s, %v", g.last(), err)
	}
	g.stand(3650)
	g.observe(g.tapped(cardB))
	if !strings.Contains(g.last(), "retest [under-check]") {
		t.Error(g.last())
	}
	of := g.st.recent[len(g.st.recent)-1].passage.Readings
	if err := g.st.enter(g.h.now, "", contact(36_60, of...)); err != nil || !strings.HasPrefix(g.last(), "pass") {
		t.Errorf("a value by hand: %s, %v", g.last(), err)
	}
	g.stand(3840)
	if !strings.HasPrefix(g.last(), "fever") {
		t.Errorf("a fever: %s", g.last())
	}
	if err := g.step(honesty.CheckEnd, 0); err != nil {
		t.Error(err)
	}
	if got := g.checks(); !reflect.DeepEqual(got, []string{"open 0", "given-up 0"}) {
		t.Errorf("%q", got)
	}
}

func TestWhatIsNoStepOfACheck(t *testing.T) {
	g := newRig(t)
	expect := func(do honesty.CheckDo, value fact.Temp, want error) {
		t.Helper()
		if err := g.step(do, value); !errors.Is(err, want) || err == nil {
			t.Errorf("%s %s: %v, want %v", do, value, err, want)
		}
	}
	expect(honesty.CheckContact, 3650, honesty.ErrNoCheck)
	expect(honesty.CheckAgain, 0, honesty.ErrNoCheck)
	g.fail("thermometer", devices.ErrGone, "unplugged")
	expect(honesty.CheckBegin, 0, honesty.ErrCheckFault)
	g.restart()
	if err := g.step(honesty.CheckBegin, 0); err != nil {
		t.Fatal(err)
	}
	expect(honesty.CheckBegin, 0, honesty.ErrCheckIsOn)
	expect(honesty.CheckContact, 3650, honesty.ErrCheckEmpty)
	expect("dance", 0, honesty.ErrCheckStep)
	g.stand(3650)
	if err := g.step(honesty.CheckContact, 6380); err == nil || !strings.Contains(err.Error(), "63.80") {
		t.Errorf("63.8 is taken: %v", err)
	}
	if err := g.step(honesty.CheckAgain, 0); err != nil {
		t.Error(err)
	}
	expect(honesty.CheckContact, 3650, honesty.ErrCheckEmpty)
	if err := g.st.checkStep(g.h.now, honesty.CheckStep{Device: "reader", Do: honesty.CheckBegin}); err == nil {
		t.Error("a reader is checked")
	}
	if got := g.checks(); !reflect.DeepEqual(got, []string{"open 0"}) {
		t.Errorf("%q", got)
	}
}

// What does not count for a check is said on the screen.
func TestAMeasurementThatDoesNotCountIsNoPair(t *testing.T) {
	g := newRig(t)
	_ = g.step(honesty.CheckBegin, 0)
	for want, change := range map[fact.Reason]func(*wire.Temperature){
		fact.ReasonAmbientLow:    func(x *wire.Temperature) { x.Ambient = 1599 },
		fact.ReasonAmbientHigh:   func(x *wire.Temperature) { x.Ambient = 3501 },
		fact.ReasonHotBackground: func(x *wire.Temperature) { x.Hot = true },
		fact.ReasonUnsettled:     func(x *wire.Temperature) { x.Settled = false },
		"":                       func(*wire.Temperature) {},
	} {
		x := g.measured(3650)
		change(x.Temperature)
		g.st.checkReading(g.h.now, g.in["thermometer"], 1, x.Temperature)
		c := g.board.Snapshot().Checks[0]
		if c.Problem != want || (c.Screening != nil) != (want == "") {
			t.Errorf("%q: %+v", want, c)
		}
	}
}

// A fever that the contact thermometer shows is one, though it was found in a check.
func TestAFeverThatIsFoundInACheckIsAnAlarm(t *testing.T) {
	g := newRig(t)
	_ = g.step(honesty.CheckBegin, 0)
	g.stand(3650)
	if err := g.step(honesty.CheckContact, 3840); err != nil {
		t.Fatal(err)
	}
	if got := g.alarms(0); !strings.Contains(got, "fever") || len(g.checks()) != 2 {
		t.Errorf("alarms %q, checks %q", got, g.checks())
	}
}

func TestACheckThatNobodyGoesOnWithIsGivenUpAloud(t *testing.T) {
	g := newRig(t)
	_ = g.step(honesty.CheckBegin, 0)
	g.check(3, 0)
	g.wait(checkPatience.Seconds())
	g.st.watchChecks(g.h.now)
	if got := g.checks(); len(got) != 4 {
		t.Errorf("too early: %q", got)
	}
	g.st.watchChecks(g.h.now.Add(time.Second))
	if g.st.publish(); g.board.Snapshot().Checks[0].State != fact.CheckGivenUp {
		t.Errorf("%+v", g.board.Snapshot().Checks)
	}
	if got := g.checks(); got[len(got)-1] != "given-up 3" {
		t.Errorf("%q", got)
	}
	g.wait(1 + checkShown.Seconds())
	if g.st.watchChecks(g.h.now.Add(time.Second)); g.in["thermometer"].check.ended != nil {
		t.Error("it is shown for ever")
	}
}

// A thermometer that is off is doubtful until the proposed offset is set, or it passes.
func TestAFailedCheckMakesItDoubtful(t *testing.T) {
	g := newRig(t)
	_ = g.step(honesty.CheckBegin, 0)
	g.check(10, -60)
	doubt := func() string { g.rec.Turn(g.h.now); return g.holds(fact.AlarmDeviceDoubtful) }
	if got := doubt(); !strings.Contains(got, "set offset_c to 3.80") {
		t.Errorf("%q", got)
	}
	g.restart()
	if got := doubt(); !strings.Contains(got, "set offset_c to 3.80") {
		t.Errorf("after a restart: %q", got)
	}
	g.offset = 380
	g.restart()
	if got := doubt(); got != "" {
		t.Errorf("with the proposed offset: %q", got)
	}
	g.offset = 0
	g.restart()
	_ = g.step(honesty.CheckBegin, 0)
	g.check(10, 10)
	if got := doubt(); got != "" {
		t.Errorf("after it has passed: %q", got)
	}
}

func TestAnOverdueCheckIsAnAlarm(t *testing.T) {
	due := func(g *rig) string {
		g.st.watchChecks(g.h.now)
		return g.holds(fact.AlarmCheckDue)
	}
	g := newRig(t)
	if got := due(g); got != "" {
		t.Errorf("no rule asks for a check: %q", got)
	}
	r := *g.rules
	r.Thermometers.Check = &policy.FieldChecks{Every: 48 * time.Hour}
	g.restartWith(&r)
	if got := due(g); !strings.Contains(got, "never") {
		t.Errorf("never checked: %q", got)
	}
	_ = g.step(honesty.CheckBegin, 0)
	if got := due(g); got != "" {
		t.Errorf("it is being checked: %q", got)
	}
	g.check(10, 0)
	g.wait(47 * 3600)
	if got := due(g); got != "" {
		t.Errorf("two hours before: %q", got)
	}
	g.wait(2 * 3600)
	g.restart()
	if got := due(g); !strings.Contains(got, "of 2020-02-14 is overdue since 2020-02-16") {
		t.Errorf("an hour after: %q", got)
	}
}
