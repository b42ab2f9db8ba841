package bench

import (
	"testing"
	"time"
)

const (
	cardA = "62E3086CED" // a resident
	cardB = "62E3086CEE" // another resident
)

func TestTwoPeopleCannotSwapTemperatures(t *testing.T) {
	t.Parallel()
	r := newGateRig(t)
	r.measure(3660)
	r.measure(3840)
	r.tap(cardA)
	time.Sleep(400 * time.Millisecond) // two people one after the other
	r.tap(cardB)
	r.expect("", "retest one-at-a-time nobody 36.60", "fever fever+one-at-a-time nobody 38.40",
		"retest one-at-a-time resident", "retest one-at-a-time resident")
	if n := r.alarms(); n != 1 {
		t.Errorf("%d fever alarms, want one", n)
	}
}

func TestASinglePersonIsPromptedAndPasses(t *testing.T) {
	t.Parallel()
	r := newGateRig(t)
	r.tap(cardA)
	r.measure(3660)
	r.expect("temperature>", "pass normal resident 36.60")
	r.measure(3670)
	r.tap(cardB)
	r.expect("card>", "pass normal resident 36.70")
	r.tap(cardA)
	r.awaitPrompts("temperature")
	r.clock.pass(3 * time.Second) // within the pairing window of 4 s
	r.measure(3650)
	r.expect("temperature>", "pass normal resident 36.50")
}

func TestAnUnknownPersonsFeverIsNotPairedWithTheNextCard(t *testing.T) {
	t.Parallel()
	r := newGateRig(t)
	r.measure(3840)
	r.expect("", "fever fever nobody 38.40")
	r.clock.pass(4 * time.Second) // no answer from the guard; the pairing window of the fever ends
	r.tap(cardA)
	r.measure(3660)
	r.expect("temperature>", "pass normal resident 36.60")
	r.measure(3840)
	r.expect("", "fever fever nobody 38.40")
	r.answer()
	r.tap(cardA)
	r.measure(3660)
	r.expect("", "pass normal resident 36.60")
}

func TestABrokenDeviceIsNotPromptedFor(t *testing.T) {
	t.Parallel()
	r := newGateRig(t)
	if err := r.hw.Unplug("reader"); err != nil {
		t.Fatal(err)
	}
	r.awaitDevice("reader", false)
	r.measure(3660)
	r.expect("", "refuse no-reader nobody 36.60")
	if err := r.hw.Plug("reader"); err != nil {
		t.Fatal(err)
	}
	r.hw.SetFault(FaultSilent)
	r.awaitDevice("thermometer", false) // after 5 s of silence
	r.awaitDevice("reader", true)
	r.tap(cardA)
	r.expect("", "retest no-thermometer resident")
}

func TestAVisitSurvivesARestart(t *testing.T) {
	t.Parallel()
	r := newGateRig(t)
	r.tap(cardA)
	time.Sleep(500 * time.Millisecond) // the agent reads the card
	r.stop()
	r.start()
	r.seeBackground()
	r.measure(3660)
	r.expect("", "pass normal resident 36.60")
	r.measure(3840)
	r.expect("", "fever fever nobody 38.40")
	r.stop()
	r.start()
	r.seeBackground()
	r.tap(cardB) // the fever's visit is still open, and is reported once
	r.expect("", "fever fever resident 38.40")
}
