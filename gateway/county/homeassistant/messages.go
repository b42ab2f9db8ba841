// Package homeassistant tells Home Assistant of the county's gates and machines, by its MQTT
// discovery: a retained description of each device, a retained state, and whether the county
// is there at all. It says nothing of people: states, times and counts.
// deploy/HOMEASSISTANT.md says how it is used.
package homeassistant

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/fact"
)

// Prefix is the first level of all topics here, Home Assistant's default.
const Prefix = "homeassistant"

// Gate is what is said of a gate.
type Gate struct {
	ID     string
	Name   string // of its compound
	Area   string // its community
	State  fact.LinkState
	Heard  time.Time // its last heartbeat; zero: never
	Alerts int       // open ones
	Hour   map[fact.Verdict]int
	// Hour counts passages since the hour began, by verdict.
}

// Machine is what is said of a drone or fogging machine.
type Machine struct {
	ID, Name, Kind string // Kind is drone or fogger
	State          fact.MachineState
	Heard          *time.Time // when it last sent something; nil: never
	Tank, Battery  *float64   // percent; nil: not known
	Last           *Run       // nil: there is none
}

// Run is a machine's last disinfection run.
type Run struct {
	State  fact.RunState
	Grade  string   // empty: not graded yet
	Litres *float64 // by the flow meter; nil: not measured
	Start  time.Time
}

// View is what there is to say.
type View struct {
	County   string // its id
	Name     string
	Version  string // of the program
	Gates    []Gate
	Machines []Machine
}

// Message is a retained message. An empty payload takes back what was said before.
type Message struct {
	Topic   string
	Payload string
}

// available is the topic that says whether the county is there: online, or offline by the
// last will.
func available(county string) string { return Prefix + "/gatehouse-" + county + "/available" }

// object returns the id of a device.
func object(county, kind, id string) string { return "gatehouse-" + county + "-" + kind + "-" + id }

// configTopic and stateTopic are the topics of a device.
func configTopic(object string) string { return Prefix + "/device/" + object + "/config" }
func stateTopic(object string) string  { return Prefix + "/device/" + object + "/state" }

// description is Home Assistant's discovery message of a device.
type description struct {
	Device       device               `json:"device"`
	Origin       origin               `json:"origin"`
	Components   map[string]component `json:"components"`
	StateTopic   string               `json:"state_topic"`
	Availability string               `json:"availability_topic"`
	QoS          int                  `json:"qos"`
}

type device struct {
	Identifiers  []string `json:"identifiers"`
	Name         string   `json:"name"`
	Manufacturer string   `json:"manufacturer"`
	Model        string   `json:"model"`
	Area         string   `json:"suggested_area,omitempty"`
}

type origin struct {
	Name    string `json:"name"`
	Version string `json:"sw_version"`
}

// component is one entity of a device.
type component struct {
	Platform  string   `json:"platform"` // binary_sensor or sensor
	Name      string   `json:"name"`
	UniqueID  string   `json:"unique_id"`
	Template  string   `json:"value_template"`
	Class     string   `json:"device_class,omitempty"`
	StateKind string   `json:"state_class,omitempty"`
	Unit      string   `json:"unit_of_measurement,omitempty"`
	Options   []string `json:"options,omitempty"`
	Category  string   `json:"entity_category,omitempty"`
	Icon      string   `json:"icon,omitempty"`
}

// field is a value of a state, and the entity that shows it.
type field struct {
	key string
	component
}

// of returns the template of a value that may be missing: Home Assistant shows unknown.
func of(key string) string { return "{{ value_json." + key + " | default(none) }}" }

func describe(v View, object string, d device, fields []field) (Message, error) {
	d.Identifiers, d.Manufacturer = []string{object}, "gatehouse"
	x := description{Device: d, Origin: origin{"gatehouse", v.Version}, Components: map[string]component{},
		StateTopic: stateTopic(object), Availability: available(v.County), QoS: 1}
	for _, f := range fields {
		f.UniqueID = object + "-" + f.key
		if f.Template == "" {
			f.Template = of(f.key)
		}
		x.Components[f.key] = f.component
	}
	b, err := json.Marshal(x)
	if err != nil {
		return Message{}, fmt.Errorf("describe %s to Home Assistant: %w", object, err)
	}
	return Message{configTopic(object), string(b)}, nil
}

// onOff is the template of a flag; a binary sensor knows ON and OFF.
func onOff(key string) string {
	return "{{ none if value_json." + key + " is not defined else 'ON' if value_json." + key + " else 'OFF' }}"
}

func gateFields() []field {
	count := func(v fact.Verdict, name, icon string) field {
		return field{string(v), component{Platform: "sensor", Name: name, StateKind: "total_increasing", Icon: icon}}
	}
	return []field{
		{"online", component{Platform: "binary_sensor", Name: "在线 Online", Class: "connectivity",
			Template: onOff("online")}},
		{"heard", component{Platform: "sensor", Name: "最近心跳 Last heartbeat", Class: "timestamp",
			Category: "diagnostic"}},
		{"alerts", component{Platform: "sensor", Name: "未处理告警 Open alerts", StateKind: "measurement",
			Icon: "mdi:alert"}},
		count(fact.VerdictPass, "本小时放行 Passed this hour", "mdi:gate-open"),
		count(fact.VerdictFever, "本小时发热 Fevers this hour", "mdi:thermometer-alert"),
		count(fact.VerdictRefuse, "本小时拒绝 Refused this hour", "mdi:gate"),
		count(fact.VerdictRetest, "本小时复测 Measured again this hour", "mdi:thermometer-lines"),
		count(fact.VerdictInvalid, "本小时无效 Invalid this hour", "mdi:thermometer-off"),
	}
}

func machineFields() []field {
	percent := func(key, name, class, icon string) field {
		return field{key, component{Platform: "sensor", Name: name, Class: class, StateKind: "measurement", Unit: "%",
			Icon: icon}}
	}
	return []field{
		{"state", component{Platform: "sensor", Name: "状态 State", Class: "enum", Options: machineStates()}},
		{"heard", component{Platform: "sensor", Name: "最近消息 Last message", Class: "timestamp", Category: "diagnostic"}},
		percent("tank", "药箱 Tank", "", "mdi:cup-water"),
		percent("battery", "电池 Battery", "battery", ""),
		{"run", component{Platform: "sensor", Name: "作业 Run", Class: "enum",
			Options: []string{string(fact.RunOpen), string(fact.RunClosed), string(fact.RunWithdrawn)}}},
		{"grade", component{Platform: "sensor", Name: "最近作业等级 Grade of the last run", Icon: "mdi:certificate"}},
		{"litres", component{Platform: "sensor", Name: "最近作业用量 Litres of the last run", Unit: "L", Icon: "mdi:spray"}},
		{"began", component{Platform: "sensor", Name: "最近作业开始 Begin of the last run", Class: "timestamp"}},
	}
}

func machineStates() (words []string) {
	for _, s := range fact.MachineStates() {
		words = append(words, string(s))
	}
	return words
}

// whole returns a time to the minute: heartbeats come every ten seconds, and each would be
// a message.
func whole(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Truncate(time.Minute).Format(time.RFC3339)
	return &text
}

type gateState struct {
	Online  *bool   `json:"online,omitempty"` // absent: it was never heard
	Heard   *string `json:"heard,omitempty"`
	Alerts  int     `json:"alerts"`
	Pass    int     `json:"pass"`
	Fever   int     `json:"fever"`
	Refuse  int     `json:"refuse"`
	Retest  int     `json:"retest"`
	Invalid int     `json:"invalid"`
}

type machineState struct {
	State   fact.MachineState `json:"state"`
	Heard   *string           `json:"heard,omitempty"`
	Tank    *float64          `json:"tank,omitempty"`
	Battery *float64          `json:"battery,omitempty"`
	Run     fact.RunState     `json:"run,omitempty"`
	Grade   string            `json:"grade,omitempty"`
	Litres  *float64          `json:"litres,omitempty"`
	Began   *string           `json:"began,omitempty"`
}

func (g Gate) state() gateState {
	s := gateState{Heard: whole(g.Heard), Alerts: g.Alerts, Pass: g.Hour[fact.VerdictPass],
		Fever: g.Hour[fact.VerdictFever], Refuse: g.Hour[fact.VerdictRefuse], Retest: g.Hour[fact.VerdictRetest],
		Invalid: g.Hour[fact.VerdictInvalid]}
	if g.State != fact.Never && g.State != "" {
		s.Online = new(g.State == fact.Online)
	}
	return s
}

func (m Machine) state() machineState {
	s := machineState{State: m.State, Tank: m.Tank, Battery: m.Battery}
	if m.Heard != nil {
		s.Heard = whole(*m.Heard)
	}
	if r := m.Last; r != nil {
		s.Run, s.Grade, s.Litres, s.Began = r.State, r.Grade, r.Litres, whole(r.Start)
	}
	return s
}

// named returns a name for people, with the id behind it if that says more.
func named(name, id string) string {
	if name == "" || strings.EqualFold(name, id) {
		return id
	}
	return name + " " + id
}

// Messages returns what is to be said, by device. It takes no more than mostDevices.
func Messages(v View) (map[string][]Message, error) {
	out := map[string][]Message{}
	say := func(object string, d device, fields []field, state any) error {
		if len(out) >= mostDevices {
			return nil
		}
		config, err := describe(v, object, d, fields)
		if err != nil {
			return err
		}
		b, err := json.Marshal(state)
		if err != nil {
			return fmt.Errorf("encode the state of %s: %w", object, err)
		}
		out[object] = []Message{config, {stateTopic(object), string(b)}}
		return nil
	}
	for _, g := range v.Gates {
		d := device{Name: named(g.Name, g.ID), Model: "gate", Area: g.Area}
		if err := say(object(v.County, "gate", g.ID), d, gateFields(), g.state()); err != nil {
			return nil, err
		}
	}
	for _, m := range v.Machines {
		d := device{Name: named(m.Name, m.ID), Model: m.Kind}
		if err := say(object(v.County, "machine", m.ID), d, machineFields(), m.state()); err != nil {
			return nil, err
		}
	}
	return out, nil
}
