package wire

import (
	"bytes"
	"strconv"

	"gatehouse/gateway/fact"
)

// Almost every record that arrives was written by EncodeRecord: its fields in
// their order, without blanks, its texts plain ASCII without escapes. canon
// reads just that form, several times faster than encoding/json, and gives up
// at the first byte that differs; whoever called then asks encoding/json. It
// never takes what encoding/json would refuse or read otherwise: a fuzz test
// holds the two together.
type canon struct {
	b   []byte
	bad bool
}

// must takes exactly s.
func (c *canon) must(s string) {
	if !c.may(s) {
		c.bad = true
	}
}

// may takes s if it comes next.
func (c *canon) may(s string) bool {
	if c.bad || len(c.b) < len(s) || string(c.b[:len(s)]) != s {
		return false
	}
	c.b = c.b[len(s):]
	return true
}

// text takes a string with its quotes.
func (c *canon) text() string {
	c.must(`"`)
	end := bytes.IndexByte(c.b, '"')
	if c.bad || end < 0 {
		c.bad = true
		return ""
	}
	for _, x := range c.b[:end] {
		if x < ' ' || x == '\\' || x > '~' {
			c.bad = true
			return ""
		}
	}
	s := string(c.b[:end])
	c.b = c.b[end+1:]
	return s
}

// digits takes a run of digits as JSON writes numbers: no leading zero.
func (c *canon) digits() string {
	n := 0
	for n < len(c.b) && c.b[n] >= '0' && c.b[n] <= '9' {
		n++
	}
	if c.bad || n == 0 || n > 18 || (n > 1 && c.b[0] == '0') {
		c.bad = true
		return ""
	}
	s := c.b[:n]
	c.b = c.b[n:]
	return string(s)
}

func (c *canon) uint() uint64 {
	v, err := strconv.ParseUint(c.digits(), 10, 64)
	c.bad = c.bad || err != nil
	return v
}

func (c *canon) int() int64 {
	minus := c.may("-")
	v := int64(c.uint())
	if minus {
		c.bad = c.bad || v == 0
		return -v
	}
	return v
}

// temp takes a temperature with its two decimals.
func (c *canon) temp() fact.Temp {
	start := c.b
	c.may("-")
	c.digits()
	c.must(".")
	if c.bad || len(c.b) < 2 {
		c.bad = true
		return 0
	}
	c.b = c.b[2:]
	t, err := fact.ParseTemp(string(start[:len(start)-len(c.b)]))
	c.bad = c.bad || err != nil
	return t
}

func (c *canon) bool() bool {
	if c.may("true") {
		return true
	}
	c.must("false")
	return false
}

// canonicalRecord reads the envelope of a record; body is not looked into.
func canonicalRecord(raw []byte) (r Record, ok bool) {
	c := canon{b: raw}
	c.must(`{"seq":`)
	r.Seq = c.uint()
	c.must(`,"at":`)
	at := c.text()
	if c.may(`,"era":`) {
		era := c.uint()
		r.Era, c.bad = uint32(era), c.bad || era > 1<<32-1
	}
	c.must(`,"boot_ns":`)
	r.BootNS = c.int()
	if c.may(`,"unsync":`) {
		r.Unsync = c.bool()
	}
	c.must(`,"kind":`)
	r.Kind = Kind(c.text())
	c.must(`,"body":`)
	if c.bad || len(c.b) < 3 || c.b[0] != '{' || c.b[len(c.b)-1] != '}' {
		return r, false
	}
	// Fields that a later version puts behind the body are not for this path.
	body := cursor{b: c.b}
	r.Body = body.value()
	if body.i != len(c.b)-1 {
		return r, false
	}
	t, err := parseTime(at)
	r.At = t
	return r, err == nil
}

// canonicalBody reads the bodies that come by the thousand.
func canonicalBody(k Kind, raw []byte) (b Body, ok bool) {
	c := canon{b: raw}
	switch k {
	case KindReading:
		b = c.reading()
	case KindPassage:
		b = c.passage()
	default:
		return nil, false
	}
	return b, !c.bad && len(c.b) == 0
}

func (c *canon) reading() *Reading {
	r := &Reading{}
	c.must(`{"device":`)
	r.Device = c.text()
	c.must(`,"model":`)
	r.Model = c.text()
	c.must(`,"type":`)
	r.Type = fact.ReadingType(c.text())
	if c.may(`,"lane":`) {
		r.Lane = c.text()
	}
	if c.may(`,"direction":`) {
		r.Direction = fact.Direction(c.text())
	}
	if c.may(`,"credential":`) {
		r.Credential = c.text()
	}
	if c.may(`,"temperature":`) {
		r.Temperature = c.temperature()
	}
	c.must(`,"boot_id":`)
	r.BootID = c.text()
	c.must(`,"boot_ns":`)
	r.BootNS = c.int()
	c.must(`}`)
	return r
}

func (c *canon) temperature() *Temperature {
	t := &Temperature{}
	for _, f := range [...]struct {
		name string
		to   *fact.Temp
	}{{`{"object_c":`, &t.Object}, {`,"ambient_c":`, &t.Ambient}, {`,"background_c":`, &t.Background},
		{`,"offset_c":`, &t.Offset},
		{`,"screening_c":`, &t.Screening}, {`,"rated_min_c":`, &t.RatedMin}, {`,"rated_max_c":`, &t.RatedMax}} {
		c.must(f.name)
		*f.to = c.temp()
	}
	c.must(`,"samples":`)
	samples := c.int()
	t.Samples, c.bad = int(samples), c.bad || samples > 1<<30 || samples < -1<<30
	c.must(`,"duration_ms":`)
	t.DurationMS = c.int()
	c.must(`,"settled":`)
	t.Settled = c.bool()
	if c.may(`,"hot":`) {
		t.Hot = c.bool()
	}
	if c.may(`,"supersedes":`) {
		t.Supersedes = c.bool()
	}
	c.must(`}`)
	return t
}

func (c *canon) passage() *Passage {
	p := &Passage{}
	c.must(`{"verdict":`)
	p.Verdict = fact.Verdict(c.text())
	c.must(`,"reasons":[`)
	for more := true; more && !c.bad; more = c.may(",") {
		p.Reasons = append(p.Reasons, fact.Reason(c.text()))
	}
	c.must(`],"instruction":`)
	p.Instruction = fact.Instruction(c.text())
	if c.may(`,"lane":`) {
		p.Lane = c.text()
	}
	if c.may(`,"direction":`) {
		p.Direction = fact.Direction(c.text())
	}
	if c.may(`,"class":`) {
		p.Class = c.text()
	}
	if c.may(`,"credential":`) {
		p.Credential = c.text()
	}
	if c.may(`,"temperature":`) {
		p.Temperature = c.temperature()
	}
	c.must(`,"readings":[`)
	for more := true; more && !c.bad; more = c.may(",") {
		p.Readings = append(p.Readings, c.uint())
	}
	c.must(`]`)
	if c.may(`,"amends":`) {
		p.Amends = c.bool()
	}
	c.must(`,"policy":`)
	p.Policy = c.text()
	c.must(`,"limits":{"fever_c":`)
	p.Limits.Fever = c.temp()
	c.must(`,"invalid_below_c":`)
	p.Limits.InvalidBelow = c.temp()
	c.must(`,"pairing_ms":`)
	p.Limits.PairingMS = c.int()
	c.must(`},"latency_us":`)
	p.LatencyUS = c.int()
	c.must(`}`)
	return p
}
