package modbus

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// framed returns a PDU of a unit in RTU.
func framed(unit uint8, pdu ...byte) []byte {
	b := append([]byte{unit}, pdu...)
	sum := crc(b)
	return append(b, byte(sum), byte(sum>>8))
}

// onTCP returns a PDU of a unit in a frame of Modbus TCP.
func onTCP(number uint16, unit uint8, pdu ...byte) []byte {
	return append([]byte{byte(number >> 8), byte(number), 0, 0, 0, byte(1 + len(pdu)), unit}, pdu...)
}

var (
	two  = request{unit: 1, function: 3, first: 5, count: 2, number: 7}
	good = []byte{3, 4, 0xAA, 0xBB, 0xCC, 0xDD} // its answer
	want = []byte{0xAA, 0xBB, 0xCC, 0xDD}
)

func TestFramesAreThoseOfTheStandard(t *testing.T) {
	if got := (rtu{}).frame(two); !bytes.Equal(got, framed(1, 3, 0, 5, 0, 2)) {
		t.Errorf("% X", got)
	}
	if got := crc([]byte{0x01, 0x03, 0, 0, 0, 6}); got != 0xC8C5 { // of a capture: 010300000006C5C8
		t.Errorf("%04X", got)
	}
	if got := (mbap{}).frame(two); !bytes.Equal(got, []byte{0, 7, 0, 0, 0, 6, 1, 3, 0, 5, 0, 2}) {
		t.Errorf("% X", got)
	}
	for count, size := range map[uint16]int{1: 1, 8: 1, 9: 2, 16: 2, 17: 3} {
		if got := (request{function: 2, count: count}).size(); got != size {
			t.Errorf("%d bits take %d bytes", count, got)
		}
	}
	if (request{function: 3, count: 9}).size() != 18 {
		t.Error("9 registers do not take 18 bytes")
	}
}

func TestAnAnswerIsFoundAmongOtherBytesInRTU(t *testing.T) {
	answer, theirs := framed(1, good...), framed(1, 3, 4, 9, 9, 9, 9)
	echo := rtu{}.frame(two)
	asked := framed(1, 3, 0, 9, 0, 2)
	for name, c := range map[string]struct {
		bytes    [][]byte
		answered bool
		echo     bool
		other    string
	}{
		"nothing":                       {nil, false, false, ""},
		"the answer":                    {[][]byte{answer}, true, false, ""},
		"a byte before":                 {[][]byte{{0}, answer}, true, false, ""},
		"our unit before":               {[][]byte{{1}, answer}, true, false, ""},
		"its beginning before":          {[][]byte{answer[:7], answer}, true, false, ""},
		"bytes behind":                  {[][]byte{{0xFF, 0xFF}, answer, {0, 1, 3, 4}}, true, false, ""},
		"the echo":                      {[][]byte{echo}, false, true, ""},
		"the echo before":               {[][]byte{echo, answer}, true, true, ""},
		"the echo and a byte":           {[][]byte{{0}, echo, {0xFF}, answer, {0}}, true, true, ""},
		"another unit's before":         {[][]byte{framed(2, good...), answer}, true, false, "unit 2 answers instead"},
		"another unit's only":           {[][]byte{framed(2, good...)}, false, false, "unit 2 answers instead"},
		"another function's":            {[][]byte{framed(1, 4, 4, 1, 2, 3, 4)}, false, false, "function 4 instead"},
		"too many registers":            {[][]byte{framed(1, 3, 6, 1, 2, 3, 4, 5, 6)}, false, false, "6 bytes, not 4"},
		"a broken one":                  {[][]byte{answer[:8], {answer[8] ^ 1}}, false, false, ""},
		"a short one":                   {[][]byte{answer[:8]}, false, false, ""},
		"a broken one before":           {[][]byte{answer[:5], {0x55}, answer[6:], answer}, true, false, ""},
		"one left over of other length": {[][]byte{framed(1, 3, 2, 9, 9), answer}, true, false, "2 bytes, not 4"},
		"one left over alike":           {[][]byte{theirs, answer}, true, false, ""},
		"another master's talk":         {[][]byte{asked, theirs}, false, false, "another master"},
		"another master's talk before":  {[][]byte{asked, theirs, answer}, true, false, "another master"},
		"another master's talk behind":  {[][]byte{answer, asked, theirs}, true, false, "another master"},
	} {
		f := rtu{}.find(two, slices.Concat(c.bytes...))
		if f.answered != c.answered || f.echo != c.echo || !strings.Contains(f.other, c.other) ||
			(c.other == "") != (f.other == "") || f.answered && !bytes.Equal(f.values, want) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestARefusalIsAnAnswer(t *testing.T) {
	for name, f := range map[string]found{
		"rtu":          rtu{}.find(two, append([]byte{0xFF}, framed(1, 0x83, 2)...)),
		"tcp":          mbap{}.find(two, onTCP(7, 1, 0x83, 2)),
		"after values": rtu{}.find(two, append(framed(1, good...), framed(1, 0x83, 2)...)),
	} {
		if !f.answered || f.refused != illegalAddress || f.values != nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if f := (rtu{}).find(two, append(framed(1, 0x83, 2), framed(1, good...)...)); f.refused != 0 || f.values == nil {
		t.Errorf("values after a refusal: %+v", f)
	}
	if f := (rtu{}).find(two, framed(1, 0x83, 0)); f.answered {
		t.Errorf("exception 0: %+v", f)
	}
	for e, text := range map[exception]string{6: "busy", 11: "does not answer the gateway", 77: "4D, no exception"} {
		if !strings.Contains(e.Error(), text) {
			t.Error(e)
		}
	}
}

func TestAnAnswerIsFoundAmongOtherBytesOnTCP(t *testing.T) {
	answer := onTCP(7, 1, good...)
	for name, c := range map[string]struct {
		bytes    [][]byte
		answered bool
		other    string
	}{
		"the answer":            {[][]byte{answer}, true, ""},
		"with padding":          {[][]byte{onTCP(7, 1, 3, 4, 0xAA, 0xBB, 0xCC, 0xDD, 0)}, true, ""},
		"bytes before":          {[][]byte{{0, 0xFF, 7}, answer}, true, ""},
		"an earlier one before": {[][]byte{onTCP(6, 1, 3, 4, 9, 9, 9, 9), answer}, true, "another request"},
		"an earlier one behind": {[][]byte{answer, onTCP(6, 1, 3, 4, 9, 9, 9, 9)}, true, "another request"},
		"another unit's":        {[][]byte{onTCP(7, 2, good...)}, false, "unit 2 answers instead"},
		"too few registers":     {[][]byte{onTCP(7, 1, 3, 2, 9, 9)}, false, "2 bytes, not 4"},
		"another function":      {[][]byte{onTCP(7, 1, 4, 4, 9, 9, 9, 9)}, false, "function 4 instead"},
		"a short one":           {[][]byte{answer[:12]}, false, ""},
		"another protocol":      {[][]byte{{0, 7, 0, 1, 0, 7, 1, 3, 4, 9, 9, 9, 9}}, false, ""},
		"and in its other byte": {[][]byte{{0, 7, 1, 0, 0, 7, 1, 3, 4, 9, 9, 9, 9}}, false, ""},
		"a length of 2":         {[][]byte{{0, 7, 0, 0, 0, 2, 1, 3, 4, 9, 9, 9, 9}}, false, ""},
		"a length of 255":       {[][]byte{{0, 7, 0, 0, 0, 255, 1, 3, 4}, make([]byte, 260)}, false, ""},
		"no function":           {[][]byte{onTCP(7, 1, 9, 4, 9, 9, 9, 9)}, false, ""},
		"function 0":            {[][]byte{onTCP(7, 1, 0, 4, 9, 9, 9, 9)}, false, ""},
	} {
		f := mbap{}.find(two, slices.Concat(c.bytes...))
		if f.answered != c.answered || !strings.Contains(f.other, c.other) || (c.other == "") != (f.other == "") ||
			f.answered && !bytes.Equal(f.values, want) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if f := (mbap{}).find(two, append(mbap{}.frame(two), answer...)); !f.echo || !f.answered {
		t.Errorf("with an echo: %+v", f)
	}
	long := request{unit: 1, function: 3, count: 125, number: 7}
	pdu := append([]byte{3, 250}, make([]byte, 250)...)
	if f := (mbap{}).find(long, onTCP(7, 1, pdu...)); !f.answered {
		t.Error("the longest answer is not found")
	}
}

// FuzzFind looks for an answer among any bytes, before and behind which a right one
// stands.
func FuzzFind(f *testing.F) {
	f.Add([]byte{1, 3, 4}, []byte{0xFF}, uint8(1), uint8(3), uint8(2))
	f.Add(rtu{}.frame(two), framed(2, good...), uint8(1), uint8(1), uint8(20))
	f.Fuzz(func(t *testing.T, before, behind []byte, unit, function, count uint8) {
		r := request{unit: unit, function: function%4 + 1, count: uint16(count%100) + 1, number: 7}
		pdu := append([]byte{r.function, byte(r.size())}, bytes.Repeat([]byte{0x5A}, r.size())...)
		got := rtu{}.find(r, slices.Concat(before, framed(unit, pdu...)))
		if got.answered && got.refused == 0 && len(got.values) != r.size() {
			t.Errorf("%+v", got)
		}
		_ = rtu{}.find(r, slices.Concat(before, behind))
		if got := (mbap{}).find(r, slices.Concat(before, onTCP(7, unit, pdu...), behind)); got.answered &&
			got.refused == 0 && len(got.values) != r.size() {
			t.Errorf("%+v", got)
		}
	})
}

// Whatever noise stands before, between and behind, the answer is found: noise of
// bytes that can't begin a frame of the unit.
func TestNoiseHidesNoAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		noise := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 0xFF, 0x80, 0x55, 3, 4}), 0, 40)
		count := rapid.IntRange(1, 100).Draw(t, "count")
		r := request{unit: 17, function: 3, count: uint16(count)}
		values := rapid.SliceOfN(rapid.Byte(), 2*count, 2*count).Draw(t, "values")
		answer := framed(17, append([]byte{3, byte(2 * count)}, values...)...)
		b := slices.Concat(noise.Draw(t, "before"), rtu{}.frame(r), noise.Draw(t, "between"), answer,
			noise.Draw(t, "behind"))
		if f := (rtu{}).find(r, b); !f.answered || !f.echo || !bytes.Equal(f.values, values) {
			t.Fatalf("%+v in % X", f, b)
		}
	})
}
