package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

var times = map[string]struct {
	text string // JSON
	want string // "" when it is to be refused
}{
	"as we write it":        {`"2020-02-14T06:30:00.000000001Z"`, "2020-02-14T06:30:00.000000001Z"},
	"no decimals":           {`"2020-02-14T06:30:00Z"`, "2020-02-14T06:30:00.000000000Z"},
	"milliseconds":          {`"2020-02-14T06:30:00.125Z"`, "2020-02-14T06:30:00.125000000Z"},
	"with an offset":        {`"2020-02-14T14:30:00+08:00"`, "2020-02-14T06:30:00.000000000Z"},
	"first instant":         {`"1970-01-01T00:00:00Z"`, "1970-01-01T00:00:00.000000000Z"},
	"last year":             {`"2261-12-31T23:59:59.999999999Z"`, "2261-12-31T23:59:59.999999999Z"},
	"before by its offset":  {`"1970-01-01T00:00:00+14:00"`, ""},
	"after by its offset":   {`"2261-12-31T23:59:59-14:00"`, ""},
	"before 1970":           {`"1969-12-31T23:59:59Z"`, ""},
	"after 2261":            {`"2262-01-01T00:00:00Z"`, ""},
	"year 0":                {`"0000-01-01T00:00:00Z"`, ""},
	"no zone":               {`"2020-02-14T06:30:00"`, ""},
	"a date":                {`"2020-02-14"`, ""},
	"the 30th of February":  {`"2020-02-30T06:30:00Z"`, ""},
	"seconds since 1970":    {`1581661800`, ""},
	"null":                  {`null`, ""},
	"empty":                 {`""`, ""},
	"a blank before":        {`" 2020-02-14T06:30:00Z"`, ""},
	"an escape in the text": {`"2020-02-14T06:30:00\u005a"`, ""},
}

func TestATimeIsRFC3339InTheYearsAStoreCanHold(t *testing.T) {
	for name, c := range times {
		t.Run(name, func(t *testing.T) {
			var v Time
			err := json.Unmarshal([]byte(c.text), &v)
			if (err == nil) != (c.want != "") {
				t.Fatalf("%s: %v", c.text, err)
			}
			if err == nil && v.String() != c.want {
				t.Errorf("%s is read as %s, want %s", c.text, v, c.want)
			}
		})
	}
}

func TestWrittenTimesSortAsTheInstantsDo(t *testing.T) {
	zone := time.FixedZone("CST", 8*3600)
	earlier, later := At(testTime.In(zone)), At(testTime.Add(time.Nanosecond))
	if earlier.String() >= later.String() {
		t.Errorf("%s does not sort before %s", earlier, later)
	}
}

// envelopes are records; the seeds of the fuzz targets too.
var envelopes = map[string]struct {
	raw string
	err string // part of the error, "" when it is to be read
}{
	"shortest": {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock",` +
		`"body":{"reason":"start","boot_id":"b","synchronised":true}}`, ""},
	"another order": {`{"body":{"reason":"start"},"kind":"clock","at":"2020-02-14T06:30:00Z","seq":1}`, ""},
	"white space": {" { \"seq\" : 1 ,\n\"at\" : \"2020-02-14T06:30:00Z\" , " +
		"\"kind\" : \"clock\" , \"body\" : { } } ", ""},
	"unknown field":         {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","x":[{"body":1}],"body":{}}`, ""},
	"unknown kind":          {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"weather","body":{}}`, ""},
	"brackets in a string":  {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{"reason":"}]\"{\\"}}`, ""},
	"largest seq":           {`{"seq":9007199254740991,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{}}`, ""},
	"seq too large":         {`{"seq":9007199254740992,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{}}`, "seq"},
	"seq 0":                 {`{"seq":0,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{}}`, "seq"},
	"seq missing":           {`{"at":"2020-02-14T06:30:00Z","kind":"clock","body":{}}`, "seq"},
	"seq negative":          {`{"seq":-1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{}}`, "seq"},
	"seq broken":            {`{"seq":1.5,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{}}`, "seq"},
	"seq as a string":       {`{"seq":"1","at":"2020-02-14T06:30:00Z","kind":"clock","body":{}}`, "seq"},
	"at missing":            {`{"seq":1,"kind":"clock","body":{}}`, "at is missing"},
	"at wrong":              {`{"seq":1,"at":"today","kind":"clock","body":{}}`, "time"},
	"kind missing":          {`{"seq":1,"at":"2020-02-14T06:30:00Z","body":{}}`, "kind"},
	"body missing":          {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock"}`, "body"},
	"body null":             {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":null}`, "body"},
	"body an array":         {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":[]}`, "body"},
	"body a string":         {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":"{}"}`, "body"},
	"body twice":            {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{},"body":{}}`, "twice"},
	"body no JSON":          {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{1}}`, "body"},
	"brackets crossed":      {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{"x":[}]}`, "record"},
	"digits after the body": {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{}.5}`, "record"},
	"body in capitals":      {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","BODY":{}}`, "body"},
	"boot_ns too large": {`{"seq":1,"at":"2020-02-14T06:30:00Z","boot_ns":1e400,"kind":"clock","body":{}}`,
		"boot_ns"},
	"not UTF-8": {"{\"seq\":1,\"at\":\"2020-02-14T06:30:00Z\",\"kind\":\"clock\"," +
		"\"body\":{\"reason\":\"\xff\"}}", "UTF-8"},
	"cut off":            {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{"reason":"st`, "record"},
	"something after it": {`{"seq":1,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{}}x`, "record"},
	"array":              {`[]`, "record"},
	"null":               {`null`, "record"},
	"empty":              {``, "record"},
}

func TestARecordsEnvelopeIsReadOrRefusedWithAReason(t *testing.T) {
	for name, c := range envelopes {
		t.Run(name, func(t *testing.T) {
			r, err := DecodeRecord([]byte(c.raw))
			switch {
			case c.err == "" && err != nil:
				t.Fatal(err)
			case c.err == "" && (r.Seq == 0 || !json.Valid(r.Body)):
				t.Errorf("read as %+v", r)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("error %v, want one that says %q", err, c.err)
			}
		})
	}
}

// bodies are bodies of each kind and what is wrong with them.
var bodies = map[string]struct {
	kind Kind
	body string
	err  error
	says string
}{
	"card": {KindReading, `{"device":"r","type":"card","credential":"k-x","direction":"out"}`, nil,
		""},
	"code": {KindReading, `{"device":"r","type":"code","credential":"k-x"}`, nil, ""},
	"measurement": {KindReading,
		`{"device":"t","type":"temperature","temperature":{"object_c":34.1,"offset_c":3.2,"screening_c":37.30}}`, nil,
		""},
	"screening is not the sum": {KindReading,
		`{"device":"t","type":"temperature","temperature":{"object_c":34.1,"offset_c":3.2,"screening_c":36.30}}`,
		ErrBody, "36.30 is not"},
	"no temperature": {KindReading, `{"device":"t","type":"temperature"}`, ErrBody, "temperature is missing"},
	"temperature null": {KindReading, `{"device":"t","type":"temperature","temperature":null}`, ErrBody,
		"temperature is missing"},
	"temperature as a string": {KindReading, `{"device":"t","type":"temperature","temperature":{"object_c":"34.1"}}`,
		ErrBody, "34.1"},
	"NaN": {KindReading, `{"device":"t","type":"temperature","temperature":{"object_c":NaN}}`,
		ErrBody, "reading"},
	"entered": {KindReading, `{"device":"c","type":"entered","entered":{"value_c":36.60,"with":"contact"}}`, nil,
		""},
	"nothing entered": {KindReading, `{"device":"c","type":"entered"}`, ErrBody, "entered is missing"},
	"63.8 entered": {KindReading, `{"device":"c","type":"entered","entered":{"value_c":63.80,"with":"contact"}}`,
		ErrBody, "enter 34.00 to 42.90"},
	"33.99 entered": {KindReading, `{"device":"c","type":"entered","entered":{"value_c":33.99,"with":"contact"}}`,
		ErrBody, "33.99"},
	"entered by guess": {KindReading, `{"device":"c","type":"entered","entered":{"value_c":36.60,"with":"hand"}}`,
		ErrBody, "infrared gun"},
	"no credential": {KindReading, `{"device":"r","type":"card"}`, ErrBody, "credential"},
	"no device":     {KindReading, `{"type":"card","credential":"k-x"}`, ErrBody, "device"},
	"another type":  {KindReading, `{"device":"r","type":"iris"}`, ErrBody, "iris"},
	"another direction": {KindReading, `{"device":"r","type":"card","credential":"k-x","direction":"up"}`,
		ErrBody, "up"},
	"too many samples": {KindReading, `{"device":"t","type":"temperature","temperature":{"samples":1e30}}`,
		ErrBody, "samples"},
	"passage": {KindPassage,
		`{"verdict":"refuse","reasons":["unknown-card"],"readings":[1],"amends":true}`, nil, ""},
	"another verdict": {KindPassage, `{"verdict":"maybe","reasons":["x"],"readings":[1]}`, ErrBody, "maybe"},
	"no reasons":      {KindPassage, `{"verdict":"pass","reasons":[],"readings":[1]}`, ErrBody, "reasons"},
	"an empty reason": {KindPassage, `{"verdict":"pass","reasons":[""],"readings":[1]}`, ErrBody, "reason"},
	"no readings":     {KindPassage, `{"verdict":"pass","reasons":["normal"]}`, ErrBody, "readings"},
	"no way": {KindPassage,
		`{"verdict":"pass","reasons":["normal"],"readings":[1],"direction":"up"}`, ErrBody, "up"},
	"alarm": {KindAlarm, `{"id":"device-gone:t","type":"device-gone","state":"cleared"}`, nil, ""},
	"alarm in other words": {KindAlarm,
		`{"id":"journal-disk-low","type":"journal-disk-low","state":"raised","detail":"2 h","updates":42}`, nil, ""},
	"alarm of a later version": {KindAlarm, `{"id":"flood:1","type":"flood","state":"raised","level":3}`, nil, ""},
	"alarm without id":         {KindAlarm, `{"type":"fever","state":"raised"}`, ErrBody, "id"},
	"alarm without type":       {KindAlarm, `{"id":"fever:1","state":"raised"}`, ErrBody, "type"},
	"alarm without state":      {KindAlarm, `{"id":"fever:1","type":"fever"}`, ErrBody, "state"},
	"health":                   {KindHealth, `{"device":"t","state":"ok"}`, nil, ""},
	"health of nothing":        {KindHealth, `{"state":"ok"}`, ErrBody, "device"},
	"health without state":     {KindHealth, `{"device":"t"}`, ErrBody, "state"},
	"clock":                    {KindClock, `{"reason":"step","step_ms":-3600000}`, nil, ""},
	"clock without reason":     {KindClock, `{}`, ErrBody, "reason"},
	"audit":                    {KindAudit, `{"actor":"guard","action":"retest","passage":41}`, nil, ""},
	"audit without action":     {KindAudit, `{"actor":"guard"}`, ErrBody, "action"},
	"baseline":                 {KindBaseline, `{"device":"t","ambient_c":20,"values_c":[33.4]}`, nil, ""},
	"baseline of nothing":      {KindBaseline, `{"ambient_c":20,"values_c":[33.4]}`, ErrBody, "device"},
	"baseline without values":  {KindBaseline, `{"device":"t","ambient_c":20,"values_c":[]}`, ErrBody, "0 values"},
	"baseline with too many values": {KindBaseline,
		`{"device":"t","values_c":[33.4` + strings.Repeat(",33.4", MaxBaseline) + `]}`, ErrBody, "201 values"},
	"check": {KindCheck, `{"device":"t","began_at":"2020-02-14T06:30:00Z","state":"open","pairs":[]}`, nil, ""},
	"check that is done": {KindCheck, `{"device":"t","began_at":"2020-02-14T06:30:00Z","state":"done",` +
		`"result":{"passed":true,"due_at":"2020-02-28T06:30:00Z"}}`, nil, ""},
	"check that is never due again": {KindCheck, `{"device":"t","began_at":"2020-02-14T06:30:00Z","state":"done",` +
		`"result":{"passed":true}}`, ErrBody, "due_at"},
	"check of nothing":     {KindCheck, `{"began_at":"2020-02-14T06:30:00Z","state":"open"}`, ErrBody, "device"},
	"check without a time": {KindCheck, `{"device":"t","state":"open"}`, ErrBody, "began_at"},
	"check in no state":    {KindCheck, `{"device":"t","began_at":"2020-02-14T06:30:00Z","state":"x"}`, ErrBody, "x"},
	"check without result": {KindCheck, `{"device":"t","began_at":"2020-02-14T06:30:00Z","state":"done"}`, ErrBody,
		"result"},
	"check with an early result": {KindCheck, `{"device":"t","began_at":"2020-02-14T06:30:00Z","state":"open",` +
		`"result":{}}`, ErrBody, "result"},
	"check with too many pairs": {KindCheck, `{"device":"t","began_at":"2020-02-14T06:30:00Z","state":"open",` +
		`"pairs":[{}` + strings.Repeat(",{}", MaxPairs) + `]}`, ErrBody, "21 pairs"},
	"unknown kind": {"weather", `{}`, ErrKind, "weather"},
}

func TestABodyIsCheckedAsItsKindAsksFor(t *testing.T) {
	for name, c := range bodies {
		t.Run(name, func(t *testing.T) {
			b, err := Record{Kind: c.kind, Body: json.RawMessage(c.body)}.DecodeBody()
			if c.err == nil {
				if err != nil || b.Kind() != c.kind {
					t.Fatalf("%v, %v", b, err)
				}
				return
			}
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v that says %q", err, c.err, c.says)
			}
		})
	}
}

func TestEachBodyComesBackAsItWasWritten(t *testing.T) {
	for _, want := range []Body{sampleCard(), sampleMeasurement(), sampleEntered(), samplePassage(),
		sampleEpisode(), sampleAlarm(), sampleHealth(), sampleClock()} {
		r, err := DecodeRecord(record(t, 7, want))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.DecodeBody(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v came back as %+v, %v", want, got, err)
		}
	}
}

func TestAFieldBehindTheBodyIsStillKept(t *testing.T) {
	raw := record(t, 41, sampleMeasurement())
	later := append(append([]byte{}, raw[:len(raw)-1]...), `,"later":{"x":1}}`...)
	r, err := DecodeRecord(later)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := r.DecodeBody(); err != nil || !reflect.DeepEqual(b, Body(sampleMeasurement())) {
		t.Fatalf("%+v, %v", b, err)
	}
}

func TestARecordIsOneLineThatPeopleCanRead(t *testing.T) {
	a := sampleAlarm()
	a.Detail = "a<b & \"c\"\n体温"
	raw := record(t, 7, a)
	for _, want := range []string{`"detail":"a<b & \"c\"\n体温"`, `"screening_c":38.40`,
		`"at":"2020-02-14T06:30:07.000000000Z"`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s does not hold %s", raw, want)
		}
	}
	if bytes.ContainsRune(raw, '\n') {
		t.Errorf("%s has a line break", raw)
	}
}

func TestTheHashTellsRecordsApart(t *testing.T) {
	a, b := record(t, 7, sampleAlarm()), record(t, 7, sampleAlarm())
	if Hash(a) != Hash(b) {
		t.Error("the same record has two hashes")
	}
	if b[len(b)-3] ^= 1; Hash(a) == Hash(b) {
		t.Error("two records have one hash")
	}
}
