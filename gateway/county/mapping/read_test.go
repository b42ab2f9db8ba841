package mapping

import (
	"math"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/wire"
)

func TestMappingsThatAreWrong(t *testing.T) {
	flow := map[string]string{"flow_lpm": "a"}
	for want, topic := range map[string]Topic{
		"own topic":            {Topic: "tele/#", Value: "command"},
		"without + and #":      {Topic: "gatehouse/v1/x", Value: "command"},
		"one of them":          {Topic: "a"},
		"value or fields":      {Topic: "a", Value: "command", Fields: flow},
		`"flow" is none of at`: {Topic: "a", Value: "flow"},
		`"flow_ppm" is none`:   {Topic: "a", Fields: flow, Scale: map[string]float64{"flow_ppm": 2}},
		"no number that this":  {Topic: "a", Fields: flow, Scale: map[string]float64{"volume_l": 2}},
		"scale: command is":    {Topic: "a", Value: "command", Scale: map[string]float64{"command": 2}},
		"multiplied by 0":      {Topic: "a", Fields: flow, Scale: map[string]float64{"flow_lpm": 0}},
		"multiplied by NaN":    {Topic: "a", Fields: flow, Scale: map[string]float64{"flow_lpm": math.NaN()}},
		"multiplied by +Inf":   {Topic: "a", Fields: flow, Scale: map[string]float64{"flow_lpm": math.Inf(1)}},
		"value of flow_lpm":    {Topic: "a", Fields: map[string]string{"flow_lpm": "a", "tank_pct": "a"}},
		"json belongs":         {Topic: "a", Value: "command", JSON: "b"},
		"json: \"a..b\"":       {Topic: "a", Fields: flow, JSON: "a..b"},
		"flow_lpm: \"\"":       {Topic: "a", Fields: map[string]string{"flow_lpm": ""}},
		"an offset such as":    {Topic: "a", Value: "command", Zone: "Beijing"},
		"own setting":          {Topic: "a", Value: "command", Zone: "Local"},
		`"go" is in on: and`:   {Topic: "a", Value: "command", On: []string{"go"}, Off: []string{"x", "GO "}},
	} {
		faults := topic.Faults()
		if len(faults) != 1 || !strings.Contains(faults[0], want) {
			t.Errorf("%s: %q", want, faults)
		}
	}
	for _, path := range []string{"", ".", "a.", ".a", "a..b", "a[", "a[]", "a[=x]", "a[0", "a[n=x", `a\`, "a[0]b",
		`a["x"`, "$."} {
		if p, err := parsePath(path); err == nil || !strings.Contains(err.Error(), "write a path as FLOW.Rate") {
			t.Errorf("%s: %v, %v", path, p, err)
		}
	}
	if _, err := parsePath(strings.Repeat("a.", maxSteps-1) + "a"); err != nil {
		t.Error(err)
	}
	if _, err := parsePath(strings.Repeat("a.", maxSteps) + "a"); err == nil {
		t.Error("a path without end is accepted")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"v":1,"at":"2020-02-14T06:00:00Z","lat":35.9,"flow_lpm":6.2}`), "FLOW.Rate")
	f.Add([]byte(`{"FLOW":{"Rate":1}}`), "FLOW.Rate")
	f.Add([]byte(`1.5`), "a")
	f.Fuzz(func(t *testing.T, payload []byte, path string) {
		position := map[string]string{"at": "Time", "lat": path, "lon": "Lon"}
		faults := map[string]string{"at": "Time", "fault": path}
		readers := []func([]byte) (Reading, error){Documented}
		for _, topic := range []Topic{
			{Topic: "a", Value: "flow_lpm"}, {Topic: "a", Fields: position, JSON: path}, {Topic: "a", Fields: faults},
		} {
			if m, faults := topic.New(time.UTC); len(faults) == 0 {
				readers = append(readers, m.Read)
			}
		}
		for _, read := range readers {
			r, err := read(payload)
			if err == nil && !r.Empty() && r.Report.Check() != nil {
				t.Errorf("%+v", r)
			}
			if sent, err2 := wire.Encode(r.Report); err == nil && !r.Empty() {
				if _, err := wire.Decode[wire.Report](sent); err != nil || err2 != nil {
					t.Errorf("%+v can't be sent: %v, %v", r, err, err2)
				}
			}
		}
	})
}
