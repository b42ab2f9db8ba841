package wire

import (
	"math"
	"unicode/utf8"

	"gatehouse/gateway/fact"
)

// quickBody reads the body of a reading or a passage, most of what a gate sends,
// that EncodeBody wrote: its fields in their order, without white space. That takes
// a fifth of the time that a JSON library needs, which has to expect any form. It
// returns nil for every other text, which may be a body all the same.
func quickBody(kind Kind, body []byte) Body {
	if kind != KindReading && kind != KindPassage {
		return nil
	}
	f := bodyText{fixed{b: body, ok: true}, string(body)}
	var b Body
	if kind == KindReading {
		b = f.reading()
	} else {
		b = f.passage()
	}
	if !f.ok || f.i < len(body) {
		return nil
	}
	return b
}

// bodyText is a body that is taken apart.
type bodyText struct {
	fixed

	all string // the body, of which its strings are parts
}

func (f *bodyText) reading() *Reading {
	r := new(Reading)
	f.skip(`{"device":`)
	r.Device = f.text()
	f.skip(`,"model":`)
	r.Model = f.text()
	f.skip(`,"type":`)
	r.Type = fact.ReadingType(f.text())
	if f.try(`,"lane":`) {
		r.Lane = f.text()
	}
	if f.try(`,"direction":`) {
		r.Direction = fact.Direction(f.text())
	}
	if f.try(`,"credential":`) {
		r.Credential = f.text()
	}
	if f.try(`,"temperature":`) {
		r.Temperature = f.temperature()
	}
	if f.try(`,"entered":`) {
		r.Entered = f.entered()
	}
	f.skip(`,"boot_id":`)
	r.BootID = f.text()
	f.skip(`,"boot_ns":`)
	r.BootNS = f.integer()
	f.skip(`}`)
	return r
}

func (f *bodyText) passage() *Passage {
	p := new(Passage)
	f.skip(`{"verdict":`)
	p.Verdict = fact.Verdict(f.text())
	f.skip(`,"reasons":[`)
	for more := f.ok; more; more = f.try(`,`) && f.ok {
		p.Reasons = append(p.Reasons, fact.Reason(f.text()))
	}
	f.skip(`],"instruction":`)
	p.Instruction = fact.Instruction(f.text())
	if f.try(`,"lane":`) {
		p.Lane = f.text()
	}
	if f.try(`,"direction":`) {
		p.Direction = fact.Direction(f.text())
	}
	if f.try(`,"class":`) {
		p.Class = f.text()
	}
	if f.try(`,"credential":`) {
		p.Credential = f.text()
	}
	if f.try(`,"temperature":`) {
		p.Temperature = f.temperature()
	}
	if f.try(`,"entered":`) {
		p.Entered = f.entered()
	}
	f.skip(`,"readings":[`)
	for more := f.ok; more; more = f.try(`,`) && f.ok {
		p.Readings = append(p.Readings, f.number())
	}
	f.skip(`]`)
	p.Amends = f.try(`,"amends":true`)
	f.skip(`,"policy":`)
	p.Policy = f.text()
	f.skip(`,"limits":{"fever_c":`)
	p.Limits.Fever = f.celsius()
	f.skip(`,"invalid_below_c":`)
	p.Limits.InvalidBelow = f.celsius()
	f.skip(`,"pairing_ms":`)
	p.Limits.PairingMS = f.integer()
	if f.try(`,"usual":`) {
		p.Limits.Usual = f.usual()
	}
	f.skip(`}`)
	if f.try(`,"basis":`) {
		p.Basis = f.basis()
	}
	if f.try(`,"override":`) {
		p.Override = f.override()
	}
	if f.try(`,"episode":`) {
		p.Episode = f.episode()
	}
	f.skip(`,"latency_us":`)
	p.LatencyUS = f.integer()
	f.skip(`}`)
	return p
}

func (f *bodyText) override() *Override {
	o := new(Override)
	f.skip(`{"guard":`)
	o.Guard = f.text()
	f.skip(`,"reason":`)
	o.Reason = f.text()
	f.skip(`,"against":`)
	o.Against = fact.Verdict(f.text())
	f.skip(`}`)
	return o
}

func (f *bodyText) basis() *Basis {
	b := new(Basis)
	f.skip(`{"rule":`)
	b.Rule = f.text()
	b.At = f.time(`,"at":`)
	if f.try(`,"household":`) {
		b.Household = f.text()
	}
	if f.try(`,"pass":`) {
		b.Pass = f.text()
	}
	if f.try(`,"used":`) {
		b.Used = int(f.integer())
	}
	if f.try(`,"times":`) {
		b.Times = int(f.integer())
	}
	b.Last = f.time(`,"last":`)
	b.Next = f.time(`,"next":`)
	b.Until = f.time(`,"until":`)
	f.skip(`}`)
	return b
}

// time returns the time of a field, if it comes next; nil: another one does.
func (f *bodyText) time(field string) *Time {
	if !f.try(field) {
		return nil
	}
	t, err := parseTime(f.text())
	f.ok = f.ok && err == nil
	return &t
}

func (f *bodyText) temperature() *Temperature {
	t := new(Temperature)
	f.skip(`{"object_c":`)
	t.Object = f.celsius()
	f.skip(`,"ambient_c":`)
	t.Ambient = f.celsius()
	f.skip(`,"background_c":`)
	t.Background = f.celsius()
	f.skip(`,"offset_c":`)
	t.Offset = f.celsius()
	f.skip(`,"screening_c":`)
	t.Screening = f.celsius()
	f.skip(`,"rated_min_c":`)
	t.RatedMin = f.celsius()
	f.skip(`,"rated_max_c":`)
	t.RatedMax = f.celsius()
	f.skip(`,"samples":`)
	t.Samples = int(f.integer())
	f.skip(`,"duration_ms":`)
	t.DurationMS = f.integer()
	f.skip(`,"settled":`)
	if t.Settled = f.try("true"); !t.Settled {
		f.skip("false")
	}
	t.Hot = f.try(`,"hot":true`)
	t.Drift = f.try(`,"drift":true`)
	t.Supersedes = f.try(`,"supersedes":true`)
	f.skip(`}`)
	return t
}

func (f *bodyText) entered() *Entered {
	e := new(Entered)
	f.skip(`{"value_c":`)
	e.Value = f.celsius()
	f.skip(`,"with":`)
	e.With = fact.HandHeld(f.text())
	if f.try(`,"of":[`) {
		for more := f.ok; more; more = f.try(`,`) && f.ok {
			e.Of = append(e.Of, f.number())
		}
		f.skip(`]`)
	}
	f.skip(`}`)
	return e
}

func (f *bodyText) usual() *Usual {
	u := new(Usual)
	f.skip(`{"ambient_c":`)
	u.Ambient = f.celsius()
	f.skip(`,"readings":`)
	u.Readings = int(f.integer())
	f.skip(`,"median_c":`)
	u.Median = f.celsius()
	f.skip(`,"spread_c":`)
	u.Spread = f.celsius()
	f.skip(`,"high_c":`)
	u.High = f.celsius()
	f.skip(`}`)
	return u
}

// text returns the string that comes next, if JSON writes it as it is.
func (f *bodyText) text() string {
	f.skip(`"`)
	ascii := true
	for i := f.i; i < len(f.b); i++ {
		switch c := f.b[i]; {
		case c == '"':
			found := f.all[f.i:i]
			f.i = i + 1
			f.ok = f.ok && (ascii || utf8.ValidString(found))
			return found
		case c == '\\' || c < ' ':
			f.ok = false
			return ""
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	f.ok = false
	return ""
}

// integer returns the number that comes next, which is not negative.
func (f *bodyText) integer() int64 {
	n := f.number()
	f.ok = f.ok && n <= math.MaxInt64
	return int64(n)
}

// celsius returns the temperature that comes next, if it is written with two
// decimals.
func (f *bodyText) celsius() fact.Temp {
	negative := f.try(`-`)
	whole := f.number()
	f.skip(`.`)
	if !f.ok || whole >= 1000 || len(f.b) < f.i+2 || !digit(f.b[f.i]) || !digit(f.b[f.i+1]) {
		f.ok = false
		return 0
	}
	t := fact.Temp(whole)*100 + fact.Temp(f.b[f.i]-'0')*10 + fact.Temp(f.b[f.i+1]-'0')
	f.i += 2
	if negative {
		return -t
	}
	return t
}
