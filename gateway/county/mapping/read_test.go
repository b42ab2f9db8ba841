package mapping

import (
	"strings"
	"testing"
	"time"
)

func TestMappingsThatAreWrong(t *testing.T) {
	for want, topic := range map[string]Topic{
		"own topic":   {Topic: "tele/#", Value: "command"},
		"one of them": {Topic: "a"},
		"is none of":  {Topic: "a", Value: "flow"},
	} {
		if faults := topic.Faults(); !strings.Contains(strings.Join(faults, "; "), want) {
			t.Errorf("%s: %q", want, faults)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"v":1,"at":"2020-02-14T06:00:00Z","lat":35.9,"flow_lpm":6.2}`), "FLOW.Rate")
	f.Add([]byte(`{"FLOW":{"Rate":1}}`), "FLOW.Rate")
	f.Add([]byte(`1.5`), "a")
	f.Fuzz(func(t *testing.T, payload []byte, path string) {
		fields := map[string]string{"at": "Time", "lat": path, "lon": path, "fault": path}
		for _, read := range []func() (Reading, error){
			func() (Reading, error) { return Documented(payload) },
			func() (Reading, error) { return Topic{Value: "flow_lpm"}.Read(payload, time.UTC) },
			func() (Reading, error) { return Topic{Fields: fields}.Read(payload, time.UTC) },
		} {
			if r, err := read(); err == nil && r.Report.Check() != nil {
				t.Errorf("%+v", r)
			}
		}
	})
}
