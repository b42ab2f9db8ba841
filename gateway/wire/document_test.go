package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/gateway/fact"
)

// The worked examples of WIRE.md are of this gate.
const (
	docCounty = "qinghe"
	docAgent  = "gate-017"
)

// tables are the structs of the contract by WIRE.md's headings.
var tables = map[string]reflect.Type{
	"Batch":                reflect.TypeFor[batchHeader](),
	"Hole":                 reflect.TypeFor[Hole](),
	"Record":               reflect.TypeFor[Record](),
	"Reading":              reflect.TypeFor[Reading](),
	"Pass of a reading":    reflect.TypeFor[Pass](),
	"Temperature":          reflect.TypeFor[Temperature](),
	"Entered value":        reflect.TypeFor[Entered](),
	"Passage":              reflect.TypeFor[Passage](),
	"Limits of a passage":  reflect.TypeFor[Limits](),
	"Basis of a passage":   reflect.TypeFor[Basis](),
	"Fever episode":        reflect.TypeFor[EpisodeStep](),
	"Alarm":                reflect.TypeFor[Alarm](),
	"Health":               reflect.TypeFor[Health](),
	"Clock":                reflect.TypeFor[Clock](),
	"Audit":                reflect.TypeFor[Audit](),
	"Hand-over":            reflect.TypeFor[Handover](),
	"Override":             reflect.TypeFor[Override](),
	"Hello":                reflect.TypeFor[Hello](),
	"Ack":                  reflect.TypeFor[Ack](),
	"Collector status":     reflect.TypeFor[CollectorStatus](),
	"Status":               reflect.TypeFor[Status](),
	"Beat":                 reflect.TypeFor[Beat](),
	"Device of a beat":     reflect.TypeFor[BeatDevice](),
	"Track":                reflect.TypeFor[Track](),
	"Point of a track":     reflect.TypeFor[TrackPoint](),
	"Part of an import":    reflect.TypeFor[Part](),
	"Run":                  reflect.TypeFor[Run](),
	"Machine of a beat":    reflect.TypeFor[BeatMachine](),
	"Trouble":              reflect.TypeFor[Trouble](),
	"Report":               reflect.TypeFor[Report](),
	"Desk":                 reflect.TypeFor[Desk](),
	"Call of a desk":       reflect.TypeFor[DeskCall](),
	"Notice of a desk":     reflect.TypeFor[DeskNotice](),
	"Head of an audit":     reflect.TypeFor[AuditHead](),
	"Retire":               reflect.TypeFor[Retire](),
	"Retired":              reflect.TypeFor[Retired](),
	"Command":              reflect.TypeFor[Command](),
	"Nonce":                reflect.TypeFor[Nonce](),
	"Outcome of a command": reflect.TypeFor[Commanded](),
	"Policy":               reflect.TypeFor[Manifest](),
	"Rules in force":       reflect.TypeFor[RulesInForce](),
	"Upgrade of a beat":    reflect.TypeFor[Upgrade](),
	"Rules applied":        reflect.TypeFor[RulesApplied](),

	"Usual":                   reflect.TypeFor[Usual](),
	"Baseline":                reflect.TypeFor[Baseline](),
	"Field check":             reflect.TypeFor[FieldCheck](),
	"Pair of a field check":   reflect.TypeFor[CheckPair](),
	"Result of a field check": reflect.TypeFor[CheckResult](),
}

// field is one line of a table: a name and the type as WIRE.md words it.
type field struct{ name, typ string }

// fieldsOf returns the fields that a struct writes, in order.
func fieldsOf(t reflect.Type) (fields []field) {
	for i := range t.NumField() {
		if t.Field(i).Anonymous {
			fields = append(fields, fieldsOf(t.Field(i).Type)...)
			continue
		}
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		typ := word(t.Field(i).Type, name)
		if options == "omitempty" {
			typ += ", optional"
		}
		fields = append(fields, field{name, typ})
	}
	return fields
}

func word(t reflect.Type, name string) string {
	switch {
	case t == reflect.TypeFor[json.RawMessage]() && name == "records":
		return "array"
	case t == reflect.TypeFor[json.RawMessage]():
		return "object"
	case t == reflect.TypeFor[Time]():
		return "time"
	case t == reflect.TypeFor[fact.Temp]():
		return "°C"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return word(t.Elem(), name)
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	}
	return "integer"
}

func document(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("WIRE.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var tableLine = regexp.MustCompile("^\\| `([a-z0-9_]+)` \\| ([^|]+) \\| [^|]+ \\|$")

func TestEveryFieldStandsInWIREAndNoOther(t *testing.T) {
	found := map[string][]field{}
	heading, inTable := "", false
	for line := range strings.Lines(document(t)) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			heading = title
		}
		if line == "| Field | Type | Meaning |" {
			inTable = true
		} else if !strings.HasPrefix(line, "|") {
			inTable = false
		}
		if m := tableLine.FindStringSubmatch(line); inTable && m != nil {
			found[heading] = append(found[heading], field{m[1], m[2]})
		}
	}
	for name, typ := range tables {
		if want := fieldsOf(typ); !slices.Equal(found[name], want) {
			t.Errorf("%s:\nWIRE.md has %v\nthe code    %v", name, found[name], want)
		}
	}
	for name := range found {
		if tables[name] == (reflect.Type)(nil) {
			t.Errorf("WIRE.md has a table of fields under %q that the code does not know", name)
		}
	}
}

var fence = regexp.MustCompile("(?ms)^```(json|text) ([a-z-]+)\n(.*?)^```$")

// examples returns the fenced blocks of one kind by their names, in order.
func examples(t testing.TB, kind string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, m := range fence.FindAllStringSubmatch(document(t), -1) {
		if m[1] == kind {
			found[m[2]] = append(found[m[2]], m[3])
		}
	}
	return found
}

// again decodes an example and encodes what came out.
var again = map[string]func([]byte) ([]byte, error){
	"batch": func(b []byte) ([]byte, error) {
		batch, err := DecodeBatch(b)
		if err != nil {
			return nil, err
		}
		if len(batch.Bad) > 0 {
			return []byte(batch.Bad[0].Reason), nil
		}
		return EncodeBatch(batch)
	},
	"record": func(b []byte) ([]byte, error) {
		r, err := DecodeRecord(b)
		if err != nil {
			return nil, err
		}
		return EncodeRecord(r)
	},
	"reading":          againBody(KindReading),
	"passage":          againBody(KindPassage),
	"alarm":            againBody(KindAlarm),
	"health":           againBody(KindHealth),
	"clock":            againBody(KindClock),
	"audit":            againBody(KindAudit),
	"track":            againBody(KindTrack),
	"run":              againBody(KindRun),
	"baseline":         againBody(KindBaseline),
	"check":            againBody(KindCheck),
	"report":           againMessage[Report],
	"hello":            againMessage[Hello],
	"ack":              againMessage[Ack],
	"collector-status": againMessage[CollectorStatus],
	"status":           againMessage[Status],
	"beat":             againMessage[Beat],
	"desk":             againMessage[Desk],
	"retire":           againMessage[Retire],
	"retired":          againMessage[Retired],
	"command":          againMessage[Command],
	"nonce":            againMessage[Nonce],
	"policy":           againMessage[Manifest],
}

func againBody(k Kind) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		body, err := Record{Kind: k, Body: b}.DecodeBody()
		if err != nil {
			return nil, err
		}
		return EncodeBody(body)
	}
}

func againMessage[M Message](b []byte) ([]byte, error) {
	m, err := Decode[M](b)
	if err != nil {
		return nil, err
	}
	return Encode(m)
}

func TestEveryExampleOfWIREIsWhatTheCodeWrites(t *testing.T) {
	found := examples(t, "json")
	for name, decode := range again {
		if len(found[name]) == 0 {
			t.Errorf("WIRE.md has no example of a %s", name)
		}
		for _, text := range found[name] {
			var want bytes.Buffer
			if err := json.Compact(&want, []byte(text)); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got, err := decode(want.Bytes()); err != nil || !bytes.Equal(got, want.Bytes()) {
				t.Errorf("%s:\nWIRE.md has    %s\nthe code gives %s, %v", name, want.Bytes(), got, err)
			}
		}
	}
	for name := range found {
		if again[name] == nil {
			t.Errorf("WIRE.md has an example of a %s, which no test decodes", name)
		}
	}
}
