package track

import (
	"math"
	"testing"
)

func TestTheWaysInWhichAnglesAreWritten(t *testing.T) {
	const none = 999.0
	for _, c := range []struct {
		a                axis
		text, hemisphere string
		want             float64
	}{
		{latitude, "35.9", "", 35.9}, {latitude, "35,9", "", 35.9}, {latitude, "-35.9", "", -35.9},
		{latitude, "359000000", "", 35.9}, {latitude, "1000000", "", 0.1}, {latitude, "999999", "", 999999},
		{latitude, "1000000.5", "", 1000000.5},
		{latitude, "90", "N", 90}, {latitude, "90.6", "N", 0.01 * 151}, {latitude, "3554.0000", "N", 35.9},
		{latitude, "3554.0000", "s", -35.9}, {longitude, "180", "E", 180}, {longitude, "11506.6", "W", -115.11},
		{latitude, "35.9N", "", 35.9}, {latitude, "S35.9", "", -35.9}, {latitude, "北纬35.9", "", 35.9},
		{longitude, "115.1e", "", 115.1}, {longitude, "西经115.1", "", -115.1},
		{latitude, `35°54'`, "", 35.9}, {latitude, `N 35° 54' 36"`, "", 35.91}, {latitude, "35:54:36", "", 35.91},
		{latitude, `-35°30'`, "", -35.5}, {latitude, `35°59.99'`, "", 35.9998333333}, {latitude, `35°0'`, "", 35},
		{latitude, `35°60'`, "", none}, {latitude, `35°-5'`, "", none}, {latitude, `35°54'60"`, "", none},
		{latitude, `1°2'3"4`, "", none}, {latitude, "", "", none}, {latitude, "35.9", "E", none},
		{latitude, "35.9E", "", none}, {latitude, "35n9", "", none}, {longitude, "115.1", "x", none},
	} {
		got, err := c.a.degrees(c.text, c.hemisphere)
		if (err != nil) != (c.want == none) || err == nil && math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s %q %q: %g %v, want %g", c.a.name, c.text, c.hemisphere, got, err, c.want)
		}
	}
}
