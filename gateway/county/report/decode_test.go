package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

func TestBadReports(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	for payload, why := range map[string]string{
		"": "JSON", `hello`: "JSON", `[1]`: "JSON array",
		`{"v":2,"flow_lpm":1}`: "version 2", `{"v":1}`: "says nothing",
		`{"v":1,"flow_lpm":"5"}`: "flow_lpm: a string", `{"v":1,"command":1}`: "command", `{"flow_lpm":5}`: "version 0",
		`{"v":1,"at":"yesterday","lat":1}`: "yesterday", `{"v":1,"flow_lpm":1e999}`: "flow_lpm",
		`{"v":1,"command":true,"points":[{"t_ms":1}]}`:         "import",
		`{"v":1,"x":"` + strings.Repeat("x", maxReport) + `"}`: "larger",
	} {
		before := len(c.poison())
		c.say(topic, payload)
		after := c.poison()
		all := strings.Join(after, " ")
		if len(after) != before+1 || !strings.Contains(all, why) || strings.Contains(all, "Values.") {
			t.Errorf("%.60s: quarantine has %q, want %q", payload, after, why)
		}
	}
	c.say("gatehouse/v1/qinghe/Drone-9/report", `{"v":1,"command":true}`)
	if all := strings.Join(c.poison(), " "); !strings.Contains(all, `id "Drone-9": must be 1 to 48 characters of a-z`) {
		t.Errorf("a capital letter in the topic: %s", all)
	}
	if n := len(c.rows(wire.KindTrack)); n != 0 {
		t.Errorf("%d were kept", n)
	}
	c.say(topic, `{"v":1,"command":true,"flow_lpm":5,"colour":"red","nested":{"a":[1]}}`) // fields of tomorrow
	c.say("gatehouse/v1/qinghe/drone-9/report", `{"v":1,"lat":91,"lon":10,"flow_lpm":-3,"tank_pct":55}`)
	rows := c.rows(wire.KindTrack)
	if len(rows) != 2 {
		t.Fatalf("%d are kept, want 2", len(rows))
	}
	body, err := rows[1].DecodeBody()
	must(t, err)
	if p := body.(*wire.Track).Points[0]; p.Lat != nil || p.Flow != nil || *p.Tank != 55 {
		t.Errorf("%+v", p)
	}
}

func TestOtherFirmware(t *testing.T) {
	known := Machine{Config: machine.Config{Machine: "fogger-7", Name: "7号", Type: "fogger"}}
	known.Topics = []mapping.Topic{
		{Topic: "tele/fog7/SENSOR", Scale: map[string]float64{"flow_lpm": 1.0 / 60},
			Fields: map[string]string{"at": "Time", "flow_lpm": "FLOW.Rate", "volume_l": "FLOW.Total"}},
		{Topic: "stat/fog7/POWER", Value: "command"}, {Topic: "esp/sensor/tank/state", Value: "tank_pct"},
	}
	must(t, known.Check())
	c := newCounty(t, t.TempDir(), known)
	defer c.end()
	if n := len(c.Filters()); n != 4 {
		t.Errorf("%d filters", n)
	}
	for i := range 30 {
		c.now = begin.Add(time.Duration(i) * 2 * time.Second)
		switch {
		case i == 3:
			c.say("stat/fog7/POWER", "ON")
		case i == 25:
			c.say("stat/fog7/POWER", "OFF")
		case i%5 == 0:
			c.say("esp/sensor/tank/state", fmt.Sprint(90-i))
		default:
			rate, total := 0, 50+float64(max(0, min(i, 25)-3))*0.2
			if i > 3 && i < 25 {
				rate = 360
			}
			c.say("tele/fog7/SENSOR", fmt.Sprintf(`{"Time":%q,"FLOW":{"Rate":%d,"Total":%.2f}}`,
				c.now.Format(time.RFC3339), rate, total))
		}
	}
	c.say("stat/fog7/POWER", "?")
	c.say("esp/sensor/tank/state", "unavailable")
	c.say("tele/fog7/SENSOR", "Online")
	held := c.poison()
	bad := strings.Join(held, "; ")
	if len(held) != 2 || !strings.Contains(bad, "neither on nor off") || !strings.Contains(bad, "JSON object") {
		t.Errorf("quarantine: %s", bad)
	}
	c.now = c.now.Add(time.Hour)
	c.Tick(t.Context(), c.now)
	if got := c.runsOf("fogger-7"); len(got) != 1 || !strings.Contains(got[0], "closed measured 4.") {
		t.Errorf("%q", got)
	}
}
