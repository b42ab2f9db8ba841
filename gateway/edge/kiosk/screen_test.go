package kiosk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)

// at is a moment so many seconds after the start.
func at(s float64) clock.Moment {
	d := time.Duration(s * float64(time.Second))
	return clock.Moment{Wall: t0.Add(d), Boot: time.Hour + d}
}

func passage(v fact.Verdict, reason fact.Reason, readings ...uint64) wire.Passage {
	p := wire.Passage{Verdict: v, Reasons: []fact.Reason{reason}, Readings: readings, Instruction: fact.InstructTurnAway}
	if v != fact.VerdictRefuse {
		p.Temperature = &wire.Temperature{Screening: 3650}
	}
	return p
}

var (
	pass    = passage(fact.VerdictPass, "normal", 1)
	fever   = passage(fact.VerdictFever, "fever", 2)
	cold    = passage(fact.VerdictInvalid, "too-cold", 3)
	unknown = passage(fact.VerdictRefuse, fact.ReasonUnknownCard, 4)
	sealed  = passage(fact.VerdictRefuse, fact.ReasonSealed, 5)
	lost    = passage(fact.VerdictRefuse, fact.ReasonLostCard, 6)
	again   = passage(fact.VerdictRetest, "unsettled", 7)
)

func amends(p wire.Passage, seq uint64) wire.Passage {
	p.Amends, p.Readings = true, append([]uint64{seq}, p.Readings...)
	return p
}

func linked(linked bool, states ...fact.DeviceState) status.Snapshot {
	s := status.Snapshot{Linked: linked}
	for i, name := range []string{"thermometer", "reader"} {
		state := fact.DeviceOK
		if i < len(states) {
			state = states[i]
		}
		kind := devices.KindThermometer
		if i == 1 {
			kind = devices.KindCardReader
		}
		s.Devices = append(s.Devices, status.Device{Name: name, Kind: kind, State: state})
	}
	return s
}

// scene is a script of what happens at a gate.
type scene struct {
	s   *Screen
	now float64
	seq uint64
}

func newScene() *scene { return &scene{s: NewScreen(), seq: 100} }

func (x *scene) wait(s float64) *scene { x.now += s; return x }
func (x *scene) see(p wire.Passage) *scene {
	x.seq++
	x.s.Passage(at(x.now), at(x.now), x.seq, p)
	return x
}
func (x *scene) status(s status.Snapshot) *scene { x.s.Status(at(x.now), s); return x }
func (x *scene) press(action string) *scene {
	v := x.s.View(at(x.now))
	if audit, ok := x.s.Press(at(x.now), v.ID, action); ok {
		x.s.Settle(at(x.now), v.ID, audit)
	}
	return x
}

// ask lets the gate ask for something for so many seconds; people stand at the
// thermometers of the lanes measuring.
func (x *scene) ask(wants gate.Wants, s float64, measuring ...string) *scene {
	st := linked(true)
	st.Measuring = measuring
	st.Prompts = []gate.Prompt{{Wants: wants, Since: at(x.now), Until: at(x.now + s).Boot, Reading: x.seq}}
	return x.status(st)
}

// brief is what the guard sees, in short.
func (x *scene) brief() string {
	v := x.s.View(at(x.now))
	left := func(until *time.Time) string {
		if until == nil {
			return ""
		}
		return " " + until.Sub(at(x.now).Wall).String()
	}
	out := string(v.Look) + left(v.Until)
	if v.Waiting > 0 {
		out += fmt.Sprintf(" +%d", v.Waiting)
	}
	if v.Sound != "" {
		out += " ♪" + v.Sound
	}
	for _, s := range v.Strips {
		out += " =" + string(s.Look) + left(s.Until)
	}
	if v.Muted != nil {
		out += " muted"
	}
	return out
}

func TestWhatTheGuardSees(t *testing.T) {
	for name, c := range map[string]struct {
		scene *scene
		want  string
	}{
		"nobody":                                  {newScene(), "idle"},
		"somebody is being measured":              {newScene().status(status.Snapshot{Linked: true, Gate: status.Gate{Measuring: []string{""}}}), "measuring"},
		"a pass":                                  {newScene().see(pass), "pass ♪pass"},
		"a pass, later":                           {newScene().see(pass).wait(3), "idle"},
		"too cold to judge":                       {newScene().see(cold), "invalid ♪amber"},
		"too cold, later":                         {newScene().see(cold).wait(6), "idle"},
		"measure again":                           {newScene().see(again), "retest ♪amber"},
		"a lost card":                             {newScene().see(lost), "refuse ♪amber"},
		"a fever":                                 {newScene().see(fever), "fever ♪fever"},
		"a fever stays":                           {newScene().see(fever).wait(3600), "fever ♪fever"},
		"a fever, answered":                       {newScene().see(fever).press(ActionCallDoctor), "idle"},
		"a fever, another's button":               {newScene().see(fever).press(ActionIDChecked), "fever ♪fever"},
		"a pass does not hide a fever":            {newScene().see(fever).see(pass), "fever ♪fever"},
		"a fever comes before a stranger":         {newScene().see(unknown).see(fever), "fever +1 ♪fever"},
		"the stranger still waits":                {newScene().see(unknown).see(fever).press(ActionIsolate), "unknown ♪unknown"},
		"a stranger does not hide a fever":        {newScene().see(fever).see(unknown), "fever +1 ♪fever"},
		"two fevers":                              {newScene().see(fever).see(passage(fact.VerdictFever, "fever", 9)), "fever +1 ♪fever"},
		"one of two fevers answered":              {newScene().see(fever).see(passage(fact.VerdictFever, "fever", 9)).press(ActionRetest), "fever ♪fever"},
		"a sealed household":                      {newScene().see(sealed), "sealed ♪sealed"},
		"a fever's card comes later":              {newScene().see(fever).see(amends(fever, 8)), "fever ♪fever"},
		"a stranger measured later":               {newScene().see(unknown).see(amends(unknown, 8)), "unknown ♪unknown"},
		"a stranger with fever":                   {newScene().see(unknown).see(amends(fever, 4)), "fever ♪fever"},
		"dealt with, and then amended":            {newScene().see(unknown).press(ActionTurnedAway).see(amends(unknown, 8)), "idle"},
		"dealt with, and then worse":              {newScene().see(unknown).press(ActionTurnedAway).see(amends(fever, 4)), "fever ♪fever"},
		"a broken thermometer":                    {newScene().status(linked(true, "fault")), "fault ♪fault"},
		"a broken thermometer, noted":             {newScene().status(linked(true, "fault")).press(ActionNoted), "idle =fault"},
		"noted, and still broken":                 {newScene().status(linked(true, "fault")).press(ActionNoted).status(linked(true, "gone")), "idle =fault"},
		"a mended thermometer":                    {newScene().status(linked(true, "fault")).press(ActionNoted).status(linked(true)), "idle"},
		"mended before it was noted":              {newScene().status(linked(true, "gone")).status(linked(true)), "idle"},
		"both devices":                            {newScene().status(linked(true, "fault", "gone")), "fault +1 ♪fault"},
		"a fever while the reader is broken":      {newScene().status(linked(true, "ok", "gone")).see(fever), "fever +1 ♪fever"},
		"records can't be kept":                   {newScene().status(status.Snapshot{Linked: true, Unkept: "disk full"}), "fault ♪fault"},
		"the county is away for a moment":         {newScene().status(linked(false)).wait(9).status(linked(false)), "idle"},
		"the county is away":                      {newScene().status(linked(false)).wait(10).status(linked(false)), "offline ♪offline"},
		"away, noted":                             {newScene().status(linked(false)).wait(10).status(linked(false)).press(ActionNoted), "idle =offline"},
		"back again":                              {newScene().status(linked(false)).wait(10).status(linked(false)).press(ActionNoted).status(linked(true)), "idle"},
		"people pass while the county is away":    {newScene().status(linked(false)).wait(10).status(linked(false)).see(pass), "pass +1 ♪pass"},
		"a card was tapped":                       {newScene().ask(gate.WantsTemperature, 8), "tapped 8s ♪prompt"},
		"a card was tapped, a little later":       {newScene().ask(gate.WantsTemperature, 8).wait(5), "tapped 3s ♪prompt"},
		"a card was tapped after a pass":          {newScene().see(pass).ask(gate.WantsTemperature, 8), "tapped 8s ♪prompt"},
		"tapped, and time ran out":                {newScene().ask(gate.WantsTemperature, 8).wait(8), "idle"},
		"tapped, and measuring":                   {newScene().ask(gate.WantsTemperature, 8, ""), "measuring"},
		"measured, and measuring":                 {newScene().ask(gate.WantsCard, 8, ""), "measured 8s ♪prompt"},
		"refused, and the visit goes on":          {newScene().see(lost).ask(gate.WantsNothing, 8).wait(7), "refuse ♪amber"},
		"turned away, and no green comes back":    {newScene().see(pass).wait(0.5).see(unknown).wait(1).press(ActionTurnedAway), "idle"},
		"no pass of an hour ago comes back":       {newScene().see(pass).wait(3600).see(fever).ask(gate.WantsNothing, 8).wait(1).press(ActionIsolate), "idle"},
		"two in the lane":                         {newScene().see(again).ask(gate.WantsApart, 8, ""), "apart 8s ♪amber"},
		"a fever in a mixed lane":                 {newScene().see(fever).ask(gate.WantsApart, 8), "fever ♪fever =apart 8s"},
		"a card while a fever waits":              {newScene().see(fever).ask(gate.WantsTemperature, 8), "fever ♪fever =tapped 8s"},
		"silence":                                 {newScene().press(ActionMute), "idle muted"},
		"silence does not hide":                   {newScene().press(ActionMute).see(pass), "pass muted"},
		"a new alarm ends the silence":            {newScene().press(ActionMute).see(fever), "fever ♪fever"},
		"silence ends":                            {newScene().press(ActionMute).wait(120), "idle"},
		"silenced while a fever waits":            {newScene().see(fever).press(ActionMute), "fever muted"},
		"the silence over, the fever still there": {newScene().see(fever).press(ActionMute).wait(121), "fever ♪fever"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.scene.brief(); got != c.want {
				t.Errorf("the guard sees %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnswersNameWhatTheyAnswer(t *testing.T) {
	x := newScene().see(fever)
	id := x.s.View(at(0)).ID
	a, ok := x.s.Press(at(0), id, ActionIsolate)
	if want := (wire.Audit{Actor: "guard", Action: ActionIsolate, Passage: 101, Alarm: "fever:101"}); !ok || a != want {
		t.Errorf("%+v, %v", a, ok)
	}
	x.see(amends(fever, 8)) // its card: the alarm is still the one of the first passage
	a, ok = x.s.Press(at(0), id, ActionIsolate)
	if want := (wire.Audit{Actor: "guard", Action: ActionIsolate, Passage: 102, Alarm: "fever:101"}); !ok || a != want {
		t.Errorf("%+v, %v", a, ok)
	}
	if _, ok := x.s.Press(at(0), "p7", ActionIsolate); ok {
		t.Error("an answer to what is not shown is taken")
	}
	x = newScene().status(linked(true, "gone"))
	a, ok = x.s.Press(at(0), "f-thermometer", ActionNoted)
	if want := (wire.Audit{Actor: "guard", Action: ActionNoted, Alarm: "device-gone:thermometer"}); !ok || a != want {
		t.Errorf("%+v, %v", a, ok)
	}
}

func TestTheLastFivePeople(t *testing.T) {
	x := newScene()
	for i := range uint64(7) {
		x.see(passage(fact.VerdictPass, "normal", 50+i))
	}
	x.see(amends(fever, 56)) // the seventh, after all
	got := x.s.Recent(at(x.now))
	if len(got) != 5 || got[0].Look != LookFever || got[1].Look != LookPass || got[1].Seq != 106 {
		t.Errorf("recent %+v", got)
	}
}

// After a restart the screen shows what the journal holds: whoever was not
// dealt with is there again, who was is not, and nobody of an hour ago.
func TestARestartForgetsNobody(t *testing.T) {
	s := NewScreen()
	s.Status(at(0), linked(true))
	s.Earlier(at(0), at(-3600), 10, passage(fact.VerdictFever, "fever", 1), false)
	s.Earlier(at(0), at(-60), 11, passage(fact.VerdictFever, "fever", 2), true)
	s.Earlier(at(0), at(-50), 12, passage(fact.VerdictFever, "fever", 3), false)
	s.Earlier(at(0), at(-1), 13, passage(fact.VerdictPass, "normal", 4), false)
	if v := s.View(at(0)); v.Look != LookFever || v.ID != "p12" || v.Waiting != 0 {
		t.Errorf("the screen shows %+v", v)
	}
	if r := s.Recent(at(0)); len(r) != 4 {
		t.Errorf("recent %+v", r)
	}
}

// The guard answered an amendment: what it amends is answered too.
func TestAnAnsweredAmendmentStaysAnswered(t *testing.T) {
	for name, answered := range map[string]int{"the amendment was answered": 118, "what it amends was answered": 116} {
		s := NewScreen()
		s.Status(at(0), linked(true))
		s.Earlier(at(0), at(-20), 116, unknown, answered == 116)
		s.Earlier(at(0), at(-18), 118, amends(unknown, 117), answered == 118)
		if v := s.View(at(0)); v.Look != LookIdle || v.Waiting != 0 {
			t.Errorf("%s: the screen shows %s", name, v.Look)
		}
	}
}

// After a start with the clock behind, nobody knows how long ago the last
// verdicts were: an old pass is not shown, an unanswered red is.
func TestAStartWithTheClockBehind(t *testing.T) {
	s := NewScreen()
	s.Status(at(0), linked(true))
	s.Earlier(at(0), clock.Moment{}, 12, pass, false)
	s.Earlier(at(0), clock.Moment{}, 13, cold, false)
	if v := s.View(at(1)); v.Look != LookIdle {
		t.Errorf("the screen shows %s", v.Look)
	}
	s.Earlier(at(0), clock.Moment{}, 14, fever, false)
	if v := s.View(at(3600)); v.Look != LookFever || v.Since != nil {
		t.Errorf("the screen shows %s since %v", v.Look, v.Since)
	}
	for _, p := range s.Recent(at(0)) {
		if p.At != nil {
			t.Errorf("%d was at %s", p.Seq, p.At)
		}
	}
}

// The clock is set while the agent runs, hours back or from 1970: ages are those
// of the boot clock.
func TestTheClockIsSet(t *testing.T) {
	for name, wall := range map[string]time.Time{"back": t0.Add(-2 * time.Hour), "forth": t0.Add(50 * 365 * 24 * time.Hour)} {
		x := newScene().see(pass).ask(gate.WantsTemperature, 90)
		now := clock.Moment{Wall: wall, Boot: at(60).Boot}
		if r := x.s.Recent(now); now.Wall.Sub(*r[0].At) != time.Minute {
			t.Errorf("%s: the pass of a minute ago was at %s, it is %s", name, r[0].At, now.Wall)
		}
		if v := x.s.View(now); v.Until.Sub(now.Wall) != 30*time.Second || now.Wall.Sub(*v.Since) != time.Minute {
			t.Errorf("%s: asked since %s until %s, it is %s", name, v.Since, v.Until, now.Wall)
		}
	}
}

// Who stands at the thermometer since before the tap is measured again only when
// they step back, and the screen says so.
func TestWhoStandsThereMustStepBack(t *testing.T) {
	st := linked(true)
	st.Prompts = []gate.Prompt{{Wants: gate.WantsTemperature, Since: at(0), Until: at(8).Boot, Reading: 1}}
	x := newScene().status(st)
	if v := x.s.View(at(0)); v.Look != LookTapped || v.Occupied {
		t.Errorf("the screen shows %+v", v)
	}
	st.Measured = []string{""}
	if v := x.status(st).s.View(at(0)); v.Look != LookTapped || !v.Occupied {
		t.Errorf("the screen shows %+v", v)
	}
}

// A fever that rises while the guard's answer is being kept is not answered.
func TestAnAnswerIsToWhatWasSeen(t *testing.T) {
	x := newScene().see(fever)
	id := x.s.View(at(0)).ID
	audit, ok := x.s.Press(at(0), id, ActionIsolate)
	x.see(amends(fever, 8))
	x.s.Settle(at(0), id, audit)
	if got := x.brief(); !ok || got != "fever ♪fever" {
		t.Errorf("the guard sees %s", got)
	}
}

// An idle gate asks for what its devices can take.
func TestAnIdleGateAsksForWhatWorks(t *testing.T) {
	exit := status.Device{Name: "exit", Lane: "out", Kind: devices.KindCardReader, State: "ok"}
	for name, c := range map[string]struct {
		devices []status.Device
		want    string
	}{
		"all works":               {linked(true).Devices, "both"},
		"the reader is gone":      {linked(true, "ok", "gone").Devices, "temperature"},
		"the thermometer is gone": {linked(true, "gone").Devices, "by-hand"},
		"both are":                {linked(true, "gone", "fault").Devices, "nothing"},
		"nobody is measured here": {[]status.Device{exit}, "card"},
		"no lane can measure":     {append(linked(true, "gone").Devices, exit), "by-hand"},
	} {
		x := newScene().status(status.Snapshot{Linked: true, Gate: status.Gate{Devices: c.devices}})
		if got := x.s.asks(); got != c.want {
			t.Errorf("%s: it asks for %q, want %q", name, got, c.want)
		}
	}
}

// Two lanes have one screen: what is newer fills it, what is asked in the other
// lane is a line over it.
func TestTwoLanes(t *testing.T) {
	in, out := pass, pass
	in.Lane, out.Lane = "in", "out"
	st := linked(true)
	st.Lanes = []string{"in", "out"}
	x := newScene().status(st).see(in)
	if v := x.s.View(at(0)); v.Look != LookPass || v.Lane != "in" {
		t.Errorf("the screen shows %s in %s", v.Look, v.Lane)
	}
	st.Prompts = []gate.Prompt{{Lane: "in", Wants: gate.WantsCard, Since: at(1), Until: at(9).Boot, Reading: 7}}
	x.wait(1).status(st)
	if v := x.s.View(at(1)); v.Look != LookMeasured || v.Lane != "in" || len(v.Strips) != 0 {
		t.Errorf("the screen shows %+v", v)
	}
	refused := lost
	refused.Lane = "out"
	if v := x.see(refused).s.View(at(1)); v.Look != LookRefuse || len(v.Strips) != 1 || v.Strips[0].Look != LookMeasured {
		t.Errorf("a refusal in one lane: %+v", v)
	}
	x.wait(1).see(out)
	v := x.s.View(at(2))
	if v.Look != LookPass || v.Lane != "out" || len(v.Strips) != 1 || v.Strips[0].Look != LookMeasured || v.Strips[0].Lane != "in" {
		t.Errorf("the screen shows %+v", v)
	}
	if v := x.s.View(at(6)); v.Look != LookMeasured || v.Lane != "in" {
		t.Errorf("later the screen shows %s in %s", v.Look, v.Lane)
	}
}

func TestLampsShowTheWorst(t *testing.T) {
	st := linked(false, "ok", "fault")
	st.Devices = append(st.Devices, status.Device{Name: "scanner", Kind: devices.KindScanner, State: "gone"})
	st.Pending = 12
	x := newScene().status(st)
	if got, want := x.s.Lamps(), (Lamps{Thermometer: "ok", Reader: "gone", Pending: 12, Kept: true}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Whatever happens: an unanswered fever is on the screen or counted, nothing
// calmer covers it, and what is urgent sounds unless it was silenced.
func TestNoFeverIsEverForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newScene()
		open := map[string]bool{} // ids of unanswered fevers
		reading := uint64(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			x.wait(rapid.Float64Range(0, 20).Draw(t, "gap"))
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0, 1:
				reading++
				p := rapid.SampledFrom([]wire.Passage{pass, cold, unknown, sealed, lost, again}).Draw(t, "passage")
				p.Readings = []uint64{reading}
				x.see(p)
			case 2:
				reading++
				x.see(passage(fact.VerdictFever, "fever", reading))
				open["p"+itoa(x.seq)] = true
			case 3:
				state := rapid.SampledFrom([]fact.DeviceState{fact.DeviceOK, fact.DeviceFault, fact.DeviceGone}).Draw(t, "state")
				x.status(linked(rapid.Bool().Draw(t, "linked"), state))
			case 4:
				x.press(ActionMute)
			default:
				v := x.s.View(at(x.now))
				if len(v.Actions) > 0 && v.Look != LookIdle {
					x.press(v.Actions[0])
					delete(open, v.ID)
				}
			}
			v := x.s.View(at(x.now))
			switch {
			case len(open) > 0 && v.Look != LookFever:
				t.Fatalf("%d fevers wait and the screen shows %s", len(open), x.brief())
			case len(open) > 0 && v.Waiting < len(open)-1:
				t.Fatalf("%d fevers wait: %s", len(open), x.brief())
			case len(open) > 0 && v.Sound == "" && v.Muted == nil:
				t.Fatalf("silent: %s", x.brief())
			case len(open) == 0 && v.Look == LookFever:
				t.Fatalf("a fever that was answered is there again: %s", x.brief())
			case x.s.Urgent(at(x.now)) && strings.Contains("idle pass measuring", string(v.Look)):
				t.Fatalf("urgent: %s", x.brief())
			}
		}
	})
}
