package nmea

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gatehouse/firmware-bridge/runs"
)

// play returns the samples and errors of a text.
func play(r *Reader, text string) (got []runs.Sample, bad []error) {
	r.Take([]byte(text), func(s runs.Sample, err error) {
		if err != nil {
			bad = append(bad, err)
			return
		}
		got = append(got, s)
	})
	return got, bad
}

func TestOtherSentencesAreCheckedForNothing(t *testing.T) {
	var r Reader
	text := "$GPGSA,A,3*00\n$GPVTG\n$PUBX,00*ZZ\n$GPGGAX,1*00\n$GprMC,1*00\n$,\n$$\n$GNR1C,*00\n" +
		"$GNRMc,A\n$GNR[C,A\n$[NRMC,A\n$@NRMC,A\n$PGRMC,A*00\n"
	got, bad := play(&r, text+"$GP\x80RMC\n!AIVDM,1*00\n")
	if len(got) != 0 || len(bad) != 1 || !strings.Contains(bad[0].Error(), "PGRMC") {
		t.Errorf("%v %v", got, bad)
	}
}

func TestSentencesAreFoundAmongOtherBytes(t *testing.T) {
	one := summed(rmc9)
	second := summed(strings.Replace(rmc9, "123519", "123520", 1))
	for name, text := range map[string]string{
		"two dollars":       "$" + one + "\r\n$" + second + "\r\n",
		"one line":          one + second + "\r\n",
		"carriage returns":  one + "\r" + second + "\r",
		"binary in between": "\xb5\x62\x01\x07$\x00" + one + "\r\n\xb5\x62\x01$" + second + "\xb5",
		"text before":       "+GPSRD:" + one + "\r\nOK " + second + "\n",
		"spaces":            one + "  \r\n" + second + " \r\n",
		"tilde and space":   "~ " + one + "\r\n~$GPTXT,~ *00\r\n" + second + "\r\n",
		"a long line":       "$" + strings.Repeat("x", 1000) + one + "\n" + second + "\n",
		"no dollar":         "GPRMC,123519,A*00\r\n" + one + "\r\n" + second + "\r\n",
		"a return ends it":  "$" + rmc9 + "\r$" + strings.Replace(rmc9, "123519", "123520", 1) + "\r",
		"no checksum":       "$" + rmc9 + "\n$" + strings.Replace(rmc9, "123519", "123520", 1) + "\n",
	} {
		var r Reader
		var got []runs.Sample
		var bad []error
		for i := range len(text) { // byte by byte
			g, b := play(&r, text[i:i+1])
			got, bad = append(got, g...), append(bad, b...)
		}
		if len(got) != 2 || len(bad) != 0 {
			t.Errorf("%s: %d samples, %v", name, len(got), bad)
		}
	}
	if _, bad := play(new(Reader), "$"+rmc9+"$"); len(bad) != 1 || !errors.Is(bad[0], errNoSum) {
		t.Errorf("a sentence that another cuts off: %v", bad)
	}
	for _, end := range []string{"\x00", "\x1f", "\x7f"} { // no line ends there
		if _, bad := play(new(Reader), "$"+rmc9+end); len(bad) != 1 || !errors.Is(bad[0], errNoSum) {
			t.Errorf("a sentence that ends with %q: %v", end, bad)
		}
	}
	if _, bad := play(new(Reader), one+"\n$"+rmc9+"\n"); len(bad) != 1 || !errors.Is(bad[0], errNoSum) {
		t.Errorf("one without a checksum among others: %v", bad)
	}
	if got, bad := play(new(Reader), "$GPRMC,"+strings.Repeat("1", longest-7)+"\n"); len(got)+len(bad) != 1 {
		t.Error("a sentence of the longest length is left out")
	}
	if got, bad := play(new(Reader), "$GPRMC,"+strings.Repeat("1", longest-6)+"\n"); len(got)+len(bad) != 0 {
		t.Error("a longer one is read")
	}
}

// at returns an RMC or GGA at a second, a little to the north for each.
func at(kind string, second int) string {
	lat := fmt.Sprintf("3554.%03d,N,11506.600,E", second)
	if strings.HasSuffix(kind, "RMC") {
		return summed(fmt.Sprintf("%s,1200%02d,A,%s,10,0,140220", kind, second, lat)) + "\n"
	}
	return summed(fmt.Sprintf("%s,1200%02d,%s,1,08", kind, second, lat)) + "\n"
}

// positions counts the samples with a position.
func positions(all []runs.Sample) (n int) {
	for _, s := range all {
		if s.Lat != nil {
			n++
		}
	}
	return n
}

func TestRMCAndGGAOfOneMomentAreOneFix(t *testing.T) {
	for name, c := range map[string]struct {
		kinds string
		fixes int // of 10 seconds
	}{
		"rmc first":    {"GPRMC GPGGA", 10},
		"gga first":    {"GPGGA GPRMC", 10},
		"rmc only":     {"GNRMC", 10},
		"gga only":     {"GNGGA", 10},
		"two talkers":  {"GPRMC GLRMC GNGGA", 10},
		"talker alone": {"BDGGA", 10},
	} {
		var r Reader
		var all []runs.Sample
		for second := range 10 {
			for kind := range strings.FieldsSeq(c.kinds) {
				got, bad := play(&r, at(kind, second))
				if all = append(all, got...); len(bad) > 0 {
					t.Error(bad)
				}
			}
		}
		if positions(all) != c.fixes {
			t.Errorf("%s: %d fixes, want %d", name, positions(all), c.fixes)
		}
		if strings.Contains(c.kinds, "GPRMC") && all[len(all)-2].Speed == nil && all[len(all)-1].Speed == nil {
			t.Errorf("%s: the speed is lost", name)
		}
	}
}

func TestKindsThatNeverTellOneMomentBothCount(t *testing.T) {
	var r Reader
	all, _ := play(&r, at("GPRMC", 1)+at("GPGGA", 2)+at("GPRMC", 3)+at("GPGGA", 4)+at("GPGGA", 5))
	if positions(all) != 5 {
		t.Errorf("%d fixes", positions(all))
	}
	all, _ = play(&r, at("GPRMC", 5)+at("GPRMC", 6)+at("GPGGA", 6)+at("GPGGA", 7))
	if positions(all) != 2 {
		t.Errorf("after both told one moment: %d fixes", positions(all))
	}
}

func TestTheDigitsOfTheTimeDoNotMatter(t *testing.T) {
	var r Reader
	all, _ := play(&r, summed("GPRMC,130700.00,A,"+where+",1")+"\n"+summed("GPGGA,130700,"+where+",1")+"\n"+
		summed("GPGGA,130700.50,"+where+",1")+"\n"+summed("GPRMC,130701.,A,"+where+",1")+"\n")
	if positions(all) != 2 {
		t.Errorf("%d fixes", positions(all))
	}
}

func TestTheOtherKindTakesOverWhenOneEnds(t *testing.T) {
	var r Reader
	var got []int
	for second := range 8 {
		text := at("GPGGA", second)
		if second < 2 || second > 6 {
			text += at("GPRMC", second)
		}
		if second < 2 {
			text = at("GPRMC", second) + at("GPGGA", second)
		}
		all, _ := play(&r, text)
		got = append(got, positions(all))
	}
	// RMC comes at 0 and 1; GGA takes over with its third without RMC, and stays.
	if want := fmt.Sprint([]int{1, 1, 0, 1, 1, 1, 1, 1}); fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestOneKindDeniesTheFixOfTheOther(t *testing.T) {
	var r Reader
	all, _ := play(&r, summed("GPGGA,120000,3554.000,N,11506.600,E,6,08")+"\n"+at("GPRMC", 0)+
		summed("GPGGA,120001,3554.000,N,11506.600,E,6,08")+"\n"+at("GPRMC", 1))
	if len(all) != 0 {
		t.Errorf("an estimated position counts: %+v", all)
	}
	all, _ = play(&r, at("GPRMC", 2)+at("GPRMC", 3))
	if positions(all) != 1 {
		t.Errorf("what was said three sentences ago still holds: %d", positions(all))
	}
	all, _ = play(&r, at("GPGGA", 4)+at("GPRMC", 4))
	if positions(all) != 1 {
		t.Errorf("with a fix again: %d", positions(all))
	}
}

func TestATimeThatIsNotKnownMakesNoRepetition(t *testing.T) {
	var r Reader
	all, _ := play(&r, summed("GPRMC,,A,"+where+",1")+"\n"+summed("GNRMC,,A,"+where+",1")+"\n")
	if positions(all) != 2 {
		t.Errorf("%d fixes", positions(all))
	}
}

// FuzzReader feeds any bytes in any pieces.
func FuzzReader(f *testing.F) {
	f.Add([]byte(rmc+"\r\n"+gga), 7)
	f.Add([]byte("$$\xb5\x62"+rmc), 1)
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		var r Reader
		for size := max(1, piece%600); len(b) > 0; b = b[min(size, len(b)):] {
			r.Take(b[:min(size, len(b))], func(s runs.Sample, err error) {
				if err == nil && s.Empty() || err != nil && !s.Empty() {
					t.Errorf("%+v, %v", s, err)
				}
				if err == nil && s.Lat != nil && (math.Abs(*s.Lat) > 90 || math.Abs(*s.Lon) > 180) {
					t.Errorf("%g, %g", *s.Lat, *s.Lon)
				}
			})
		}
		if len(r.text) > longest {
			t.Errorf("%d bytes are kept", len(r.text))
		}
	})
}
