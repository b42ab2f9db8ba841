package runs

import (
	"math"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

func TestImpossibleValuesAreTakenAway(t *testing.T) {
	for name, v := range map[string]fact.Values{
		"latitude 91":          {Lat: new(91.0), Lon: new(115.0)},
		"not a number":         {Lat: new(math.NaN()), Lon: new(115.0)},
		"0, 0":                 {Lat: new(0.0), Lon: new(0.0)},
		"half a position":      {Lat: new(35.0)},
		"tank of 300 %":        {Tank: new(300.0)},
		"negative flow":        {Flow: new(-1.0)},
		"flow is not a number": {Flow: new(math.NaN())},
		"infinite volume":      {Volume: new(math.Inf(1))},
	} {
		s := Sample{Values: v}
		if bad := s.Clean(); len(bad) != 1 || !s.Empty() {
			t.Errorf("%s: %v leaves %+v", name, bad, s)
		}
	}
	s := Sample{Values: fact.Values{Lat: new(35.9), Lon: new(115.1), Flow: new(0.0), Tank: new(100.0)}}
	if bad := s.Clean(); bad != nil || s.Flow == nil || s.Lat == nil {
		t.Errorf("good values: %v", bad)
	}
}

func TestAPositionIsCheckedAtTheEdgesOfTheEarth(t *testing.T) {
	for _, c := range []struct {
		lat, lon float64
		good     bool
	}{
		{90, 180, true}, {-90, -180, true}, {90.0001, 0, false}, {-90.0001, 0, false},
		{35, 180.0001, false}, {35, -180.0001, false}, {35, math.NaN(), false},
		{0, 1e-4, true}, {1e-4, 0, true}, {-1e-4, 0.99e-4, true}, {0.99e-4, -0.99e-4, false},
	} {
		if err := CheckFix(c.lat, c.lon); (err == nil) != c.good {
			t.Errorf("%g, %g: %v", c.lat, c.lon, err)
		}
	}
}

func TestAFuserForgetsWhatIsOld(t *testing.T) {
	var f Fuser
	f.Take(Sample{T: time.Hour, Values: fact.Values{Flow: new(3.0), Lat: new(35.9), Lon: new(115.1)}})
	f.Take(Sample{T: time.Hour + 3*time.Second, Values: fact.Values{Tank: new(80.0)}})
	s, ok := f.Sample(noon, time.Hour+4*time.Second)
	if !ok || *s.Flow != 3 || *s.Tank != 80 || s.Lat == nil {
		t.Errorf("%+v", s)
	}
	if _, ok := f.Sample(noon, time.Hour+5*time.Second); ok {
		t.Error("nothing came, and it has a sample")
	}
	f.Take(Sample{T: time.Hour + 6*time.Second, Values: fact.Values{Tank: new(79.0)}})
	if s, _ := f.Sample(noon, time.Hour+6*time.Second); s.Flow != nil || s.Lat != nil || *s.Tank != 79 {
		t.Errorf("old values stay: %+v", s)
	}
}

// Numbers, flags and faults are the present ones for 5 s.
func TestHowLongAValueIsFresh(t *testing.T) {
	for after, fresh := range map[time.Duration]bool{FreshFor: true, FreshFor + 1: false} {
		var f Fuser
		f.Take(Sample{T: time.Hour, Values: fact.Values{Flow: new(3.0), Armed: new(true), Fault: "E1"}})
		f.Take(Sample{T: time.Hour + after, Values: fact.Values{Tank: new(80.0)}})
		s, ok := f.Sample(noon, time.Hour+after)
		if !ok || (s.Flow != nil) != fresh || (s.Armed != nil) != fresh || (s.Fault == "E1") != fresh || *s.Tank != 80 {
			t.Errorf("after %s: %+v", after, s)
		}
	}
	f := Fuser{Fresh: time.Second}
	f.Take(Sample{T: time.Hour, Values: fact.Values{Fault: "E1"}})
	f.Take(Sample{T: time.Hour, Values: fact.Values{Flow: new(1.0)}})
	if s, ok := f.Sample(noon, time.Hour+time.Second); !ok || s.Fault != "E1" {
		t.Errorf("%+v", s)
	}
}

func TestAValueThatIsLostIsNotThePresentOne(t *testing.T) {
	var f Fuser
	f.Take(Sample{T: time.Hour, Values: fact.Values{Flow: new(3.0), Volume: new(7.0), Tank: new(80.0)}})
	bad := Sample{T: time.Hour + time.Second, Values: fact.Values{Flow: new(math.NaN()), Tank: new(79.0)}}
	if errs := bad.Clean(); len(errs) != 1 || len(bad.Lost) != 1 || bad.Lost[0] != fact.FieldFlow {
		t.Fatalf("%v, lost %v", errs, bad.Lost)
	}
	f.Take(bad)
	if s, ok := f.Sample(noon, bad.T); !ok || s.Flow != nil || *s.Tank != 79 || *s.Volume != 7 {
		t.Errorf("%+v", s)
	}
	f.Take(Sample{T: bad.T + time.Second, Lost: []string{fact.FieldTank}})
	if s, ok := f.Sample(noon, bad.T+time.Second); ok {
		t.Errorf("nothing is known, and there is %+v", s)
	}
	f.Take(Sample{T: bad.T + time.Second, Values: fact.Values{Flow: new(2.0)}, Lost: []string{fact.FieldFlow}})
	if s, _ := f.Sample(noon, bad.T+time.Second); s.Flow == nil || *s.Flow != 2 {
		t.Errorf("a value that came is lost: %+v", s)
	}
}

func TestACommandHoldsWithoutBeingRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		holds, after time.Duration
		then         fact.Values // a second before
		command      string
	}{
		"fresh":             {0, 5 * time.Second, fact.Values{}, "true"},
		"old":               {0, 5*time.Second + 1, fact.Values{}, "?"},
		"held":              {time.Minute, time.Minute, fact.Values{}, "true"},
		"held for too long": {time.Minute, time.Minute + 1, fact.Values{}, "?"},
		"less than fresh":   {time.Second, 5 * time.Second, fact.Values{}, "true"},
		"its opposite":      {time.Minute, 20 * time.Second, fact.Values{Command: new(false)}, "false"},
		"disarmed":          {time.Minute, 20 * time.Second, fact.Values{Armed: new(false)}, "?"},
		"armed":             {time.Minute, 20 * time.Second, fact.Values{Armed: new(true)}, "true"},
		"disarmed, and told to": {time.Minute, 20 * time.Second,
			fact.Values{Armed: new(false), Command: new(true)}, "true"},
		"disarmed, does not hold": {0, 5 * time.Second, fact.Values{Armed: new(false)}, "true"},
	} {
		f := Fuser{Holds: c.holds}
		f.Take(Sample{T: time.Hour, Values: fact.Values{Command: new(true), Armed: new(true)}})
		f.Take(Sample{T: time.Hour + c.after - time.Second, Values: c.then})
		f.Take(Sample{T: time.Hour + c.after, Values: fact.Values{Tank: new(50.0)}})
		s, _ := f.Sample(noon, time.Hour+c.after)
		got := "?"
		if s.Command != nil {
			got = map[bool]string{true: "true", false: "false"}[*s.Command]
		}
		if got != c.command {
			t.Errorf("%s: %s, want %s", name, got, c.command)
		}
	}
}
