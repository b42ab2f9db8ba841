package homeassistant

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
)

var noon = time.Date(2020, 2, 14, 4, 0, 31, 0, time.UTC)

func view() View {
	tank, litres := 61.0, 13.5
	return View{County: "qinghe", Name: "清河县", Version: "1",
		Gates: []Gate{
			{ID: "gate-001", Name: "东苑", Area: "河东社区", State: fact.Online, Heard: noon, Alerts: 2,
				Hour: map[fact.Verdict]int{fact.VerdictPass: 7, fact.VerdictFever: 1}},
			{ID: "gate-002", State: fact.Never},
		},
		Machines: []Machine{{ID: "drone-7", Name: "7号", Kind: "drone", State: fact.MachineWorking,
			Heard: &noon, Tank: &tank,
			Last: &Run{State: fact.RunClosed, Grade: "proven", Litres: &litres, Start: noon}}},
	}
}

// keys are those that the schemas of Home Assistant 2026.11 know (homeassistant/components/mqtt:
// schemas.py, sensor.py, binary_sensor.py), as far as they are used here.
var keys = map[string][]string{
	"":       {"device", "origin", "components", "state_topic", "availability_topic", "qos"},
	"device": {"identifiers", "name", "manufacturer", "model", "suggested_area"},
	"origin": {"name", "sw_version"},
	"sensor": {"platform", "name", "unique_id", "value_template", "device_class", "state_class",
		"unit_of_measurement", "options", "entity_category", "icon"},
	"binary_sensor": {"platform", "name", "unique_id", "value_template", "device_class"},
}

func known(t *testing.T, kind string, x map[string]any) {
	t.Helper()
	for k := range x {
		if !slices.Contains(keys[kind], k) {
			t.Errorf("%q: Home Assistant knows no %s", kind, k)
		}
	}
}

func TestDescriptionsAreWhatHomeAssistantKnows(t *testing.T) {
	devices, err := Messages(view())
	if err != nil || len(devices) != 3 {
		t.Fatalf("%d devices, %v", len(devices), err)
	}
	// TOPIC_MATCHER of Home Assistant's discovery.py, behind the prefix.
	topic := regexp.MustCompile(`^homeassistant/(\w+)/(?:([a-zA-Z0-9_-]+)/)?([a-zA-Z0-9_-]+)/config$`)
	icon := regexp.MustCompile(`^mdi:[a-z-]+$`)
	unique := map[string]bool{}
	for id, list := range devices {
		if !topic.MatchString(list[0].Topic) || topic.MatchString(list[1].Topic) {
			t.Errorf("%s: %s, %s", id, list[0].Topic, list[1].Topic)
		}
		var d map[string]any
		var state map[string]any
		if err := errors.Join(json.Unmarshal([]byte(list[0].Payload), &d),
			json.Unmarshal([]byte(list[1].Payload), &state)); err != nil {
			t.Fatal(err)
		}
		known(t, "", d)
		known(t, "device", d["device"].(map[string]any))
		known(t, "origin", d["origin"].(map[string]any))
		if d["state_topic"] != list[1].Topic || d["availability_topic"] != "homeassistant/gatehouse-qinghe/available" {
			t.Errorf("%s: %v", id, d)
		}
		components := d["components"].(map[string]any)
		for key, x := range components {
			c := x.(map[string]any)
			known(t, c["platform"].(string), c)
			if unique[c["unique_id"].(string)] || !strings.Contains(c["value_template"].(string), "value_json."+key) {
				t.Errorf("%s %s: %v", id, key, c)
			}
			unique[c["unique_id"].(string)] = true
			if text, is := c["icon"].(string); is && !icon.MatchString(text) {
				t.Errorf("%s %s: icon %s", id, key, text)
			}
			// validate_sensor_state_and_device_class_config
			if c["options"] != nil &&
				(c["device_class"] != "enum" || c["state_class"] != nil || c["unit_of_measurement"] != nil) {
				t.Errorf("%s %s: options of %v", id, key, c)
			}
		}
		for key := range state {
			if components[key] == nil {
				t.Errorf("%s: nothing shows %s", id, key)
			}
		}
	}
}

func TestStatesSayWhatIsKnown(t *testing.T) {
	devices, err := Messages(view())
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"gatehouse-qinghe-gate-gate-001": `{"online":true,"heard":"2020-02-14T04:00:00Z","alerts":2,"pass":7,` +
			`"fever":1,"refuse":0,"retest":0,"invalid":0}`,
		"gatehouse-qinghe-gate-gate-002": `{"alerts":0,"pass":0,"fever":0,"refuse":0,"retest":0,"invalid":0}`,
		"gatehouse-qinghe-machine-drone-7": `{"state":"working","heard":"2020-02-14T04:00:00Z","tank":61,` +
			`"run":"closed","grade":"proven","litres":13.5,"began":"2020-02-14T04:00:00Z"}`,
	} {
		if list := devices[id]; len(list) != 2 || list[1].Payload != want {
			t.Errorf("%s: %v", id, list)
		}
	}
}

func TestDevicesAreBounded(t *testing.T) {
	v := View{County: "c", Gates: make([]Gate, mostDevices+5)}
	for i := range v.Gates {
		v.Gates[i].ID = "g" + strings.Repeat("x", i%40) + time.Duration(i).String()
	}
	devices, err := Messages(v)
	if err != nil || len(devices) != mostDevices {
		t.Errorf("%d devices, %v", len(devices), err)
	}
}

// recorder is a broker that keeps what is retained.
type recorder struct {
	retained map[string]string
	sent     int
	err      error
	left     int // so many are taken before err
	then     []func()
}

func (r *recorder) PublishThen(m mqtt.Message, then func()) error {
	if r.left--; r.err != nil && r.left < 0 {
		return r.err
	}
	r.sent++
	r.then = append(r.then, then)
	if r.retained[m.Topic] = string(m.Payload); len(m.Payload) == 0 {
		delete(r.retained, m.Topic)
	}
	if !m.Retained || m.QoS != 1 {
		return errors.New("not retained")
	}
	return nil
}

func announcer(t *testing.T, dir string, look func(context.Context) (View, error)) *Announcer {
	t.Helper()
	a, err := New("qinghe", filepath.Join(dir, "homeassistant.json"), look, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func say(t *testing.T, a *Announcer, r *recorder) (sent int) {
	t.Helper()
	before := r.sent
	if err := a.Say(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, then := range r.then {
		then()
	}
	r.then = nil
	return r.sent - before
}

func TestOnlyWhatHasChangedIsSaid(t *testing.T) {
	dir, v := t.TempDir(), view()
	look := func(context.Context) (View, error) { return v, nil }
	r := &recorder{retained: map[string]string{}}
	a := announcer(t, dir, look)
	if n := say(t, a, r); n != 6 {
		t.Errorf("at first %d", n)
	}
	if n := say(t, a, r); n != 0 {
		t.Errorf("again %d", n)
	}
	v.Gates[0].Alerts++
	if n := say(t, a, r); n != 1 {
		t.Errorf("after a change %d", n)
	}
	v.Gates = v.Gates[:1] // gate-002 is out of service
	if n := say(t, a, r); n != 2 || len(r.retained) != 4 {
		t.Errorf("after a gate has gone %d: %v", n, r.retained)
	}
	a.Up()
	if n := say(t, a, r); n != 4 {
		t.Errorf("after the connection was made %d", n)
	}

	a = announcer(t, dir, look) // started again, without the machine
	v.Machines = nil
	if say(t, a, r); len(r.retained) != 2 {
		t.Errorf("after a start %v", r.retained)
	}
	a = announcer(t, dir, nil) // discovery was turned off
	if a.Idle() {
		t.Error("nothing is taken back")
	}
	if say(t, a, r); len(r.retained) != 0 || a.Idle() {
		t.Errorf("turned off: %v", r.retained)
	}
	if n := say(t, a, r); n != 0 || !a.Idle() { // the broker has it
		t.Errorf("%d are taken back twice", n)
	}
	if a = announcer(t, dir, nil); !a.Idle() {
		t.Error("after that there is still something to do")
	}
}

// Whatever is interrupted, nothing stays at the broker of which the file does not know.
func TestWhatWasSaidIsTakenBackAfterAnInterruption(t *testing.T) {
	for _, err := range []error{mqtt.ErrOffline, errors.New("refused")} {
		for left := range 7 {
			dir, r := t.TempDir(), &recorder{retained: map[string]string{}, err: err, left: left}
			a := announcer(t, dir, func(context.Context) (View, error) { return view(), nil })
			if got := a.Say(t.Context(), r); (got == nil) != (left >= 6 || errors.Is(err, mqtt.ErrOffline)) {
				t.Errorf("%v after %d: %v", err, left, got)
			}
			r.err = nil
			if say(t, announcer(t, dir, nil), r); len(r.retained) != 0 {
				t.Errorf("%v after %d: %v stay", err, left, r.retained)
			}
		}
	}
}

func TestAFileThatIsDamagedIsSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New("c", path, nil, nil); err == nil {
		t.Error("no error")
	}
}
