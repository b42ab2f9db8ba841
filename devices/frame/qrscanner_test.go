package frame

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"
)

func newScanner() Framer { return NewScanner().Frame }

func TestScannerFrames(t *testing.T) {
	visit := []Reading{scan("VISIT-7")}
	longest := strings.Repeat("7", scanMax)
	for name, c := range map[string]struct {
		bytes string
		want  []Reading
		bad   error
	}{
		"CR LF":                  {"VISIT-7\r\n", visit, nil},
		"LF":                     {"VISIT-7\n", visit, nil},
		"TAB":                    {"VISIT-7\t", visit, nil},
		"no suffix":              {"VISIT-7", visit, nil},
		"STX and ETX":            {"\x02VISIT-7\x03", visit, nil},
		"AIM":                    {"]Q1VISIT-7\r", visit, nil},
		"AIM of Code 128":        {"]C0VISIT-7\r", visit, nil},
		"AIM and ECI":            {"]Q2\\000026VISIT-7\r", visit, nil},
		"ECI":                    {"\\000026VISIT-7\r\n", visit, nil},
		"two ECIs":               {"\\000003\\000026VISIT-7\r\n", visit, nil},
		"ECI inside":             {"\\000026VISIT\\000003-7\\\\1\r\n", []Reading{scan("VISIT-7\\1")}, nil},
		"no ECI":                 {"\\900026\r", []Reading{scan("\\900026")}, nil},
		"the last ECI":           {"\\000899A\r", []Reading{scan("A")}, nil},
		"beyond the last ECI":    {"\\000900A\r", []Reading{scan("\\000900A")}, nil},
		"backslash":              {"A\\\\000026\r", []Reading{scan("A\\\\000026")}, nil},
		"byte order mark":        {"\xef\xbb\xbfVISIT-7\r\n", visit, nil},
		"AIM, ECI and BOM":       {"]Q1\\000026\xef\xbb\xbfVISIT-7\r\n", visit, nil},
		"brackets":               {"]1]A\r", []Reading{scan("]1]A")}, nil},
		"Chinese":                {"访客\r", []Reading{scan("访客")}, nil},
		"lines":                  {"健康码:甲\n绿\r\n2020-02-14\r\n", []Reading{scan("健康码:甲\n绿\n2020-02-14")}, nil},
		"lines ended by CR":      {"A\rB\r", []Reading{scan("A\nB")}, nil},
		"a column":               {"A\tB\r", []Reading{scan("A\tB")}, nil},
		"twice":                  {"VISIT-7\r\nVISIT-7\r\n", visit, nil},
		"separators of GS1":      {"]d2\x1d0104012345\x1d10AB\r", []Reading{scan("\x1d0104012345\x1d10AB")}, nil},
		"ISO/IEC 15434":          {"[)>\x1e06\x1dA\x1e\x04\r", []Reading{scan("[)>\x1e06\x1dA\x1e\x04")}, nil},
		"empty lines":            {"\r\n\r\n\t\x00", nil, nil},
		"nothing but an ECI":     {"\\000026\r", nil, ErrFrame},
		"neither encoding":       {"\xff\xfe\r", nil, ErrFrame},
		"control characters":     {"A\x1b[\r", nil, ErrFrame},
		"a code that is no text": {"AB\x1b[\r", nil, ErrUnread},
		"private use":            {"A\uE000\r", nil, ErrFrame},
		"the longest":            {longest + "\r", []Reading{scan(longest)}, nil},
		"too long":               {strings.Repeat("7", scanMax+1) + "\r", nil, ErrFrame},
		"far too long":           {strings.Repeat("7", 3*scanMax) + "\r", nil, ErrFrame},
	} {
		t.Run(name, func(t *testing.T) {
			for _, chunk := range []int{1, 8, 64, 1 << 20} {
				got, bad := feed(t, newScanner(), chunk, []byte(c.bytes))
				if len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
					t.Errorf("in chunks of %d: %q, want %q", chunk, got, c.want)
				}
				if (c.bad == nil) != (len(bad) == 0) || len(bad) > 1 || len(bad) > 0 && !errors.Is(bad[0], c.bad) {
					t.Errorf("in chunks of %d: errors %v, want %v", chunk, bad, c.bad)
				}
			}
		})
	}
}

func TestACodeEndsWithThePause(t *testing.T) {
	for name, c := range map[string]struct {
		bytes string
		quiet time.Duration
		want  bool
	}{
		"with a suffix, too early":    {"VISIT-7\r", scanPause - 1, false},
		"with a suffix":               {"VISIT-7\r", scanPause, true},
		"without a suffix, too early": {"VISIT-7", scanSilence - 1, false},
		"without a suffix":            {"VISIT-7", scanSilence, true},
	} {
		r, used, err := NewScanner().Frame(at, []byte(c.bytes), c.quiet)
		if err != nil || (r == scan("VISIT-7")) != c.want || (used > 0) != c.want {
			t.Errorf("%s: %v, %d, %v", name, r, used, err)
		}
	}
}

func TestACodeAfterOneThatIsTooLongIsRead(t *testing.T) {
	s := NewScanner()
	long := []byte(strings.Repeat("A", scanMax+1))
	if r, used, err := s.Frame(at, long, 0); r != nil || used != len(long) || !errors.Is(err, ErrFrame) {
		t.Fatalf("%v, %d, %v", r, used, err)
	}
	last := at
	for range 3 { // its rest comes without a pause
		last = last.Add(scanPause - 1)
		if r, used, err := s.Frame(last, []byte("B\r"), scanSilence); r != nil || used != 2 || err != nil {
			t.Fatalf("its rest: %v, %d, %v", r, used, err)
		}
	}
	last = last.Add(scanPause)
	if r, _, err := s.Frame(last, []byte("C\r"), scanSilence); r != (Tap{At: last, Code: "C"}) || err != nil {
		t.Fatalf("the next code: %v, %v", r, err)
	}
}

// A scanner without a pause between repeats is not waited for.
func TestOneCodeWithoutEndIsRead(t *testing.T) {
	s := NewScanner()
	buf := []byte(strings.Repeat("VISIT-7\r\n", scanRepeats))
	if r, used, err := s.Frame(at, buf[:len(buf)-1], 0); r != nil || used != 0 || err != nil {
		t.Fatalf("too early: %v, %d, %v", r, used, err)
	}
	if r, used, err := s.Frame(at, buf, 0); r != scan("VISIT-7") || used != 9 || err != nil {
		t.Fatalf("%v, %d, %v", r, used, err)
	}
	other := []byte("VISIT-7\r\nVISIT-7\r\nVISIT-7\r\nVISIT-8\r\n")
	if r, used, err := s.Frame(at, other, 0); r != nil || used != 0 || err != nil {
		t.Fatalf("of another code: %v, %d, %v", r, used, err)
	}
}

func TestChineseTextOfOldCodesIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		common := rapid.SampledFrom([]rune("许可证编号健康码姓名李王张绿色区，：（）"))
		text := rapid.StringOfN(common, 2, 40, -1).Draw(t, "text") +
			rapid.StringMatching(`[A-Z0-9-]{0,20}`).Draw(t, "number") +
			rapid.SampledFrom([]string{"", "㐀喆"}).Draw(t, "rare")
		raw, err := simplifiedchinese.GB18030.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Text([]byte(raw + "\r\n")); err != nil || got != text {
			t.Fatalf("%q, %v, want %q", got, err, text)
		}
	})
}

func TestHalfOfTheCharactersMustBeCommon(t *testing.T) {
	for raw, want := range map[string]bool{
		"\xd0\xed\xbf\xc9":                 true,  // 许可
		"\xb0\xa1":                         true,  // the first common one
		"\xd7\xf9":                         true,  // the last
		"\xd8\xa1":                         false, // the first rare one
		"\xaf\xfe":                         false,
		"\xa9\xa1":                         true,
		"\xaa\xa1":                         false,
		"\xa1\xa1":                         true,
		"\xa0\xa1":                         false,
		"\xb0\xa0":                         false,
		"\xb0\xa1\x81\x40":                 true,  // one of two
		"\xb0\xa1\x81\x40\x81\x40":         false, // one of three
		"\xb0\xa1\x81\x30\x81\x30":         true,  // one of two, the other of four bytes
		"\xb0\xa1\x81\x30\x81\x30\xb0\xa1": true,
		"A\xd8\xa1":                        false,
		"\xb0":                             false, // cut short
	} {
		if chinese([]byte(raw)) != want {
			t.Errorf("% x: %v", raw, !want)
		}
	}
}

func FuzzFrames(f *testing.F) {
	for _, s := range []string{gyGood, rdmGood, rdmClone, "56490D0A", "5A5A45FF", "0236", "5C303030303236410D",
		"B0A10D"} {
		f.Add(unhex(f, s), 8)
	}
	f.Fuzz(func(t *testing.T, b []byte, chunk int) {
		for _, f := range []Framer{GYMCU90614, RDM6300, newScanner()} {
			readings, _ := feed(t, f, max(1, chunk), b)
			for _, r := range readings {
				if tap, ok := r.(Tap); ok && (tap.Code == "" || !utf8.ValidString(tap.Code)) {
					t.Fatalf("a code %q", tap.Code)
				}
			}
		}
	})
}

func TestAGlitchIsNoCode(t *testing.T) {
	for bytes, want := range map[string]bool{"\xff\xff\xff\r": false, "\xff\xff\xff\xff\r": true} {
		if _, bad := feed(t, newScanner(), 1, []byte(bytes)); len(bad) != 1 || errors.Is(bad[0], ErrUnread) != want {
			t.Errorf("% x: %v", bytes, bad)
		}
	}
}

func TestTextThatIsUTF8ByChance(t *testing.T) {
	for raw, want := range map[string]string{
		"\xd6\xa4\xd6\xa4": "证证", "café": "café", "Ωμέγα": "Ωμέγα", "Привет": "Привет", "证\u05a4": "证\u05a4",
		"\u0591\u0592": "\u0591\u0592", "\u0250": "\u0250", "\u024f": "\u024f",
	} {
		if got, err := Text([]byte(raw)); got != want || err != nil {
			t.Errorf("% x: %q, %v, want %q", raw, got, err, want)
		}
	}
}
