package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

var shanghai = time.FixedZone("CST", 8*3600)

func made(t *testing.T, topic Topic) *Mapping {
	t.Helper()
	topic.Topic = "a"
	m, faults := topic.New(shanghai)
	if len(faults) > 0 {
		t.Fatalf("%q", faults)
	}
	return m
}

// said returns what a reading says, as text.
func said(r Reading) string {
	var out []string
	if r.Report.At != nil {
		out = append(out, "at="+r.Report.At.Format(time.RFC3339Nano))
	}
	for _, n := range fact.Numbers() {
		if v := *n.Of(&r.Report.Values); v != nil {
			out = append(out, fmt.Sprintf("%s=%.6g", n.Name, *v))
		}
	}
	for _, f := range fact.Flags() {
		if v := *f.Of(&r.Report.Values); v != nil {
			out = append(out, fmt.Sprintf("%s=%t", f.Name, *v))
		}
	}
	if r.Report.Fault != "" {
		out = append(out, "fault="+r.Report.Fault)
	}
	return strings.Join(out, " ")
}

func TestWordsForOnAndOff(t *testing.T) {
	plain := Topic{Value: "command"}
	words := Topic{Value: "command", On: []string{"Running", "开"}, Off: []string{"Stopped", "关", "-"}}
	around := Topic{Value: "command", On: []string{"0"}, Off: []string{"1"}}
	for _, c := range []struct {
		topic         Topic
		payload, want string
	}{
		{plain, "ON", "command=true"}, {plain, "off", "command=false"}, {plain, "True", "command=true"},
		{plain, "1", "command=true"}, {plain, "0", "command=false"}, {plain, "yes", "command=true"},
		{plain, "No", "command=false"}, {plain, "1.0", "command=true"}, {plain, "0.00", "command=false"},
		{plain, "ON\x00", "command=true"}, {plain, "OFF\r\n", "command=false"}, {plain, "\ufeffON", "command=true"},
		{plain, `"ON"`, "command=true"}, {plain, ` "off\u0000" `, "command=false"}, {plain, "false", "command=false"},
		{plain, "unavailable", ""}, {plain, "Unknown", ""}, {plain, "", ""}, {plain, "None", ""}, {plain, "null", ""},
		{plain, "NaN", ""}, {plain, "\x00", ""}, {plain, `""`, ""}, {plain, "-", ""}, {plain, "UNDEF", ""},
		{plain, "standby", `!command: "standby" is neither on nor off; add it to on: or off:`},
		{plain, "2", `!"2" is neither`}, {plain, "online", "!neither"}, {plain, "开", "!neither"},
		{plain, `"ON`, "!neither"},
		{plain, `{"state":"ON"}`, "!give fields with a path instead of value (it has state)"},
		{words, "running", "command=true"}, {words, "STOPPED", "command=false"}, {words, "开", "command=true"},
		{words, "关", "command=false"}, {words, "-", "command=false"}, {words, "on", "command=true"},
		{around, "0", "command=true"}, {around, "1", "command=false"}, {around, "off", "command=false"},
		{around, "0.0", "command=true"}, {around, "1.00", "command=false"}, {plain, "-0", "!neither"},
	} {
		check(t, c.topic, c.payload, c.want)
	}
}

// check reads a payload and compares: an error begins with ! in want.
func check(t *testing.T, topic Topic, payload, want string) {
	t.Helper()
	r, err := made(t, topic).Read([]byte(payload))
	if why, bad := strings.CutPrefix(want, "!"); bad {
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %s", payload, err, why)
		}
		return
	}
	if got := said(r); err != nil || got != want ||
		r.Empty() != (want == "" || !strings.Contains(strings.ReplaceAll(want, "at=", ""), "=")) {
		t.Errorf("%q: %q, empty %t, %v; want %q", payload, got, r.Empty(), err, want)
	}
}

func TestNumbersAsFirmwareWritesThem(t *testing.T) {
	flow, total, lon := Topic{Value: "flow_lpm"}, Topic{Value: "volume_l"}, Topic{Value: "lon"}
	scaled := Topic{Value: "flow_lpm", Scale: map[string]float64{"flow_lpm": 0.5}}
	for _, c := range []struct {
		topic         Topic
		payload, want string
	}{
		{flow, "6.2", "flow_lpm=6.2"}, {flow, " 6.2\n", "flow_lpm=6.2"}, {flow, `"6.2"`, "flow_lpm=6.2"},
		{flow, "+6", "flow_lpm=6"}, {flow, ".5", "flow_lpm=0.5"}, {flow, "6.", "flow_lpm=6"},
		{flow, "-0.1", "flow_lpm=-0.1"},
		{flow, "6.2e0", "flow_lpm=6.2"}, {flow, "6,2", "flow_lpm=6.2"}, {flow, "0,123", "flow_lpm=0.123"},
		{flow, "12,50", "flow_lpm=12.5"}, {total, "1.234,5", "volume_l=1234.5"}, {total, "1,234.5", "volume_l=1234.5"},
		{total, "1234,567", "volume_l=1234.57"}, {total, "12,3456", "volume_l=12.3456"},
		{total, "1,234", "!may be a thousand times as much"}, {total, "-12,345", "!thousand"},
		{total, "1,2,3", "!is not a number"}, {total, "1.2.3", "!is not a number"},
		{total, "1,23.4", "!is not a number"},
		{flow, "6.2 L/min", "flow_lpm=6.2"}, {flow, "6.2L/MIN", "flow_lpm=6.2"}, {flow, "372 L/h", "flow_lpm=6.2"},
		{flow, "1.2 m³/h", "flow_lpm=20"}, {flow, "0.1 l/s", "flow_lpm=6"}, {flow, "6200 mL/min", "flow_lpm=6.2"},
		{flow, "6.2 升/分钟", "flow_lpm=6.2"}, {total, "1.5 m3", "volume_l=1500"}, {total, "13.5 升", "volume_l=13.5"},
		{flow, "6.2 bar", `!the unit of flow_lpm is L/min; if "bar" is another one, give a scale`},
		{scaled, "6.2 bar", "flow_lpm=3.1"}, {scaled, "10 L/h", "flow_lpm=5"}, {scaled, "8", "flow_lpm=4"},
		{lon, "115.1° W", "lon=-115.1"}, {lon, "115.1°W", "lon=-115.1"}, {lon, "115.1 E", "lon=115.1"},
		{Topic{Value: "tank_pct"}, "80 %", "tank_pct=80"}, {Topic{Value: "speed_ms"}, "36 km/h", "speed_ms=10"},
		{flow, "nan", ""}, {flow, "-nan", ""}, {flow, "NaN L/min", ""}, {flow, "-- L/min", ""}, {flow, "none", ""},
		{flow, "unavailable", ""}, {flow, "inf", ""}, {flow, "-", ""}, {flow, "", ""}, {flow, "-1.#IND", ""},
		{flow, "ovf", ""},
		{flow, "six", "!is not a number"}, {flow, "true", "!is not a number"}, {flow, "0x10", "!unit"},
		{flow, "1e999", "!is not a number"}, {flow, "nan bar", "!is not a number"},
		{flow, "[1,2]", "!(it has [0], [1])"},
	} {
		check(t, c.topic, c.payload, c.want)
	}
}

func TestPlacesInJSON(t *testing.T) {
	edgex := `{"event":{"readings":[{"resourceName":"flow","value":"6.2","origin":1581660000000000000},` +
		`{"resourceName":"tank","value":"80"},{"resourceName":"flow","value":"6.3"}]}}`
	chirp := `{"applicationID":"1","time":"2020-02-14T06:00:00Z",` +
		`"objectJSON":"{\"flow\":6.2,\"valve\":{\"open\":true}}"}`
	for _, c := range []struct{ path, payload, want string }{
		{"FLOW.Rate", `{"FLOW":{"Rate":6.2}}`, "6.2"}, {"$.FLOW.Rate", `{"FLOW":{"Rate":6.2}}`, "6.2"},
		{"params.switch:0.flow", `{"params":{"switch:0":{"flow":1}}}`, "1"}, {`flow\.rate`, `{"flow.rate":2}`, "2"},
		{`["flow.rate"]`, `{"flow.rate":2}`, "2"}, {`a['b.c'].d`, `{"a":{"b.c":{"d":3}}}`, "3"},
		{`a\[0\]`, `{"a[0]":4}`, "4"}, {`a\\b`, `{"a\\b":4}`, "4"}, {"a[b]", `{"a":{"b":4}}`, "4"},
		{"流量", `{"流量":5}`, "5"},
		{"event.readings[resourceName=flow].value", edgex, "6.3"}, {"event.readings[0].value", edgex, "6.2"},
		{"event.readings[-1].value", edgex, "6.3"}, {"event.readings.1.value", edgex, "80"},
		{`event.readings[resourceName="tank"].value`, edgex, "80"},
		{"event.readings[resourceName=no].value", edgex, ""},
		{"event.readings[3].value", edgex, ""}, {"event.readings[-4].value", edgex, ""},
		{"event.readings.x", edgex, ""},
		{"[n=flow].v", `[{"bn":"x"},{"n":"flow","v":7}]`, "7"}, {"[ n = flow ].v", `[{"n":"flow","v":7}]`, "7"},
		{"[id=3].v", `[{"id":3,"v":7}]`, "7"},
		{"[0]", `[8]`, "8"},
		{"$[1]", `[8,9]`, "9"}, {"objectJSON.flow", chirp, "6.2"},
		{"objectJSON", chirp, "!path such as objectJSON.flow"},
		{"FLOW", `{"FLOW":[6.2,0]}`, "!path such as FLOW[0], FLOW[1]"}, {"FLOW", `{"FLOW":{}}`, "!is empty"},
		{"a.b", `{"a":5}`, ""}, {"a.b", `{"a":"{x"}`, ""}, {"a", `"{\"a\":1}"`, "1"}, {"a", `{"a":null}`, ""},
		{"a", `[]`, ""}, {"a", `{"A":1}`, ""}, {"a", ``, ""}, {"a", `null`, ""}, {"a", `unavailable`, ""},
		{"a", `5`, "!give value instead of fields"}, {"a", `Online`, "!not a JSON object"},
		{"a", `{"a":1`, "!JSON object"},
		{"a", "\ufeff{\"a\":1}\x00", "1"}, {"a", `{"a":nan,"b":1}`, ""},
		{"a", `{"b":-Infinity,"c":"NaN, \" nan","a":1}`, "1"},
		{"a", `{"b":None,"c":TRUE,"a":2}`, "2"}, {"a", `{"a":NaN1}`, "!JSON object"},
		{"a", `{"a":"x\"`, "!JSON object"},
	} {
		want := c.want
		if want != "" && want[0] != '!' {
			want = "flow_lpm=" + want
		}
		check(t, Topic{Fields: map[string]string{"flow_lpm": c.path}}, c.payload, want)
	}
}

func TestJSONInAString(t *testing.T) {
	topic := Topic{
		JSON:   "objectJSON",
		Fields: map[string]string{"at": "time", "flow_lpm": "flow", "command": "valve.open"},
	}
	for payload, want := range map[string]string{
		`{"time":"2020-02-14T06:00:00Z","objectJSON":"{\"flow\":6.2,\"valve\":{\"open\":true}}"}`://
		"at=2020-02-14T06:00:00Z flow_lpm=6.2 command=true",
		`{"objectJSON":"{\"flow\":NaN,\"valve\":{\"open\":0}}"}`: "command=false",
		`{"objectJSON":{"flow":1}}`: "flow_lpm=1", `{"objectJSON":""}`: "", `{"objectJSON":null}`: "",
		`{"data":"AQ=="}`:        "",
		`{"objectJSON":"hello"}`: `!json: "hello" is no JSON object`, `{"objectJSON":7}`: "!no JSON object",
	} {
		check(t, topic, payload, want)
	}
}

func TestTimesAsFirmwareWritesThem(t *testing.T) {
	for text, want := range map[string]string{
		`"2020-02-14T06:00:00Z"`: "06:00:00Z", `"2020-02-14T14:00:00+08:00"`: "06:00:00Z",
		`"2020-02-14T14:00:00+0800"`: "06:00:00Z",
		`"2020-02-14T14:00:00.5+08"`: "06:00:00.5Z", `"2020-02-14 14:00:00,250 +08:00"`: "06:00:00.25Z",
		`"2020-02-14 06:00:00 UTC"`: "06:00:00Z", `"2020-02-14t06:00:00z"`: "06:00:00Z",
		`"2020-02-14T06:00Z"`: "06:00:00Z",
		`"20200214T060000Z"`:  "06:00:00Z", `"Fri, 14 Feb 2020 06:00:00 GMT"`: "06:00:00Z",
		`"Fri, 14 Feb 2020 14:00:00 +0800"`: "06:00:00Z", `"2020-02-14 06:00:00.123456+00:00"`: "06:00:00.123456Z",
		`1581660000`: "06:00:00Z", `"1581660000"`: "06:00:00Z", `1581660000.25`: "06:00:00.25Z",
		`1581660000500`:   "06:00:00.5Z",
		`1581660000500.5`: "06:00:00.5005Z", `1581660000123456`: "06:00:00.123456Z",
		`1581660000123456789`: "06:00:00.123456789Z",
		`1.58166e9`:           "06:00:00Z", `"2020-02-14T06:00:00Z\u0000"`: "06:00:00Z",
		// without a zone
		`"2020-02-14T14:00:00"`: "~06:00:00Z", `"2020-02-14 14:00:00"`: "~06:00:00Z",
		`"2020/02/14 14:00:00"`:   "~06:00:00Z",
		`"2020-02-14T14:00:00,5"`: "~06:00:00.5Z", `"20200214140000"`: "~06:00:00Z", `20200214140000`: "~06:00:00Z",
		`"2020年02月14日 14:00:00"`: "~06:00:00Z", `"14.02.2020 14:00:00"`: "~06:00:00Z",
		`"2020-02-14 14:00"`:         "~06:00:00Z",
		`"Fri Feb 14 14:00:00 2020"`: "~06:00:00Z", `"2020/2/14 14:00:00"`: "~06:00:00Z",
		// none
		`null`: "", `""`: "", `"nan"`: "", `"0000-00-00T00:00:00"`: "", `"unavailable"`: "",
		`"yesterday"`: "!is not a time", `"14:00:00"`: "!is not a time", `"2020-02-14 14:00:00 CST"`: "!is not a time",
		`"02/14/2020 14:00:00"`: "!is not a time", `"2020-02-30T00:00:00Z"`: "!is not a time",
		`{"iso":1}`: "!such as t.iso",
		`"1e400"`:   "!is not a time", `"1581660000.x"`: "!is not a time", `99999999999999999999`: "!is not a time",
	} {
		topic := Topic{Fields: map[string]string{"at": "t", "tank_pct": "p"}}
		bare, zoneless := strings.CutPrefix(want, "~")
		full := want
		if want != "" && want[0] != '!' {
			full = "at=2020-02-14T" + bare + " tank_pct=1"
		} else if want == "" {
			full = "tank_pct=1"
		}
		check(t, topic, `{"p":1,"t":`+text+`}`, full)
		if r, err := made(t, topic).Read([]byte(`{"p":1,"t":` + text + `}`)); err == nil && r.Zoneless != zoneless {
			t.Errorf("%s: without a zone: %t", text, r.Zoneless)
		}
	}
	for zone, want := range map[string]string{"": "06:00:00Z", "UTC": "14:00:00Z", "Asia/Urumqi": "08:00:00Z",
		"+05:30": "08:30:00Z"} {
		topic := Topic{Zone: zone, Fields: map[string]string{"at": "t", "tank_pct": "p"}}
		check(t, topic, `{"p":1,"t":"2020-02-14T14:00:00"}`, "at=2020-02-14T"+want+" tank_pct=1")
	}
	check(
		t,
		Topic{Fields: map[string]string{"at": "t", "tank_pct": "p"}},
		`{"t":0,"p":1}`,
		"tank_pct=1",
	)
}

func TestFaultsInWords(t *testing.T) {
	topic := Topic{Value: "fault", Off: []string{"正常"}}
	for payload, want := range map[string]string{
		"E12 pump": "fault=E12 pump", "正常": "", "none": "", "0": "", "false": "", "": "", "true": "fault=true",
		`["E1","E2"]`: `fault=["E1","E2"]`, "[]": "", "{}": "", `"low water"`: "fault=low water", "7": "fault=7",
	} {
		check(t, topic, payload, want)
	}
}
