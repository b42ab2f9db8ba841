package mapping

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

// Each unit that is known behind a number, what one of it is in the field's unit.
func TestUnitsBehindNumbers(t *testing.T) {
	for field, spellings := range map[string]map[string]float64{
		"flow_lpm": {
			"L/min": 1, "lpm": 1, "l/minute": 1, "升/分": 1, "升/分钟": 1, "L/h": 1. / 60, "l/hr": 1. / 60, "LPH": 1. / 60,
			"升/时": 1. / 60, "升/小时": 1. / 60, "l/s": 60, "升/秒": 60, "mL/min": .001, "毫升/分": .001, "毫升/分钟": .001,
			"m3/h": 1000. / 60, "m³/h": 1000. / 60, "立方米/小时": 1000. / 60, "方/时": 1000. / 60,
		},
		"volume_l": {
			"L": 1, "ltr": 1, "liter": 1, "litre": 1, "Liters": 1, "litres": 1, "升": 1, "mL": .001, "毫升": .001,
			"m3": 1000, "m³": 1000, "立方米": 1000, "方": 1000,
		},
		"tank_pct": {"%": 1, "％": 1, "pct": 1, "percent": 1},
		"speed_ms": {"m/s": 1, "mps": 1, "米/秒": 1, "km/h": 1 / 3.6, "kmh": 1 / 3.6,
			"公里/小时": 1 / 3.6, "kn": 1852. / 3600},
		"height_m": {"m": 1, "米": 1, "cm": .01, "km": 1000, "ft": .3048},
		"lat":      {"°": 1, "deg": 1, "N": 1, "E": 1, "S": -1, "W": -1, "°N": 1, "° E": 1, "°S": -1, "° W": -1},
	} {
		n, _ := fact.NumberNamed(field)
		if len(units[n.Unit]) != len(spellings) {
			t.Errorf("%s: %d units are tried of %d", field, len(spellings), len(units[n.Unit]))
		}
		for unit, want := range spellings {
			got, known, err := number(n, "2 "+unit, 0)
			if err != nil || !known || math.Abs(got-2*want) > 1e-6*math.Abs(want) {
				t.Errorf("2 %s: %g, %v; want %g", unit, got, err, 2*want)
			}
		}
	}
}

func TestZonesOfTopics(t *testing.T) {
	for name, want := range map[string]int{
		"Asia/Shanghai": 8, "UTC": 0, "GMT": 0, "Z": 0, "+08:00": 8, "-0300": -3, "+08": 8,
		"+8": 8, "-8": -8, "utc+8": 8, "UTC+08:00": 8, "GMT+08": 8,
	} {
		z, err := zoneOf(name, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		if _, seconds := time.Unix(0, 0).In(z).Zone(); seconds != want*3600 {
			t.Errorf("%s: %d s", name, seconds)
		}
	}
	for _, name := range []string{"Beijing", "Local", "CST", "8", "+8x", "+25:00:00"} {
		if z, err := zoneOf(name, shanghai); err == nil {
			t.Errorf("%s is accepted as %s", name, z)
		}
	}
}

func TestEdges(t *testing.T) {
	half := Topic{Value: "command", On: []string{"1.25"}, Off: []string{"1.3"}}
	check(t, half, "1.250", "command=true")
	check(t, half, "1.30", "command=false")
	check(t, half, "1.2", "!neither")
	flow := Topic{Fields: map[string]string{"flow_lpm": "r.0"}}
	check(t, flow, `{"r":[6,7]}`, "flow_lpm=6")
	check(t, Topic{Fields: map[string]string{"flow_lpm": "r.-1"}}, `{"r":[6,7]}`, "")
	for text, want := range map[string]string{
		"100000000000": "at=1973-03-03T09:46:40Z", "99999999999": "",
		"100000000000000": "at=1973-03-03T09:46:40Z", "100000000000000000": "at=1973-03-03T09:46:40Z",
		"9223372036854775808": "!is not a time", "-1": "", "0": "", "1": "at=1970-01-01T00:00:01Z",
		"1970-01-01T00:00:12": "at=1970-01-01T00:00:12Z", "1970-01-01T12:00:00": "at=1970-01-01T12:00:00Z",
		"1971-01-01T00:00:00": "at=1970-12-31T16:00:00Z", "1969-12-31T23:00:00Z": "", "0001-01-01T00:00:00Z": "",
		"1899-12-30 00:00:00": "", "9999-12-31T23:59:59Z": "", "2261-12-31T23:59:59Z": "at=2261-12-31T23:59:59Z",
		"2262-01-01T00:00:00Z": "", "2262-01-01T00:00:00": "at=2261-12-31T16:00:00Z",
		"1581660000,5": "at=2020-02-14T06:00:00.5Z",
	} {
		check(t, Topic{Value: "at"}, text, want)
	}
	const neither = ` is neither on nor off; add it to on: or off:`
	_, err := made(t, Topic{Value: "command"}).Read([]byte(strings.Repeat("x", 41)))
	if want := `command: "` + strings.Repeat("x", 40) + `…"` + neither; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	nested := made(t, Topic{Fields: map[string]string{"command": "a.b"}})
	_, err = nested.Read([]byte(`{"a":{"b":"` + strings.Repeat("x", 40) + `"}}`))
	if want := `a.b: command: "` + strings.Repeat("x", 40) + `"` + neither; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	deep := strings.Repeat(`[`, maxDepth+1) + "1" + strings.Repeat("]", maxDepth+1)
	if out := Leaves([]byte(deep)); len(out) != 1 || out[0].Text != `[1]` {
		t.Errorf("%v", out)
	}
	if out := Leaves([]byte(`{"a":"` + strings.Repeat("x", 60) + `"}`)); out[0].Text != strings.Repeat("x", 60) {
		t.Errorf("%v", out)
	}
	m := made(t, Topic{JSON: "o", Fields: map[string]string{"flow_lpm": "f", "at": "t"}})
	if out := m.Unmapped([]byte(`{"o":"{\"f\":1,\"g\":2}","t":3,"f":4,"h":5}`)); fmt.Sprint(out) != "[{h 5} {o.g 2}]" {
		t.Errorf("%v", out)
	}
}

// anyJSON draws a JSON value of some depth, with keys that need escaping.
func anyJSON(t *rapid.T, depth int) json.RawMessage {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	if depth == 0 {
		kind = 0
	}
	var b strings.Builder
	switch kind {
	case 1, 2:
		b.WriteString("{")
		for i, key := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
			"a", "b.c", "d[0]", `e\f`, "流量", "name", "5", "$x", "sp ace", "]"}), 0, 4, rapid.ID).Draw(t, "keys") {
			if i > 0 {
				b.WriteString(",")
			}
			quoted, _ := json.Marshal(key)
			fmt.Fprintf(&b, "%s:%s", quoted, anyJSON(t, depth-1))
		}
		b.WriteString("}")
	case 3:
		b.WriteString("[")
		for i := range rapid.IntRange(0, 3).Draw(t, "elements") {
			if i > 0 {
				b.WriteString(",")
			}
			b.Write(anyJSON(t, depth-1))
		}
		b.WriteString("]")
	default:
		b.WriteString(rapid.SampledFrom([]string{`1`, `"x"`, `true`, `null`, `-2.5e3`, `""`}).Draw(t, "leaf"))
	}
	return json.RawMessage(b.String())
}

// Each path that is offered for a message leads to its value.
func TestPathsThatAreOfferedLeadThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := anyJSON(t, 4)
		names := map[string]bool{}
		for _, leaf := range Leaves(doc) {
			if names[leaf.Path] {
				continue // several elements have the same name: it leads to the last
			}
			names[leaf.Path] = true
			p, err := parsePath(leaf.Path)
			if err != nil {
				t.Fatalf("%s of %s: %v", leaf.Path, doc, err)
			}
			if raw, ok := p.find(doc); !ok || composed(raw) && len(raw) > 2 {
				t.Fatalf("%s of %s leads to %s, %t", leaf.Path, doc, raw, ok)
			}
		}
	})
}

// A field without a value changes no other field.
func TestNoValueChangesNothingElse(t *testing.T) {
	fields := map[string]string{}
	for _, name := range names() {
		fields[name] = name
	}
	m := made(t, Topic{Fields: fields})
	rapid.Check(t, func(t *rapid.T) {
		none := []string{`NaN`, `"nan"`, `null`, `None`, `"unavailable"`, `""`, `"-"`, `-Infinity`, `"unknown"`}
		with, without := []string{`"x":1`}, []string{`"x":1`}
		for _, name := range names() {
			value := `1`
			if rapid.Bool().Draw(t, "absent") {
				value = rapid.SampledFrom(none).Draw(t, "none")
			} else {
				without = append(without, fmt.Sprintf("%q:%s", name, value))
			}
			with = append(with, fmt.Sprintf("%q:%s", name, value))
		}
		a, err := m.Read([]byte("{" + strings.Join(with, ",") + "}"))
		b, err2 := m.Read([]byte("{" + strings.Join(without, ",") + "}"))
		if err != nil || err2 != nil || said(a) != said(b) || a.Empty() != b.Empty() {
			t.Fatalf("%s, %v; want %s, %v", said(a), err, said(b), err2)
		}
	})
}
