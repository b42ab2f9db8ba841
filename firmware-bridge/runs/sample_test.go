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
