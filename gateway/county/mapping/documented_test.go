package mapping

import (
	"fmt"
	"strings"
	"testing"
)

func TestTheDocumentedForm(t *testing.T) {
	for payload, want := range map[string]string{
		`{"v":1,"flow_lpm":6.2,"volume_l":12.5}`:                           "flow_lpm=6.2 volume_l=12.5",
		`{"v":1,"flow_lpm":NaN,"volume_l":12.5}`:                           "volume_l=12.5",
		`{"v":1,"at":null,"lat":-Infinity,"lon":None,"command":True}`:      "command=true",
		`{"v":1,"flow_lpm":"nan","volume_l":12.5,"command":"unavailable"}`: "volume_l=12.5",
		`{"v":1,"at":"","tank_pct":80}`:                                    "tank_pct=80",
		`{"v":1,"at":"2020-02-14T14:00:00+08:00","tank_pct":80,"fault":"none"}`://
		"at=2020-02-14T06:00:00Z tank_pct=80 fault=none",
		`{"v":1,"flow_lpm":nan}`:                              "",
		`{"v":1,"flow_lpm":null,"at":"2020-02-14T06:00:00Z"}`: "at=2020-02-14T06:00:00Z",
		`{"v":1}`:                                   "!says nothing",
		`{"v":1,"at":"2020-02-14T06:00:00Z"}`:       "!says nothing",
		`{"v":2,"flow_lpm":null}`:                   "!version 2",
		`{"flow_lpm":6.2}`:                          "!version 0",
		`{"v":1,"flow_lpm":"6.2","volume_l":"nan"}`: "!flow_lpm: a string can't be a float64",
		`{"v":1,"command":"ON"}`:                    "!command: a string can't be a bool",
		`{"v":1,"command":1}`:                       "!command: a number",
		`{"v":1,"flow_lpm":null,"points":[{}]}`:     "!points belong to an import",
		`[1]`:                                       "!JSON array, not an object",
		"\ufeff{\"v\":1,\"flow_lpm\":6.2}":          "!not JSON",
		"{\"v\":1,\"flow_lpm\":6.2}\x00":            "!not JSON",
		`{"v":1,"flow_lpm":6.2`:                     "!not JSON",
		`"x"`:                                       "!not an object",
		``:                                          "!not JSON",
	} {
		r, err := Documented([]byte(payload))
		if why, bad := strings.CutPrefix(want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "Values.") {
				t.Errorf("%s: %v, want %s", payload, err, why)
			}
			continue
		}
		bare := strings.TrimPrefix(want, "at=2020-02-14T06:00:00Z")
		if got := said(r); err != nil || got != want || r.Empty() != (bare == "") {
			t.Errorf("%s: %q, empty %t, %v; want %q", payload, got, r.Empty(), err, want)
		}
	}
	r, err := Documented([]byte(`{"v":1,"volume_l":12.5,"flow_lpm":NaN,"colour":"red"}`))
	if got := fmt.Sprint(r.Fields); err != nil || got != "[{flow_lpm flow_lpm null 1} {volume_l volume_l 12.5 2}]" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestWhatBecomesOfEachField(t *testing.T) {
	m := made(
		t,
		Topic{Fields: map[string]string{"flow_lpm": "F.Rate", "volume_l": "F.Total", "tank_pct": "T", "at": "Time"}},
	)
	r, err := m.Read([]byte(`{"F":{"Rate":" nan ","Total":13.5},"Time":"2020-02-14T14:00:00"}`))
	const want = "[{at Time 2020-02-14T14:00:00 2} {flow_lpm F.Rate nan 1} {volume_l F.Total 13.5 2} {tank_pct T  0}]"
	if got := fmt.Sprint(r.Fields); err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
}

func TestOneWarningOfAFieldThatNeverComes(t *testing.T) {
	m := made(
		t,
		Topic{
			Fields: map[string]string{
				"flow_lpm": "FLOW.rate",
				"volume_l": "FLOW.Total",
				"command":  "power",
				"at":       "X",
			},
		},
	)
	var tally Tally
	add := func(payload string) string {
		t.Helper()
		r, err := m.Read([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		return tally.Add(r, []byte(payload))
	}
	for i := range enough - 1 {
		payload := `{"FLOW":{"Rate":1,"Total":2},"other":{"Rate":3}}`
		if i < 3 {
			payload = `{"linkquality":61}`
		}
		if i == 4 {
			payload = `{"power":null}`
		}
		if w := add(payload); w != "" {
			t.Fatalf("message %d: %s", i+1, w)
		}
	}
	const want = "in 20 messages there was no X (at), no FLOW.rate (flow_lpm), but FLOW.Rate: " +
		"check the spelling with gatehouse machines try"
	if w := add(`{"FLOW":{"Rate":1,"Total":2},"other":{"Rate":3}}`); w != want {
		t.Errorf("%q", w)
	}
	if w := add(`{}`); w != "" || tally.Empty() != 5 {
		t.Errorf("%q, %d empty", w, tally.Empty())
	}
	var good Tally
	for range 2 * enough {
		r, _ := m.Read([]byte(`{"FLOW":{"rate":1,"Total":2},"power":"ON","X":1581660000}`))
		if w := good.Add(r, nil); w != "" {
			t.Fatal(w)
		}
	}
	for path, want := range map[string]string{"FLOW.Total": "", "a.rate": ", but F.Rate", "f.rate": ", but F.Rate",
		"g": ""} {
		if got := likely(path, []byte(`{"F":{"Rate":1},"b":{"rate":2}}`)); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
	if got := likely("b.Rate", []byte(`{"F":{"Rate":1},"b":{"rate":2}}`)); got != ", but b.rate" {
		t.Errorf("%q", got)
	}
}

func TestLeaves(t *testing.T) {
	payload := `{"b":{"x.y":1,"z":null},"a":[{"name":"flow","value":"6.2"},{"name":"","v":2},7],"s":"{\"in\":true}",` +
		`"e":{},"k[0]":1,"long":"` + strings.Repeat(
		"长",
		61,
	) + `"}`
	const want = `a[name=flow].name=flow a[name=flow].value=6.2 ` +
		`a[1].name= a[1].v=2 a[2]=7 b.x\.y=1 b.z=null k\[0]=1 long=`
	var got []string
	for _, leaf := range Leaves([]byte(payload)) {
		got = append(got, leaf.Path+"="+leaf.Text)
		p, err := parsePath(leaf.Path)
		if err != nil {
			t.Fatal(err)
		}
		if raw, ok := p.find([]byte(payload)); !ok || shorten(textOf(raw), 60) != leaf.Text {
			t.Errorf("%s leads to %s", leaf.Path, raw)
		}
	}
	if all := strings.Join(got, " "); all != want+strings.Repeat("长", 60)+"… s.in=true" {
		t.Errorf("%s", all)
	}
	deep := strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1)
	if out := Leaves([]byte(deep)); len(out) != 1 || out[0].Text != `{"a":1}` {
		t.Errorf("%v", out)
	}
	if out := Leaves([]byte("[" + strings.Repeat("1,", maxLeaves+5) + "1]")); len(out) != maxLeaves {
		t.Errorf("%d leaves", len(out))
	}
	for _, none := range []string{"", "x", "5", `"text"`, "null", "{}"} {
		if out := Leaves([]byte(none)); len(out) != 0 {
			t.Errorf("%s: %v", none, out)
		}
	}
}
