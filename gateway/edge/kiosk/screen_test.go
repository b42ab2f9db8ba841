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
	if v := s.View(at(0)); v.Look != LookFever || v.ID != "p12" || waiting(v) != 0 {
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
		if v := s.View(at(0)); v.Look != LookIdle || waiting(v) != 0 {
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
	for name, wall := range map[string]time.Time{"back": t0.Add(-2 * time.Hour),
		"forth": t0.Add(50 * 365 * 24 * time.Hour)} {
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
		x := newScene().status(status.Snapshot{Delivery: well, Gate: status.Gate{Devices: c.devices}})
		if got := x.s.asks(); got != c.want {
			t.Errorf("%s: it asks for %q, want %q", name, got, c.want)
		}
	}
}

// Of several readers or thermometers some may work: the idle gate says which.
func TestAnIdleGateSaysWhatPartOfItWorks(t *testing.T) {
	reader := func(name string, d fact.Direction, state fact.DeviceState) status.Device {
		return status.Device{Name: name, Direction: d, Kind: devices.KindCardReader, State: state}
	}
	in, out := reader("in", "in", "ok"), reader("out", "out", "ok")
	gone := reader("in", "in", fact.DeviceGone)
	scanner := status.Device{Name: "scanner", Direction: "in", Kind: devices.KindScanner, State: "ok"}
	therm := linked(true).Devices[0]
	east, west := therm, therm
	east.Name, east.Lane, west.Name, west.Lane = "te", "east", "tw", "west"
	west.State = fact.DeviceFault
	for name, c := range map[string]struct {
		devices []status.Device
		want    string
	}{
		"all work":               {[]status.Device{therm, in, out}, ""},
		"none works":             {[]status.Device{therm, gone}, ""},
		"one reader":             {[]status.Device{therm, gone, out}, "card in false, card out true"},
		"only the scanner works": {[]status.Device{therm, gone, scanner}, "card in false, code in true"},
		"one of two lanes":       {[]status.Device{east, west, in}, "temperature east true, temperature west false"},
		"readers first":          {[]status.Device{east, west, gone, out}, "card in false, card out true"},
	} {
		st := status.Snapshot{Delivery: well, Gate: status.Gate{Devices: c.devices}}
		if len(c.devices) > 0 && c.devices[0].Lane != "" {
			st.Lanes = []string{"east", "west"}
		}
		x := newScene().status(st)
		var got []string
		for _, p := range x.s.partly() {
			got = append(got, fmt.Sprintf("%s %s%s %t", p.Kind, p.Lane, p.Direction, p.Works))
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
		if v := x.s.View(at(0)); v.Look != LookIdle && v.Partly != nil {
			t.Errorf("%s: %s says %v", name, v.Look, v.Partly)
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
	if v := x.see(refused).s.View(at(1)); v.Look != LookRefuse || len(v.Strips) != 1 ||
		v.Strips[0].Look != LookMeasured {
		t.Errorf("a refusal in one lane: %+v", v)
	}
	x.wait(1).see(out)
	v := x.s.View(at(2))
	if v.Look != LookPass || v.Lane != "out" || len(v.Strips) != 1 || v.Strips[0].Look != LookMeasured ||
		v.Strips[0].Lane != "in" {
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
				state := rapid.SampledFrom([]fact.DeviceState{fact.DeviceOK, fact.DeviceFault,
					fact.DeviceGone}).Draw(t, "state")
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
			case len(open) > 0 && waiting(v) < len(open)-1:
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
