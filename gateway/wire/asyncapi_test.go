package wire

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"gatehouse/gateway/fact"
)

// api is what asyncapi.yaml says of topics and fields.
type api struct {
	Version  string `yaml:"asyncapi"`
	Channels map[string]struct {
		Address    string
		Messages   map[string]ref
		Parameters map[string]ref
	}
	Operations map[string]struct {
		Action   string
		Channel  ref
		Bindings struct {
			MQTT struct {
				QoS    int
				Retain bool
			}
		}
	}
	Components struct {
		Parameters map[string]struct{ Description string }
		Messages   map[string]struct{ Payload ref }
		Schemas    map[string]schema
	}
}

type ref struct {
	Ref string `yaml:"$ref"`
}

type schema struct {
	Ref        string `yaml:"$ref"`
	Type       string
	Required   []string
	Properties map[string]schema
	Items      *schema
	Enum       []string
	Minimum    float64
	Maximum    float64
	MaxItems   int `yaml:"maxItems"`
	Format     string
}

// schemas are the structs of the contract by their names in asyncapi.yaml.
var schemas = map[string]reflect.Type{
	"batch": tables["Batch"], "hole": tables["Hole"], "record": tables["Record"],
	"reading": tables["Reading"], "pass": tables["Pass of a reading"],
	"temperature": tables["Temperature"], "entered": tables["Entered value"], "passage": tables["Passage"],
	"limits": tables["Limits of a passage"], "basis": tables["Basis of a passage"],
	"override": tables["Override"], "handover": tables["Hand-over"],
	"episodeStep": tables["Fever episode"], "alarm": tables["Alarm"], "health": tables["Health"],
	"clock": tables["Clock"], "audit": tables["Audit"],
	"hello": tables["Hello"], "ack": tables["Ack"], "collectorStatus": tables["Collector status"],
	"status": tables["Status"], "beat": tables["Beat"], "device": tables["Device of a beat"],
	"track": tables["Track"], "trackPoint": tables["Point of a track"], "part": tables["Part of an import"],
	"run":   tables["Run"],
	"usual": tables["Usual"], "baseline": tables["Baseline"], "check": tables["Field check"],
	"checkPair": tables["Pair of a field check"], "checkResult": tables["Result of a field check"],
	"beatMachine": tables["Machine of a beat"], "report": tables["Report"], "trouble": tables["Trouble"],
	"desk": tables["Desk"], "deskCall": tables["Call of a desk"], "deskNotice": tables["Notice of a desk"],
	"auditHead": tables["Head of an audit"],
	"retire":    tables["Retire"], "retired": tables["Retired"],
	"command": tables["Command"], "nonce": tables["Nonce"], "commanded": tables["Outcome of a command"],
	"manifest":     tables["Policy"],
	"rulesInForce": tables["Rules in force"], "rulesApplied": tables["Rules applied"],
	"upgrade": tables["Upgrade of a beat"],
}

func readAPI(t *testing.T) api {
	t.Helper()
	b, err := os.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var a api
	if err := yaml.Unmarshal(b, &a); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	if a.Version != "3.0.0" {
		t.Fatalf("asyncapi %q", a.Version)
	}
	return a
}

// follow returns what a reference such as #/components/schemas/x points to.
func (a api) follow(t *testing.T, s schema) schema {
	t.Helper()
	if s.Ref == "" {
		return s
	}
	name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/")
	target, found := a.Components.Schemas[name]
	if !ok || !found {
		t.Errorf("%s leads nowhere", s.Ref)
	}
	return target
}

func TestTheChannelsOfAsyncAPIAreTheTopics(t *testing.T) {
	a := readAPI(t)
	qos := map[Leaf]int{LeafRecords: 1, LeafHello: 1, LeafAck: 0, LeafStatus: 1, LeafBeat: 0, LeafReport: 1,
		LeafDesk: 1, LeafCommand: 1, LeafNonce: 1, LeafPolicy: 1, LeafRetire: 1, LeafRetired: 1}
	want := map[string]Leaf{}
	for _, leaf := range []Leaf{LeafRecords, LeafHello, LeafAck, LeafStatus, LeafBeat, LeafReport, LeafDesk,
		LeafCommand, LeafNonce, LeafPolicy, LeafRetire, LeafRetired} {
		want[Topic("{county}", "{agent}", leaf)] = leaf
	}
	want[Topic("{county}", CollectorID, LeafStatus)] = LeafStatus
	want[Topic("{county}", "{agent}", LeafPolicy)+"/{no}/{n}"] = LeafPolicy
	for name, c := range a.Channels {
		leaf, known := want[c.Address]
		if !known {
			t.Errorf("channel %s: %s is no topic of the code, or comes twice", name, c.Address)
			continue
		}
		delete(want, c.Address)
		if n := strings.Count(c.Address, "{"); len(c.Parameters) != n {
			t.Errorf("channel %s: %d parameters for %s", name, len(c.Parameters), c.Address)
		}
		a.checkOperation(t, name, qos[leaf], leaf == LeafStatus || leaf == LeafRetire || leaf == LeafDesk ||
			leaf == LeafPolicy)
		for m, r := range c.Messages {
			payload := a.Components.Messages[m].Payload.Ref
			if bytes := m == "policyPart"; r.Ref != "#/components/messages/"+m ||
				!bytes && (payload != "#/components/schemas/"+m || schemas[m] == nil) {
				t.Errorf("channel %s: message %s is %s with payload %s", name, m, r.Ref, payload)
			}
		}
	}
	for address := range want {
		t.Errorf("no channel has the topic %s", address)
	}
}

// checkOperation finds the one operation of a channel.
func (a api) checkOperation(t *testing.T, channel string, qos int, retain bool) {
	t.Helper()
	n := 0
	for name, o := range a.Operations {
		if o.Channel.Ref != "#/channels/"+channel {
			continue
		}
		n++
		if o.Bindings.MQTT.QoS != qos || o.Bindings.MQTT.Retain != retain {
			t.Errorf("operation %s: QoS %d, retained %v; want %d, %v", name, o.Bindings.MQTT.QoS,
				o.Bindings.MQTT.Retain, qos, retain)
		}
	}
	if n != 1 {
		t.Errorf("channel %s has %d operations", channel, n)
	}
}

func TestTheSchemasOfAsyncAPIAreTheStructs(t *testing.T) {
	a := readAPI(t)
	for name, typ := range schemas {
		s, found := a.Components.Schemas[name]
		if !found || s.Type != "object" {
			t.Errorf("there is no schema of a %s", name)
			continue
		}
		fields := fieldsOf(typ)
		for _, f := range fields {
			word, optional := strings.CutSuffix(f.typ, ", optional")
			p, found := s.Properties[f.name]
			if !found {
				t.Errorf("%s has no property %s", name, f.name)
				continue
			}
			if slices.Contains(s.Required, f.name) == optional {
				t.Errorf("%s.%s: required is wrong", name, f.name)
			}
			if target := a.follow(t, p); !says(target, word) {
				t.Errorf("%s.%s is %s %s, want %s", name, f.name, target.Type, target.Format, word)
			}
			if p.Items != nil {
				a.follow(t, *p.Items)
			}
		}
		if len(s.Properties) != len(fields) || len(s.Required) > len(fields) {
			t.Errorf("%s has %d properties and %d required, the struct %d fields", name, len(s.Properties),
				len(s.Required), len(fields))
		}
	}
	for name, s := range a.Components.Schemas {
		if s.Type == "object" && schemas[name] == nil {
			t.Errorf("the schema %s is of no struct", name)
		}
	}
}

// says reports whether a schema means what WIRE.md calls word.
func says(s schema, word string) bool {
	switch word {
	case "time":
		return s.Type == "string" && s.Format == "date-time"
	case "°C":
		return s.Type == "number" && s.Minimum == -1000 && s.Maximum == 1000
	}
	return s.Type == word
}

func TestTheEnumsOfAsyncAPIAreTheConstants(t *testing.T) {
	a := readAPI(t)
	s := a.Components.Schemas
	for name, c := range map[string]struct{ got, want []string }{
		"kinds": {s["record"].Properties["kind"].Enum,
			[]string{string(KindReading), string(KindPassage), string(KindAlarm), string(KindHealth),
				string(KindClock), string(KindAudit), string(KindTrack), string(KindRun),
				string(KindBaseline), string(KindCheck)}},
		"checks": {s["check"].Properties["state"].Enum,
			[]string{string(fact.CheckOpen), string(fact.CheckDone), string(fact.CheckGivenUp)}},
		"types": {s["reading"].Properties["type"].Enum,
			[]string{string(fact.ReadingTemperature), string(fact.ReadingCard), string(fact.ReadingCode),
				string(fact.ReadingEntered)}},
		"thermometers": {s["entered"].Properties["with"].Enum,
			[]string{string(fact.HandHeldContact), string(fact.HandHeldForehead)}},
		"directions": {s["direction"].Enum, []string{string(fact.DirectionIn), string(fact.DirectionOut)}},
		"verdicts": {s["passage"].Properties["verdict"].Enum,
			[]string{string(fact.VerdictFever), string(fact.VerdictRefuse), string(fact.VerdictInvalid),
				string(fact.VerdictRetest), string(fact.VerdictPass)}},
		"states": {s["alarm"].Properties["state"].Enum,
			[]string{string(fact.AlarmRaised), string(fact.AlarmCleared)}},
		"presence": {s["presence"].Enum, []string{string(fact.Online), string(fact.Offline)}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if s["batch"].Properties["records"].MaxItems != MaxBatchRecords || s["seq"].Maximum != MaxSeq {
		t.Error("the limits are not the code's")
	}
}
