package bench

import (
	"flag"
	"image"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/edge/panel"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

var update = flag.Bool("update", false, "write the pictures of displays anew")

// states are the states of a post, by the names of their pictures.
var states = map[string]func(x *post){
	"idle": func(*post) {},
	"pass": func(x *post) { x.see(fact.VerdictPass, 3650, fact.InstructGo, fact.ReasonNormal) },
	"pass-card-alone": func(x *post) {
		x.see(fact.VerdictPass, 0, fact.InstructGo, fact.ReasonNotMeasured)
	},
	"retest": func(x *post) { x.see(fact.VerdictRetest, 3590, fact.InstructMeasureAgain, fact.ReasonUnsettled) },
	"invalid-cold-skin": func(x *post) {
		x.see(fact.VerdictInvalid, 3310, fact.InstructWarmUp, fact.ReasonTooCold)
	},
	"invalid-cold-air": func(x *post) {
		x.see(fact.VerdictInvalid, 3660, fact.InstructWarmUp, fact.ReasonAmbientLow)
	},
	"invalid-background": func(x *post) {
		x.see(fact.VerdictInvalid, 3660, fact.InstructMeasureAgain, fact.ReasonHotBackground)
	},
	"fever-resident": func(x *post) { x.see(fact.VerdictFever, 3812, fact.InstructGoHome, fact.ReasonFever) },
	// "alone-": without a guard's screen, where nobody could answer
	"alone-fever":   func(x *post) { x.see(fact.VerdictFever, 3812, fact.InstructGoHome, fact.ReasonFever) },
	"fever-visitor": func(x *post) { x.see(fact.VerdictFever, 3812, fact.InstructTurnAway, fact.ReasonFever) },
	"unknown": func(x *post) {
		x.see(fact.VerdictRefuse, 0, fact.InstructCheckID, fact.ReasonUnknownCard)
	},
	"sealed": func(x *post) { x.see(fact.VerdictRefuse, 0, fact.InstructTurnAway, fact.ReasonSealed) },
	"quota":  func(x *post) { x.see(fact.VerdictRefuse, 3650, fact.InstructTurnAway, fact.ReasonQuota) },
	"two-unanswered": func(x *post) {
		x.see(fact.VerdictFever, 3812, fact.InstructGoHome, fact.ReasonFever)
		x.see(fact.VerdictRefuse, 0, fact.InstructCheckID, fact.ReasonUnknownCard)
	},
	"tapped":      func(x *post) { x.ask(gate.WantsTemperature) },
	"measured":    func(x *post) { x.ask(gate.WantsCard) },
	"apart":       func(x *post) { x.ask(gate.WantsApart) },
	"unread":      func(x *post) { x.ask(gate.WantsCode) },
	"measuring":   func(x *post) { x.state.Measuring = []string{""} },
	"thermometer": func(x *post) { x.breakDevice(devices.KindThermometer) },
	"offline": func(x *post) {
		x.state.Delivery.Linked = false
		x.panel.Picture("display")
		x.clock.wait(time.Minute)
	},
}

// What is written to the display is read back from its RAM and compared with a picture
// that somebody has looked at. After a change: go test ./simulator/bench -update, and
// look at the new ones.
func TestADisplayShowsEachStateOfItsPost(t *testing.T) {
	for name, set := range states {
		for _, l := range []panel.Language{panel.Chinese, panel.English} {
			x := newPost(t, l, !strings.HasPrefix(name, "alone-"))
			set(x)
			got := x.shows()
			file := filepath.Join("testdata", "display", name+"."+string(l)+".png")
			if *update {
				write(t, file, got)
				continue
			}
			if want := read(t, file); !same(got, want) {
				seen := filepath.Join(t.ArtifactDir(), filepath.Base(file))
				write(t, seen, got)
				t.Errorf("%s in %s: the display shows another picture: %s", name, l, seen)
			}
		}
	}
}

// Nobody can answer at a post without a guard's screen: the next person's verdict is
// shown, and a red one goes after a minute.
func TestAPostWithoutAScreenIsNotHeldUpByARed(t *testing.T) {
	x := newPost(t, panel.Chinese, false)
	states["alone-fever"](x)
	x.clock.wait(10 * time.Second)
	states["pass"](x)
	if !same(x.shows(), read(t, "testdata/display/pass.zh.png")) {
		t.Error("the next person's verdict is not shown")
	}
	x.clock.wait(4 * time.Second)
	states["alone-fever"](x)
	x.clock.wait(59 * time.Second)
	if !same(x.shows(), read(t, "testdata/display/alone-fever.zh.png")) {
		t.Error("a red verdict goes within a minute")
	}
	x.clock.wait(time.Second)
	if same(x.shows(), read(t, "testdata/display/alone-fever.zh.png")) {
		t.Error("a red verdict stays for more than a minute")
	}
}

// An answer at the guard's screen ends what the display shows.
func TestAnAnswerAtTheScreenCountsForTheDisplay(t *testing.T) {
	x := newPost(t, panel.Chinese, true)
	states["fever-resident"](x)
	x.shows()
	x.panel.Answered(wire.Audit{Action: "isolate", Passage: x.seq})
	if !same(x.shows(), read(t, "testdata/display/idle.zh.png")) {
		t.Error("the answered fever stays")
	}
}

// The driver reports a display that is unplugged, and shows the whole picture when it is
// there again.
func TestADisplayComesBackAfterItWasUnplugged(t *testing.T) {
	x := newPost(t, panel.Chinese, true)
	want := x.shows()
	if err := x.hw.Unplug("display"); err != nil {
		t.Fatal(err)
	}
	states["pass"](x)
	if err := x.display.Draw(x.panel.Picture("display")); err == nil {
		t.Error("a display that is gone takes pictures")
	}
	if same(x.hw.Shown(), want) {
		t.Error("a display without supply shows something")
	}
	if err := x.hw.Plug("display"); err != nil {
		t.Fatal(err)
	}
	if !same(x.shows(), read(t, "testdata/display/pass.zh.png")) {
		t.Error("it does not show the verdict after it came back")
	}
	if err := x.display.Off(); err != nil {
		t.Error(err)
	}
	if same(x.hw.Shown(), read(t, "testdata/display/pass.zh.png")) {
		t.Error("it is lit after it was switched off")
	}
}

// The production agent drives the display: it shows the verdict, its loss is a state of
// the device and holds nobody up, and it comes back by itself.
func TestAnAgentsDisplay(t *testing.T) {
	r := newGateRig(t)
	r.awaitDevice("display", true)
	pass := read(t, "testdata/display/pass.zh.png")
	r.measure(3650)
	r.tap(cardA)
	r.expect("", "pass normal resident 36.50")
	r.awaitShown(pass)
	if err := r.hw.Unplug("display"); err != nil {
		t.Fatal(err)
	}
	r.awaitDevice("display", false)
	r.measure(3650)
	r.tap(cardB)
	r.expect("", "pass normal resident 36.50")
	if err := r.hw.Plug("display"); err != nil {
		t.Fatal(err)
	}
	r.awaitDevice("display", true)
	r.measure(3650)
	r.tap(cardA)
	r.expect("", "pass normal resident 36.50")
	r.awaitShown(pass)
}

// awaitShown waits until the display shows a picture.
func (r *gateRig) awaitShown(want image.Image) {
	r.t.Helper()
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if same(r.hw.Shown(), want) {
			return
		}
	}
	file := filepath.Join(r.t.ArtifactDir(), "shown.png")
	write(r.t, file, r.hw.Shown())
	r.t.Fatalf("the display does not show it within 3 s: %s", file)
}
