package upgrade

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// computer is one on which an upgrade does its work: what is installed, and whether dpkg was
// cut off.
type computer struct{ installed string }

// Whatever fails and whenever the power is cut, an upgrade ends, and its end says truly which
// version is installed; the new one stays only when it was checked.
func TestEveryUpgradeEndsAsItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := computer{"1.0"}
		s := Begin("id", "1.0", "2.0", nil, t0)
		s.Runs = rapid.Bool().Draw(t, "runs")
		checked := false
		for n := 0; !s.Phase.Ended(); n++ {
			if n > mostChange*(mostTries+1) {
				t.Fatalf("no end after %d steps: %+v", n, s)
			}
			before := s.Phase
			s = s.Try(t0)
			if s.Phase != before {
				continue
			}
			result := rapid.SampledFrom([]string{"ok", "fails", "cut", "cut after"}).Draw(t, "result")
			switch {
			case s.Phase == Installing && result != "fails":
				c.installed = "2.0"
			case s.Phase == Installing:
				c.installed = "broken"
			case s.Phase == GoingBack && result != "fails":
				c.installed = "1.0"
			case s.Phase == GoingBack:
				c.installed = "broken"
			}
			switch result {
			case "ok":
				checked = checked || s.Phase == Checking
				s = s.OK(t0)
			case "fails":
				s = s.Failed("it fails", t0)
			}
		}
		want := map[Phase]string{Done: "2.0", Unchanged: "1.0", Back: "1.0"}[s.Phase]
		if want != "" && c.installed != want {
			t.Fatalf("%s, and %s is installed", s.Phase, c.installed)
		}
		if s.Phase == Done && s.Runs != checked {
			t.Fatalf("the new version stays; checked %t, runs %t", checked, s.Runs)
		}
		if s.Phase != Done && s.Why == "" {
			t.Fatalf("%s, and nobody knows why", s.Phase)
		}
		if end := s.OK(t0).Failed("x", t0).Try(t0); end.Phase != s.Phase {
			t.Fatalf("%s becomes %s", s.Phase, end.Phase)
		}
	})
}

func TestThePhasesFollowEachOther(t *testing.T) {
	for _, c := range []struct{ from, ok, failed Phase }{
		{Fetching, Installing, Unchanged},
		{Installing, Checking, GoingBack},
		{Checking, Done, GoingBack},
		{GoingBack, Back, Stuck},
	} {
		s := State{Phase: c.from, Runs: true}
		if got := s.OK(t0).Phase; got != c.ok {
			t.Errorf("%s goes well: %s", c.from, got)
		}
		if got := s.Failed("x", t0); got.Phase != c.failed || got.Why != "x" {
			t.Errorf("%s fails: %+v", c.from, got)
		}
		for range mostTries {
			if s = s.Try(t0); s.Phase != c.from {
				t.Errorf("%s is cut off: %s", c.from, s.Phase)
			}
		}
		if s = s.Try(t0); s.Phase != c.failed {
			t.Errorf("%s is cut off again and again: %s", c.from, s.Phase)
		}
	}
}
