package sense

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/devices"
)

// frame is what a reader or scanner sends, and whether it is a new tap.
type frame struct {
	ms   int
	code string
	want bool
}

func listed(code string) bool { return code != "X" && code != "Y" }

func observe(t *testing.T, f *Taps, repeats bool, frames []frame) {
	t.Helper()
	for i, c := range frames {
		at := t0.Add(time.Duration(c.ms) * time.Millisecond)
		if got := f.Observe(devices.Tap{At: at, Code: c.code, Repeats: repeats}); got != c.want {
			t.Errorf("frame %d (%s at %d ms) is a new tap: %v", i, c.code, c.ms, got)
		}
	}
}

func TestRepeatsOfACardThatStaysAreOneTap(t *testing.T) {
	observe(t, NewTaps(listed), true, []frame{{0, "A", true}, {65, "A", false}, {130, "A", false}, {429, "A", false},
		{729, "A", true}, {760, "B", true}, {800, "A", false}, {1099, "A", false}, {1399, "A", true}})
}

func TestACardThatNobodyKnowsCountsWhenItComesAgain(t *testing.T) {
	for name, frames := range map[string][]frame{
		"once":               {{0, "X", false}},
		"at once":            {{0, "X", false}, {65, "X", true}, {130, "X", false}, {195, "X", false}},
		"just in time":       {{0, "X", false}, {150, "X", true}},
		"too late":           {{0, "X", false}, {151, "X", false}, {301, "X", true}},
		"far too late":       {{0, "X", false}, {300, "X", false}, {600, "X", false}},
		"between two others": {{0, "X", false}, {30, "A", true}, {65, "X", true}},
		"two disturbances":   {{0, "X", false}, {65, "Y", false}, {130, "X", true}},
		"one of the roster":  {{0, "A", true}, {65, "A", false}},
		"tapped again":       {{0, "X", false}, {65, "X", true}, {365, "X", false}, {430, "X", true}},
	} {
		t.Run(name, func(t *testing.T) { observe(t, NewTaps(listed), true, frames) })
	}
}

func TestAReaderThatSendsACardOnceIsBelieved(t *testing.T) {
	observe(t, NewTaps(listed), false, []frame{{0, "X", true}, {65, "X", false}, {365, "X", true}})
}

func TestACodeThatIsHeldBeforeAScannerIsOneTap(t *testing.T) {
	observe(t, NewScans(), false, []frame{{0, "A", true}, {600, "A", false}, {3000, "A", false}, {5999, "A", false},
		{8999, "A", true}, {9100, "B", true}, {9200, "A", false}, {9300, "B", false}, {12299, "B", false},
		{12300, "A", true}})
}

func TestTheCodesThatAreNearAreBounded(t *testing.T) {
	f := NewScans()
	for i := range tapsKept + 1 {
		observe(t, f, false, []frame{{i, fmt.Sprint(i), true}})
	}
	if len(f.near) != tapsKept {
		t.Fatalf("%d codes are kept", len(f.near))
	}
	observe(t, f, false, []frame{{20, "1", false}, {21, "0", true}})
}

// However cards come and go: a tap is told once while the card stays, and one that the
// roster lists with its first frame.
func TestEveryListedCardIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, at := NewTaps(listed), t0
		last := map[string]time.Time{}
		for range rapid.IntRange(1, 60).Draw(t, "frames") {
			at = at.Add(time.Duration(rapid.IntRange(1, 700).Draw(t, "ms")) * time.Millisecond)
			code := rapid.SampledFrom([]string{"A", "B", "C", "X"}).Draw(t, "code")
			came, seen := last[code]
			fresh := !seen || at.Sub(came) >= awayAfter
			got := f.Observe(devices.Tap{At: at, Code: code, Repeats: true})
			if code == "X" && got && fresh || code != "X" && got != fresh {
				t.Fatalf("%s after %s: %v", code, at.Sub(came), got)
			}
			last[code] = at
		}
	})
}
