package wire

import (
	"strings"
	"testing"
)

var ids = map[string]struct {
	id string
	ok bool
}{
	"plain":              {"gate-017", true},
	"one letter":         {"a", true},
	"one digit":          {"7", true},
	"48 characters":      {strings.Repeat("a", 48), true},
	"49 characters":      {strings.Repeat("a", 49), false},
	"empty":              {"", false},
	"upper case":         {"Gate", false},
	"underscore":         {"gate_1", false},
	"begins with -":      {"-gate", false},
	"ends with -":        {"gate-", false},
	"level separator":    {"gate/1", false},
	"one-level wildcard": {"+", false},
	"wildcard":           {"#", false},
	"NATS separator":     {"gate.1", false},
	"NATS wildcard":      {"*", false},
	"blank":              {"gate 1", false},
	"line break":         {"gate\n", false},
	"Chinese":            {"门岗", false},
	"NUL":                {"gate\x00", false},
}

func TestAnIDIsWhatEveryBrokerTakes(t *testing.T) {
	for name, c := range ids {
		t.Run(name, func(t *testing.T) {
			if err := CheckID(c.id); (err == nil) != c.ok {
				t.Errorf("CheckID(%q): %v, want ok %v", c.id, err, c.ok)
			}
		})
	}
}

var topics = map[string]struct {
	topic, county, agent string
	leaf                 Leaf
}{
	"records":          {"gatehouse/v1/yuncheng/gate-017/records", "yuncheng", "gate-017", LeafRecords},
	"hello":            {"gatehouse/v1/yuncheng/gate-017/hello", "yuncheng", "gate-017", LeafHello},
	"ack":              {"gatehouse/v1/yuncheng/gate-017/ack", "yuncheng", "gate-017", LeafAck},
	"collector status": {"gatehouse/v1/yuncheng/collector/status", "yuncheng", "collector", LeafStatus},
	"beat":             {"gatehouse/v1/a/b/beat", "a", "b", LeafBeat},
	"another version":  {topic: "gatehouse/v2/yuncheng/gate-017/records"},
	"another product":  {topic: "other/v1/yuncheng/gate-017/records"},
	"unknown leaf":     {topic: "gatehouse/v1/yuncheng/gate-017/recordz"},
	"no leaf":          {topic: "gatehouse/v1/yuncheng/gate-017"},
	"empty leaf":       {topic: "gatehouse/v1/yuncheng/gate-017/"},
	"too deep":         {topic: "gatehouse/v1/yuncheng/gate-017/records/x"},
	"empty agent":      {topic: "gatehouse/v1/yuncheng//records"},
	"wildcard":         {topic: "gatehouse/v1/yuncheng/+/records"},
	"leading slash":    {topic: "/gatehouse/v1/yuncheng/gate-017/records"},
	"empty":            {topic: ""},
}

func TestATopicOfThisContractIsTakenApartAndNoOther(t *testing.T) {
	for name, c := range topics {
		t.Run(name, func(t *testing.T) {
			county, agent, leaf, ok := ParseTopic(c.topic)
			if county != c.county || agent != c.agent || leaf != c.leaf || ok != (c.county != "") {
				t.Errorf("ParseTopic(%q) = %q, %q, %q, %v", c.topic, county, agent, leaf, ok)
			}
		})
	}
}

func TestATopicOfReports(t *testing.T) {
	for topic, want := range map[string]string{
		"gatehouse/v1/qinghe/fogger-21/report":  "",
		"gatehouse/v1/qinghe/Fogger21/report":   `contract: id "Fogger21": must be 1 to 48 characters of a-z`,
		"gatehouse/v1/QingHe/fogger-21/report":  `contract: id "QingHe": must be`,
		"gatehouse/v1/qinghe/fogger-21/reports": "publish on gatehouse/v1/<county>/<machine>/report",
		"gatehouse/v1/qinghe/fogger-21/records": "contract: let the machine",
		"gatehouse/v1/qinghe/collector/report":  "contract: let the machine",
		"gatehouse/v1/qinghe/report":            "contract: let the machine",
		"tele/Fogger21/SENSOR/a/b":              "contract: let the machine",
	} {
		err := CheckReportTopic(topic)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", topic, err, want)
		}
	}
}

func FuzzParseTopic(f *testing.F) {
	for _, c := range topics {
		f.Add(c.topic)
	}
	f.Fuzz(func(t *testing.T, topic string) {
		county, agent, leaf, ok := ParseTopic(topic)
		if ok && Topic(county, agent, leaf) != topic {
			t.Errorf("%q is taken apart as %q, %q, %q", topic, county, agent, leaf)
		}
		if !ok && (county != "" || agent != "" || leaf != "") {
			t.Errorf("%q is refused and yet gives %q, %q, %q", topic, county, agent, leaf)
		}
	})
}
