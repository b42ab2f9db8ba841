package policy

import (
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/baseline"
	"gatehouse/gateway/fact"
)

// The limits of the limits: the first value that is taken and the last that is not.
func TestTheEdgesOfThePolicysLimits(t *testing.T) {
	_, example := example(t)
	for name, c := range map[string]struct {
		fever, invalid fact.Temp
		pairing        time.Duration
		want           string // in the error; empty: none
	}{
		"the lowest fever":          {3600, 3500, time.Second, ""},
		"a lower one":               {3599, 3500, time.Second, "fever_c 35.99"},
		"the highest fever":         {4200, 3500, time.Second, ""},
		"a higher one":              {4201, 3500, time.Second, "fever_c 42.01"},
		"the lowest to be invalid":  {3730, 3000, time.Second, ""},
		"lower":                     {3730, 2999, time.Second, "invalid_below_c 29.99"},
		"the highest to be invalid": {3730, 3650, time.Second, ""},
		"higher":                    {3730, 3651, time.Second, "invalid_below_c 36.51"},
		"just below the fever":      {3640, 3639, time.Second, ""},
		"as high as the fever":      {3640, 3640, time.Second, "below fever_c"},
		"the shortest pairing":      {3730, 3500, time.Second, ""},
		"a shorter one":             {3730, 3500, time.Second - 1, "pairing 999.999999ms"},
		"the longest pairing":       {3730, 3500, time.Minute, ""},
		"a longer one":              {3730, 3500, time.Minute + 1, "pairing 1m0.000000001s"},
	} {
		p := example
		p.Limits = Limits{Fever: c.fever, InvalidBelow: c.invalid, Pairing: c.pairing}
		if err := p.check(nil); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	example.Classes = nil
	if err := example.check(nil); err == nil || !strings.Contains(err.Error(), "none are given") {
		t.Errorf("no classes: %v", err)
	}
}

// Ten faults of a roster are listed, and no more; a row with too few fields is one, an
// open quote is the last.
func TestTheFaultsOfARosterAreCounted(t *testing.T) {
	_, p := example(t)
	head := strings.Join(columns, ",") + "\n"
	for name, c := range map[string]struct {
		rows string
		want int
	}{
		"nine":            {strings.Repeat("x,resident,active,,,\n", 9), 9},
		"ten":             {strings.Repeat("x,resident,active,,,\n", 10), 10},
		"eleven":          {strings.Repeat("x,resident,active,,,\n", 11), 10},
		"rows of a field": {"x\nx\n62E3086CED,resident,active,,,\nx\n", 3},
		"an open quote":   {"x\n\"62E3086CED,resident,active,,,\nx\nx\n", 2},
	} {
		_, err := ParseRoster(p, strings.NewReader(head+c.rows), plain{})
		if err == nil || strings.Count(err.Error(), "\n")+1 != c.want {
			t.Errorf("%s: %v, want %d lines", name, err, c.want)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	if _, err := Load(t.TempDir() + "/policy.yaml"); err == nil {
		t.Error("a policy that is not there")
	}
	_, p := example(t)
	if _, err := LoadRules(p, t.TempDir()+"/roster.csv", plain{}); err == nil ||
		!strings.Contains(err.Error(), "open the roster") {
		t.Errorf("a roster that is not there: %v", err)
	}
	_, err := LoadRules(p, "../../deploy/policy.example.yaml", plain{})
	if err == nil || !strings.Contains(err.Error(), "roster ../../deploy/policy.example.yaml") {
		t.Errorf("a roster that is none: %v", err)
	}
	if p, err = Load("../../deploy/policy.example.yaml"); err != nil || p.Version != "2020-02-14.1" {
		t.Errorf("the example: %+v, %v", p, err)
	}
}

func TestWhatIsAskedOfThermometersIsChecked(t *testing.T) {
	_, p := example(t)
	if p.CheckEvery() != DefaultCheckEvery || p.check(nil) != nil {
		t.Errorf("a check every %s", p.CheckEvery())
	}
	for _, c := range []struct {
		set  Thermometers
		want string // in the error; empty: none
	}{
		{Thermometers{Baseline: &baseline.Rules{}, Check: &FieldChecks{}}, ""},
		{Thermometers{Check: &FieldChecks{Every: 24 * time.Hour}}, ""},
		{Thermometers{Check: &FieldChecks{Every: 24*time.Hour - 1}}, "check.every 23h59m59.999999999s"},
		{Thermometers{Check: &FieldChecks{Every: 90 * 24 * time.Hour}}, ""},
		{Thermometers{Check: &FieldChecks{Every: 90*24*time.Hour + 1}}, "check.every 2160h0m0.000000001s"},
		{Thermometers{Baseline: &baseline.Rules{Readings: 5}}, "baseline: readings 5"},
	} {
		p.Thermometers = c.set
		if err := p.check(nil); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.set, err, c.want)
		}
	}
	p.Thermometers, p.Episode = Thermometers{Baseline: &baseline.Rules{}}, nil
	if r := (&Rules{Policy: p}); r.Reach() != 10*time.Minute {
		t.Errorf("the past counts for %s", r.Reach())
	}
}
