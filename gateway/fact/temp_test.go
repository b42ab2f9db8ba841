package fact

import (
	"encoding/json"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

var temps = map[string]struct {
	text string
	want Temp
	ok   bool
}{
	"one decimal":             {"36.5", 3650, true},
	"two decimals":            {"36.50", 3650, true},
	"zeros that do not count": {"36.500000", 3650, true},
	"no decimals":             {"36", 3600, true},
	"hundredths":              {"37.31", 3731, true},
	"below zero":              {"-12.34", -1234, true},
	"just below zero":         {"-0.01", -1, true},
	"zero":                    {"0", 0, true},
	"minus zero":              {"-0.00", 0, true},
	"upper end":               {"1000", 100000, true},
	"lower end":               {"-1000.00", -100000, true},
	"three decimals":          {"36.505", 0, false},
	"a tiny rest":             {"36.500000001", 0, false},
	"above the range":         {"1000.01", 0, false},
	"below the range":         {"-1000.01", 0, false},
	"enormous":                {"1e400", 0, false},
	"many digits":             {"99999999999999999999999", 0, false},
	"exponent":                {"3.65e1", 0, false},
	"not a number":            {"NaN", 0, false},
	"infinite":                {"Inf", 0, false},
	"hexadecimal":             {"0x24", 0, false},
	"quoted":                  {`"36.5"`, 0, false},
	"null":                    {"null", 0, false},
	"empty":                   {"", 0, false},
	"sign only":               {"-", 0, false},
	"plus":                    {"+36.5", 0, false},
	"point only":              {".", 0, false},
	"no whole part":           {".5", 0, false},
	"no decimals after point": {"36.", 0, false},
	"two points":              {"3.6.5", 0, false},
	"two signs":               {"--36", 0, false},
	"blank":                   {"36 .5", 0, false},
	"underscore":              {"3_6", 0, false},
	"comma":                   {"36,5", 0, false},
}

func TestATemperatureIsReadExactlyOrRefused(t *testing.T) {
	for name, c := range temps {
		t.Run(name, func(t *testing.T) {
			got, err := ParseTemp(c.text)
			if (err == nil) != c.ok || got != c.want {
				t.Errorf("ParseTemp(%q) = %d, %v; want %d, ok %v", c.text, got, err, c.want, c.ok)
			}
			var v Temp
			if err := json.Unmarshal([]byte(c.text), &v); (err == nil) != c.ok || v != c.want {
				t.Errorf("as JSON: %d, %v; want %d, ok %v", v, err, c.want, c.ok)
			}
		})
	}
}

func TestATemperatureComesBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Temp(rapid.Int32Range(int32(-maxTemp), int32(maxTemp)).Draw(t, "temp"))
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Temp
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Fatalf("%s is read as %d, %v; want %d", text, got, err, want)
		}
	})
}

func TestSumsOfTemperaturesMeetALimitExactly(t *testing.T) {
	object, offset, limit := parse(t, "34.10"), parse(t, "3.20"), parse(t, "37.30")
	if object+offset != limit {
		t.Errorf("%s + %s is %s, not %s", object, offset, object+offset, limit)
	}
}

func parse(t *testing.T, s string) Temp {
	t.Helper()
	v, err := ParseTemp(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func FuzzParseTemp(f *testing.F) {
	for _, c := range temps {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseTemp(s)
		if err != nil {
			return
		}
		if again, err := ParseTemp(v.String()); err != nil || again != v {
			t.Errorf("%q is %d, but %s is %d, %v", s, v, v, again, err)
		}
		if f, err := strconv.ParseFloat(s, 64); err != nil || f*100-float64(v) > 1e-6 || float64(v)-f*100 > 1e-6 {
			t.Errorf("%q is %s, but the number %g, %v", s, v, f, err)
		}
	})
}
